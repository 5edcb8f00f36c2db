// The work of trainHead: a head that is linear is solved for, any other is trained by gradients.
import type { TrainingLog } from '../../core/logs.ts';
import type { Samples } from '../../core/types.ts';
import { ensureBackend } from '../../engines/backends/ensureBackend.ts';
import { linearHeadOf } from '../../heads/findLinearHead.ts';
import type { AnyModel } from '../../model/model.ts';
import { settleOptions, type SettledOptions } from '../options/options.ts';
import { settleRates, type SettledRates } from '../options/rates.ts';
import { settleSolver, type TrainingWay } from '../options/solverOption.ts';
import type { TrainHeadOptions } from '../options/trainHeadOptions.ts';
import { findCheckpoints, whileHeld } from '../resume/findCheckpoints.ts';
import type { SplitSamples } from '../state/plan.ts';
import { holdOut } from './holdOut.ts';
import { runSolver } from './runSolver.ts';
import { runTraining } from './runTraining.ts';
import { segmentNow } from './segments.ts';
import { settleRun } from './settleRun.ts';

/** How a head is to be trained. */
export interface HeadPlan extends TrainingWay {
  readonly samples: SplitSamples;
  readonly settled: SettledOptions;
  readonly rates: SettledRates;
}

/** Does the work of `trainHead` for a verb that already holds the model. */
export async function trainHeadNow(model: AnyModel, samples: Samples, options: TrainHeadOptions): Promise<TrainingLog> {
  const startedAt = performance.now();
  return runHead(model, settleHead(model, holdOut(model, samples, options), options), startedAt);
}

/**
 * Fills in defaults and validates values; does not change the model.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleHead(model: AnyModel, samples: SplitSamples, options: TrainHeadOptions): HeadPlan {
  const { initialEpoch = 0, epochs = initialEpoch + 10, schedule = 'cosine' } = options;
  const validated = samples.validation !== undefined;
  const settled = settleOptions({ ...options, epochs, schedule }, { base: model.base, validated });
  const rates = settleRates(options.learningRate ?? settled.optimizer.defaultLearningRate);
  const request = { head: linearHeadOf(model), parts: model.head.parts, samples: samples.train, options, settled };
  return { samples, settled, rates, ...settleSolver(request) };
}

/**
 * Trains a head.
 *
 * @param startedAt - Time of the verb's call, from `performance.now()`.
 */
export async function runHead(model: AnyModel, plan: HeadPlan, startedAt: number): Promise<TrainingLog> {
  const { samples, settled, rates, solver, reason } = plan;
  return whileHeld(settled, async () => {
    await ensureBackend();
    const segments = [segmentNow(settled.initialEpoch, model.head.trunk.weights)];
    const checkpoints = await findCheckpoints('head', settled);
    const run = settleRun(model, { phase: 'head', samples, segments, rates, options: settled, startedAt, reason });
    return solver === undefined ? runTraining(run, checkpoints) : runSolver(run, solver);
  });
}
