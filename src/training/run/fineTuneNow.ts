// The work of fineTune: the head first, if it was never trained; then head and base together.
import type { TrainingLog } from '../../core/logs.ts';
import { assertWhole } from '../../core/optionChecks.ts';
import type { Samples } from '../../core/types.ts';
import { ensureBackend } from '../../engines/backends/ensureBackend.ts';
import type { AnyModel } from '../../model/model.ts';
import { headOptions, type FineTuneOptions } from '../options/fineTuneOptions.ts';
import { settleOptions, type SettledOptions } from '../options/options.ts';
import { settleRates, type SettledRates } from '../options/rates.ts';
import { usualRates } from '../options/usualRates.ts';
import { findCheckpoints, whileHeld } from '../resume/findCheckpoints.ts';
import type { Run } from '../state/plan.ts';
import { runTraining } from './runTraining.ts';
import { planSegments } from './segments.ts';
import { settleRun } from './settleRun.ts';
import { trainHeadNow } from './trainHeadNow.ts';

/**
 * Fills in defaults and validates values; does not change the model.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleFineTune(
  model: AnyModel,
  samples: Samples,
  options: FineTuneOptions,
): { readonly settled: SettledOptions; readonly rates: SettledRates } {
  const { learningRate, layerDecay, headEpochs } = options;
  const settled = settleOptions(options, { epochs: 5, schedule: 'oneCycle' }, model);
  const rates = settleRates(learningRate ?? usualRates(samples, settled), layerDecay);
  if (headEpochs !== undefined) assertWhole('headEpochs', headEpochs, 0);
  return { settled, rates };
}

/** Does the work of `fineTune` for a verb that already holds the model. */
export async function fineTuneNow(model: AnyModel, samples: Samples, options: FineTuneOptions): Promise<TrainingLog> {
  const startedAt = performance.now();
  const { settled, rates } = settleFineTune(model, samples, options);
  return whileHeld(settled, () => fineTuneHeld(model, samples, { options, settled, rates, startedAt }));
}

interface FineTunePlan {
  readonly options: FineTuneOptions;
  readonly settled: SettledOptions;
  readonly rates: SettledRates;
  /** From `performance.now()`. */
  readonly startedAt: number;
}

async function fineTuneHeld(model: AnyModel, samples: Samples, plan: FineTunePlan): Promise<TrainingLog> {
  const { options, settled, rates, startedAt } = plan;
  await ensureBackend();
  const checkpoints = await findCheckpoints('fineTune', settled);
  const restore = rememberFrozen(model);
  try {
    const segments = planSegments(model, options.unfreeze, settled);
    // Layers that cannot be trained are refused before the head is trained.
    const run = settleRun(model, samples, { phase: 'fineTune', segments, rates, options: settled, startedAt });
    if (checkpoints?.resumes !== true && options.headEpochs !== 0 && hasNewHead(run)) {
      const log = await trainHeadNow(model, samples, headOptions(options));
      if (log.stoppedBy === 'signal') return log;
    }
    return await runTraining(run, checkpoints);
  } catch (error) {
    restore();
    throw error;
  }
}

/** Whether the run trains a head that was never trained. */
function hasNewHead({ model: { head }, segments: [first] }: Run): boolean {
  return !head.trained && first?.trainable.some((weight) => head.trunk.weights.includes(weight)) === true;
}

/** Remembers the freeze state; the returned function restores it. */
function rememberFrozen({ base, head }: AnyModel): () => void {
  const before = [...base.trunk.weights, ...head.trunk.weights].map((weight) => ({ weight, frozen: weight.frozen }));
  return () => {
    for (const { weight, frozen } of before) weight.frozen = frozen;
  };
}
