// A training run of a head that is solved for: features of all examples, the solver, figures.
import type { AnyModel } from '../core/model.ts';
import type { EpochLog, Samples, TrainingLog } from '../core/types.ts';
import { countParameters } from './countParameters.ts';
import { solveLinearHead } from './linearSolver.ts';
import type { Run, TrainingPlan } from './loopPlan.ts';
import { measure } from './measure.ts';
import { openRows, type Parts, type PreparedRows } from './openRows.ts';
import { settleRun } from './settleRun.ts';
import type { SettledSolver } from './solverOption.ts';

/**
 * Solves for the weights of a linear head and appends the log to the model's history.
 *
 * @throws TransferKitError `NO_EXAMPLES`, and what samples and reading raise.
 */
export async function runSolver(
  model: AnyModel,
  samples: Samples,
  plan: TrainingPlan,
  solver: SettledSolver,
): Promise<TrainingLog> {
  const { run, parts } = settleRun(model, samples, plan);
  const outcome = await prepareAndSolve(run, parts, solver);
  const log: TrainingLog = {
    phase: plan.phase,
    ...outcome,
    parameters: countParameters(model, plan.segments),
    seed: plan.options.seed,
    seconds: (performance.now() - plan.startedAt) / 1000,
  };
  model.history = [...model.history, log];
  return log;
}

type Outcome = Omit<TrainingLog, 'phase' | 'parameters' | 'seed' | 'seconds'>;

async function prepareAndSolve(run: Run, parts: Parts, { head, l2 }: SettledSolver): Promise<Outcome> {
  const { verb, model, classWeight, options } = run;
  const { seed, signal, onProgress } = options;
  const rows = await openRows(run, parts, head.entry);
  try {
    const stopped: Outcome = { epochs: [], stoppedBy: 'signal', ...rows.report };
    const { train, validation } = rows;
    if (train === undefined) return stopped;
    const start = performance.now();
    const solved = await solveLinearHead({
      verb,
      model,
      head,
      train,
      validation,
      classWeight,
      l2,
      seed,
      signal,
      onProgress,
    });
    if (solved === undefined) return stopped;
    const epoch: EpochLog = { epoch: 0, ...(await figures(run, rows)), seconds: (performance.now() - start) / 1000 };
    options.onEpoch?.(epoch);
    return {
      epochs: [epoch],
      stoppedBy: solved.converged ? 'converged' : 'epochs',
      solver: { name: 'lbfgs', ...solved },
      ...rows.report,
    };
  } finally {
    await rows.dispose();
  }
}

async function figures(run: Run, { train, validation }: PreparedRows): Promise<Omit<EpochLog, 'epoch' | 'seconds'>> {
  const { batchSize } = run.options;
  const onTraining = train && (await measure(run, train, batchSize));
  const onValidation = validation && (await measure(run, validation, batchSize));
  return {
    loss: onTraining?.loss ?? NaN,
    ...(onTraining?.accuracy === undefined ? {} : { accuracy: onTraining.accuracy }),
    ...(onValidation === undefined ? {} : { validationLoss: onValidation.loss }),
    ...(onValidation?.accuracy === undefined ? {} : { validationAccuracy: onValidation.accuracy }),
  };
}
