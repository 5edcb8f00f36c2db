// The work of fineTune: the head first, if it was never trained; then head and base together.
import type { TrainingLog } from '../../core/logs.ts';
import type { Samples } from '../../core/types.ts';
import { ensureBackend } from '../../engines/backends/ensureBackend.ts';
import type { AnyModel } from '../../model/model.ts';
import type { FineTuneOptions } from '../options/fineTuneOptions.ts';
import type { FineTuneLog } from '../options/plainSettings.ts';
import type { Checkpoints } from '../resume/checkpoints.ts';
import { findCheckpoints, whileHeld } from '../resume/findCheckpoints.ts';
import type { Run } from '../state/plan.ts';
import { assertBlends } from './blendRun.ts';
import { runTraining } from './runTraining.ts';
import { planSegments } from './segments.ts';
import { settleFineTune, type FineTunePlan } from './settleFineTune.ts';
import { settleRun } from './settleRun.ts';
import { runHead } from './trainHeadNow.ts';

/** Does the work of `fineTune` for a verb that already holds the model. */
export async function fineTuneNow(model: AnyModel, samples: Samples, options: FineTuneOptions): Promise<FineTuneLog> {
  const startedAt = performance.now();
  const plan = settleFineTune(model, samples, options);
  return whileHeld(plan.settled, async () => {
    await ensureBackend();
    const checkpoints = await findCheckpoints('fineTune', plan.settled);
    const history = await historyBefore(checkpoints);
    const own = history === undefined ? plan : settleFineTune(model, samples, options, history);
    const log = await fineTuneHeld(model, { ...own, checkpoints, startedAt });
    return { ...log, ...own.chosen };
  });
}

/** Logs of the training before the run that is resumed, if one is. */
async function historyBefore(checkpoints: Checkpoints | undefined): Promise<readonly TrainingLog[] | undefined> {
  const found = checkpoints?.peek();
  if (found === undefined) return undefined;
  const { historyOf } = await import('../resume/restart.ts');
  return historyOf(found);
}

interface HeldPlan extends FineTunePlan {
  readonly checkpoints: Checkpoints | undefined;
  /** From `performance.now()`. */
  readonly startedAt: number;
}

async function fineTuneHeld(model: AnyModel, plan: HeldPlan): Promise<TrainingLog> {
  const { settled, unfreeze, head, checkpoints, ...planned } = plan;
  const restore = rememberFrozen(model);
  try {
    const segments = planSegments(model, unfreeze, settled);
    // Layers that cannot be trained are refused before the head is trained.
    const run = settleRun(model, { phase: 'fineTune', segments, options: settled, ...planned });
    const resumes = checkpoints?.resumes === true;
    const newHead = !resumes && hasNewHead(run) ? head : undefined;
    assertBlends(run, resumes || newHead !== undefined);
    if (newHead !== undefined) {
      const log = await runHead(model, newHead, plan.startedAt);
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
