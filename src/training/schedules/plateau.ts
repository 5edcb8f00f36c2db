// A schedule that falls when a figure stops improving.
import { nameErrors } from '../../core/edge.ts';
import type { Monitor } from '../../core/logs.ts';
import { isBetter, monitors } from './monitors.ts';
import { assertOneOf, assertWhole } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import { assertWithin, nameOf, wrongSetting, type AdaptiveSchedule } from './schedule.ts';

/** Options of {@link plateau}. */
export interface PlateauOptions {
  /** The figure to follow. Default `'validationLoss'`, or `'loss'` without validation. */
  readonly monitor?: Monitor;
  /** Factor each time, above 0 and below 1. Default 0.1. */
  readonly factor?: number;
  /** Epochs without a better figure before the rate falls, from 1. Default 2, less than the 3 of early stopping. */
  readonly patience?: number;
  /** A figure counts as better if the improvement is larger than this, from 0. Default 1e-4. */
  readonly minDelta?: number;
  /** Number of epochs after a fall that are not counted, from 0. Default 0. */
  readonly cooldown?: number;
  /** Smallest factor, 0 … 1. Default 0. */
  readonly least?: number;
}

/** The same with defaults filled in. */
interface Settings extends Required<Omit<PlateauOptions, 'monitor'>> {
  readonly monitor: Monitor | undefined;
}

/** The state, in this order; `best` is missing before the first epoch. */
interface Memory {
  readonly factor: number;
  readonly waited: number;
  readonly cooling: number;
  readonly best: number | undefined;
}

/**
 * Multiplies the rate by a factor whenever a figure has not improved for some epochs: Keras's `ReduceLROnPlateau`. NaN
 * is no improvement.
 *
 * @throws TransferKitError `INVALID_OPTION`; training raises it too if its epochs do not have the figure of `monitor`.
 *
 * @example
 * ```ts
 * import { plateau } from 'transferkit/schedules';
 * await trainHead(model, samples, { epochs: 4, validation: 0.25, schedule: plateau({ patience: 1 }) });
 * ```
 */
export function plateau(options: PlateauOptions = {}): AdaptiveSchedule {
  return nameErrors('plateau', () => {
    assertOptions(options, {
      monitor: true,
      factor: true,
      patience: true,
      minDelta: true,
      cooldown: true,
      least: true,
    });
    const { factor = 0.1, patience = 2, minDelta = 1e-4, cooldown = 0, least = 0, monitor } = options;
    const settings = { monitor, factor, patience, minDelta, cooldown, least };
    assertSettings(settings);
    const follow = (memory: Memory, value: number): Memory => {
      const cooling = Math.max(0, memory.cooling - 1);
      const counted = { ...memory, cooling, waited: memory.cooling > 0 ? 0 : memory.waited };
      if (isBetter(monitor, value, memory.best, minDelta)) return { ...counted, best: value, waited: 0 };
      if (cooling > 0) return counted;
      const waited = counted.waited + 1;
      if (waited < patience) return { ...counted, waited };
      return { ...counted, factor: Math.max(least, memory.factor * factor), waited: 0, cooling: cooldown };
    };
    return {
      name: nameOf('plateau', settings),
      ...(monitor === undefined ? {} : { monitor }),
      init: [1, 0, 0],
      factor: ([now = 1]) => now,
      afterEpoch([now = 1, waited = 0, cooling = 0, best], epoch) {
        const value = monitor === undefined ? (epoch.validationLoss ?? epoch.loss) : (epoch[monitor] ?? NaN);
        const next = follow({ factor: now, waited, cooling, best }, value);
        return [next.factor, next.waited, next.cooling, ...(next.best === undefined ? [] : [next.best])];
      },
    };
  });
}

function assertSettings({ monitor, factor, patience, minDelta, cooldown, least }: Settings): void {
  if (monitor !== undefined) assertOneOf('monitor', monitor, monitors);
  if (!(factor > 0 && factor < 1)) throw wrongSetting('factor to be above 0 and below 1', factor);
  assertWhole('patience', patience, 1);
  assertWithin('minDelta', minDelta, [0, Infinity]);
  assertWhole('cooldown', cooldown, 0);
  assertWithin('least', least, [0, 1]);
}
