// Which weights a run ends with: those of the best epoch, the averages, or the last ones.
import type { EpochLog } from '../../core/logs.ts';
import type { TrunkWeight } from '../../core/types.ts';
import type { Run } from '../state/plan.ts';
import { takeSnapshot } from '../state/snapshot.ts';
import type { TrainingState } from '../state/trainingState.ts';
import type { StartFigures, Watch } from '../state/watch.ts';

/**
 * Whether the initial weights are to be measured. Keras's callbacks do not measure them, but users expect it of the
 * best model. Those of a head that was never trained are not measured: they are not worth restoring.
 */
export function needsStartFigures({ model }: Run, { clock, before, watch }: TrainingState): boolean {
  return clock.steps === 0 && before === undefined && watch.weighsStart && model.head.trained;
}

/** Passes the figures of the initial weights to the watch. */
export function observeStart(run: Run, state: TrainingState, before: StartFigures): void {
  state.before = before;
  const isKept = state.watch.observeStart(run.options.initialEpoch - 1, before);
  if (isKept) state.watch.keep(takeSnapshot(changedIn(run)));
}

/** Passes the figures of an epoch to schedule and watch. */
export async function observeEpoch(run: Run, state: TrainingState, epoch: EpochLog): Promise<void> {
  const schedule = run.options.schedule.afterEpoch(state.clock.schedule, epoch);
  state.clock = { ...state.clock, schedule };
  if (!state.watch.observe(epoch)) return;
  const take = () => takeSnapshot(changedIn(run));
  state.watch.keep(await (endsWithAverages(run) ? withAverages(state, take) : take()));
}

/** Runs a function with the weights that are validated: the averages, if there are any. */
export async function withAverages<T>({ averages }: TrainingState, work: () => T | Promise<T>): Promise<T> {
  return averages === undefined ? work() : averages.during(work);
}

/** Writes the final weights of the run into the model. */
export function writeFinalWeights(run: Run, { watch, averages }: TrainingState): ReturnType<Watch['finish']> {
  const best = watch.finish();
  if (best?.restored !== true && endsWithAverages(run)) averages?.write();
  return best;
}

/** Weights that change in any segment of the run. */
function changedIn({ segments }: Run): readonly TrunkWeight[] {
  return [...new Set(segments.flatMap(({ trainable, statistics }) => [...trainable, ...statistics]))];
}

function endsWithAverages({ options }: Run): boolean {
  return options.ema?.keep === 'averages';
}
