// A schedule that falls when a figure does not get better.
import type { EpochLog, Monitor } from '../core/types.ts';
import { assertWithin, wrongSetting, type AdaptiveSchedule } from './schedule.ts';

/** Options of {@link reduceOnPlateau}. */
export interface ReduceOnPlateauOptions {
  /** The figure to follow. Default `'validationLoss'`, or `'loss'` where nothing is validated. */
  readonly monitor?: Monitor;
  /** Factor each time, above 0 and below 1. Default 0.1. */
  readonly factor?: number;
  /** Epochs without a better figure before the rate falls, from 1. Default 3. */
  readonly patience?: number;
  /** A figure is better when it is so by more than this, from 0. Default 1e-4. */
  readonly minDelta?: number;
  /** Epochs after a fall in which none is counted, from 0. Default 0. */
  readonly cooldown?: number;
  /** Factor below which it does not fall, 0 … 1. Default 0. */
  readonly least?: number;
}

/** What is remembered, in this order; `best` is missing before the first epoch. */
interface Memory {
  readonly factor: number;
  readonly waited: number;
  readonly cooling: number;
  readonly best: number | undefined;
}

/**
 * Multiplies the rate by a factor whenever a figure has not become better for some epochs: Keras's `ReduceLROnPlateau`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { reduceOnPlateau } from 'transferkit';
 * await trainHead(model, samples, { epochs: 4, validation: 0.25, schedule: reduceOnPlateau({ patience: 1 }) });
 * ```
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions = {}): AdaptiveSchedule {
  const { factor = 0.1, patience = 3, minDelta = 1e-4, cooldown = 0, least = 0, monitor } = options;
  if (!(factor > 0 && factor < 1)) throw wrongSetting('reduceOnPlateau', 'factor to be above 0 and below 1', factor);
  if (!Number.isInteger(patience)) throw wrongSetting('reduceOnPlateau', 'patience to be a whole number', patience);
  if (!Number.isInteger(cooldown)) throw wrongSetting('reduceOnPlateau', 'cooldown to be a whole number', cooldown);
  assertWithin('reduceOnPlateau', 'patience', patience, [1, Infinity]);
  assertWithin('reduceOnPlateau', 'minDelta', minDelta, [0, Infinity]);
  assertWithin('reduceOnPlateau', 'cooldown', cooldown, [0, Infinity]);
  assertWithin('reduceOnPlateau', 'least', least, [0, 1]);
  const isBetter = (value: number, best: number | undefined) =>
    best === undefined ||
    (monitor?.toLowerCase().endsWith('accuracy') === true ? value > best + minDelta : value < best - minDelta);
  const follow = (memory: Memory, value: number): Memory => {
    const cooling = Math.max(0, memory.cooling - 1);
    const counted = { ...memory, cooling, waited: memory.cooling > 0 ? 0 : memory.waited };
    if (isBetter(value, memory.best)) return { ...counted, best: value, waited: 0 };
    if (cooling > 0) return counted;
    const waited = counted.waited + 1;
    if (waited < patience) return { ...counted, waited };
    return { ...counted, factor: Math.max(least, memory.factor * factor), waited: 0, cooling: cooldown };
  };
  return {
    name: 'reduceOnPlateau',
    init: [1, 0, 0],
    factor: ([now = 1]) => now,
    afterEpoch([now = 1, waited = 0, cooling = 0, best], epoch) {
      const value = figureOf(epoch, monitor);
      if (value === undefined) return [now, waited, cooling, ...(best === undefined ? [] : [best])];
      const next = follow({ factor: now, waited, cooling, best }, value);
      return [next.factor, next.waited, next.cooling, ...(next.best === undefined ? [] : [next.best])];
    },
  };
}

function figureOf(epoch: EpochLog, monitor: Monitor | undefined): number | undefined {
  const value = monitor === undefined ? (epoch.validationLoss ?? epoch.loss) : epoch[monitor];
  return value === undefined || Number.isNaN(value) ? undefined : value;
}
