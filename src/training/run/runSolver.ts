// A training run by the solver: features of all examples, the solution, figures.
import { getBackend } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import type { EpochLog, TrainingLog } from '../../core/logs.ts';
import { countParameters } from './countParameters.ts';
import { heldOutOf } from './holdOut.ts';
import { measuredFigures } from './epochFigures.ts';
import { solveLinearHead } from '../solve/linearSolver.ts';
import type { Run } from '../state/plan.ts';
import { measure } from '../../measure/measure.ts';
import { openRows } from './openRows.ts';
import { watchRun } from './runWarnings.ts';
import { takeSnapshot, type Snapshot } from '../state/snapshot.ts';
import { stopperOf } from './timeLimit.ts';
import { tasks } from '../../model/tasks/tasks.ts';
import type { SettledSolver } from '../options/solverOption.ts';

/**
 * Computes the weights of a linear head and appends the log to the model's history.
 *
 * @throws TransferKitError `NO_EXAMPLES`, `LOSS_NOT_FINITE` (the weights are unchanged), and the errors of samples and
 * reading.
 */
export async function runSolver(run: Run, solver: SettledSolver): Promise<TrainingLog> {
  const { model } = run;
  const watched = watchRun(run);
  const outcome = await prepareAndSolve(withViews(watched.run, solver), solver);
  const warnings = watched.warnings(outcome);
  const log: TrainingLog = {
    phase: run.phase,
    method: solver.head.ends.every(({ part }) => tasks[part.task].scalesTargets) ? 'ridge' : 'lbfgs',
    ...outcome,
    ...heldOutOf(run.samples),
    ...(warnings.length === 0 ? {} : { warnings }),
    parameters: countParameters(model, run.segments),
    backend: getBackend(),
    seed: run.options.seed,
    seconds: (performance.now() - run.startedAt) / 1000,
  };
  model.history = [...model.history, log];
  return log;
}

type Outcome = Omit<TrainingLog, 'phase' | 'method' | 'parameters' | 'backend' | 'seed' | 'seconds'>;

async function prepareAndSolve(run: Run, { head, l2, views }: SettledSolver): Promise<Outcome> {
  const { model, options } = run;
  const rows = await openRows(run, head.entry);
  let before: Snapshot | undefined;
  try {
    const stopped = (): Outcome => ({ epochs: [], stoppedBy: stopperOf(run), ...rows.report });
    const { train, validation } = rows;
    if (train === undefined) return stopped();
    const start = performance.now();
    before = takeSnapshot(head.ends.flatMap(({ kernel, bias }) => [kernel, bias]));
    // Cross-validation chooses better than the few examples that `'auto'` holds out.
    const judges = run.samples.held?.by === 'auto' ? undefined : validation;
    const solved = await solveLinearHead({ ...run, head, l2, views: 1 + views, train, validation: judges });
    if (solved === undefined) return stopped();
    const measured = await measure(run, train, options.batchSize);
    if (!Number.isFinite(measured.loss)) {
      before.restore();
      throw notFinite(measured.loss);
    }
    model.head.trained = true;
    const held = validation && (await measure(run, validation, options.batchSize));
    const figures = measuredFigures(model.head.parts, measured, held);
    const epoch: EpochLog = { epoch: 0, ...figures, seconds: (performance.now() - start) / 1000 };
    await options.onEpoch?.({ ...epoch, phase: run.phase });
    return {
      epochs: [epoch],
      stoppedBy: solved.converged ? 'converged' : 'epochs',
      solver: solved,
      ...rows.report,
    };
  } finally {
    before?.dispose();
    await rows.dispose();
  }
}

/** The examples themselves, followed by their augmented views. */
function withViews(run: Run, { views }: SettledSolver): Run {
  const { augment } = run.options;
  if (augment === undefined) return run;
  return { ...run, options: { ...run.options, augment: { ...augment, views: 1 + views, startsUnchanged: true } } };
}

function notFinite(loss: number): TransferKitError {
  const text =
    `expected a finite loss, got ${String(loss)}. The weights are those of before. Check inputs and targets for ` +
    'extreme values, and scale them.';
  return new TransferKitError('LOSS_NOT_FINITE', text, { loss });
}
