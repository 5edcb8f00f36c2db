// The work of trainHead: a head that is linear is solved for, any other is trained by gradients.
import type { TrainingLog } from '../../core/logs.ts';
import type { Samples } from '../../core/types.ts';
import { ensureBackend } from '../../engines/backends/ensureBackend.ts';
import { linearHeadOf } from '../../heads/findLinearHead.ts';
import type { AnyModel } from '../../model/model.ts';
import { settleOptions } from '../options/options.ts';
import { settleRates } from '../options/rates.ts';
import { settleSolver } from '../options/solverOption.ts';
import type { TrainHeadOptions } from '../options/trainHeadOptions.ts';
import { findCheckpoints, whileHeld } from '../resume/findCheckpoints.ts';
import { runSolver } from './runSolver.ts';
import { runTraining } from './runTraining.ts';
import { segmentNow } from './segments.ts';
import { settleRun } from './settleRun.ts';

/** Does the work of `trainHead` for a verb that already holds the model. */
export async function trainHeadNow(model: AnyModel, samples: Samples, options: TrainHeadOptions): Promise<TrainingLog> {
  const startedAt = performance.now();
  const settled = settleOptions(options, { epochs: 10, schedule: 'cosine' }, model);
  const rates = settleRates(options.learningRate ?? settled.optimizer.defaultLearningRate);
  const { parts, trunk } = model.head;
  const { solver, reason } = settleSolver({ head: linearHeadOf(model), parts, samples, options, settled });
  return whileHeld(settled, async () => {
    await ensureBackend();
    const segments = [segmentNow(settled.initialEpoch, trunk.weights)];
    const checkpoints = await findCheckpoints('head', settled);
    const plan = { phase: 'head', segments, rates, options: settled, startedAt, reason } as const;
    const run = settleRun(model, samples, plan);
    return solver === undefined ? runTraining(run, checkpoints) : runSolver(run, solver);
  });
}
