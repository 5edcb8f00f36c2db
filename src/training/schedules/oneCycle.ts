// Schedules that rise first.
import { nameErrors } from '../../core/edge.ts';
import { TransferKitError } from '../../core/errors.ts';
import { invalidOption } from '../../core/optionChecks.ts';
import {
  asAdaptive,
  isSchedule,
  assertSpan,
  assertWithin,
  named,
  nameOf,
  stepsIn,
  wrongSetting,
  type AdaptiveSchedule,
  type Schedule,
  type ScheduleFunction,
  type Span,
} from './schedule.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link oneCycle}. */
export interface OneCycleOptions {
  /** Share of the run in which the rate rises, above 0 and below 1. Default 0.25. */
  readonly rise?: number;
  /** Divisor of the given rate at the start, from 1. Default 25. */
  readonly div?: number;
  /** Divisor of the given rate at the end, from 1. Default 1e5. */
  readonly divFinal?: number;
}

/**
 * Rises from `1 / div` to 1 and falls to `1 / divFinal`, both along half a cosine: fastai's `fit_one_cycle`, with its
 * defaults; momentum does not change.
 *
 * Smith, "A disciplined approach to neural network hyper-parameters", 2018; fastai, `callback/schedule.py`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { oneCycle } from 'transferkit/schedules';
 * console.log(oneCycle()(0, 100), oneCycle()(25, 100)); // 0.04 1
 * ```
 */
export function oneCycle(options: OneCycleOptions = {}): ScheduleFunction {
  return nameErrors('oneCycle', () => {
    assertOptions(options, { rise: true, div: true, divFinal: true });
    const { rise = 0.25, div = 25, divFinal = 1e5 } = options;
    if (!(rise > 0 && rise < 1)) throw wrongSetting('rise to be above 0 and below 1', rise);
    assertWithin('div', div, [1, Infinity]);
    assertWithin('divFinal', divFinal, [1, Infinity]);
    const between = (from: number, to: number, share: number) =>
      from + ((to - from) * (1 - Math.cos(Math.PI * Math.min(share, 1)))) / 2;
    return named('oneCycle', { rise, div, divFinal }, (step, total) => {
      const share = step / total;
      return share < rise ? between(1 / div, 1, share / rise) : between(1, 1 / divFinal, (share - rise) / (1 - rise));
    });
  });
}

/** Options of {@link warmUp}. */
export interface WarmUpOptions {
  /** Length of the warm-up: a number of steps, or a share of the run. Default 0.1, a tenth of the run. */
  readonly steps?: Span;
  /** Share of the other schedule's first factor at the start, 0 … 1. Default 0.01. */
  readonly from?: number;
}

/**
 * Rises along a straight line to the first factor of another schedule, which then spans the rest of the run. A schedule
 * that follows figures of epochs, such as `plateau`, sees the epochs of the warm-up too.
 *
 * Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017, section 2.2.
 *
 * @param schedule - The schedule after the warm-up. Its total number of steps is that of the run without the warm-up.
 * @param options - See {@link WarmUpOptions}.
 * @throws TransferKitError `INVALID_OPTION`; the schedule itself raises it for a run that is no longer than the
 * warm-up.
 *
 * @example
 * ```ts
 * import { cosine, warmUp } from 'transferkit/schedules';
 * await trainHead(model, samples, { epochs: 4, schedule: warmUp(cosine(), { steps: 2 }) });
 * ```
 */
export function warmUp(schedule: Schedule, options: WarmUpOptions = {}): AdaptiveSchedule {
  return nameErrors('warmUp', () => {
    assertOptions(options, { steps: true, from: true });
    const { steps = 0.1, from = 0.01 } = options;
    assertSpan('steps', steps);
    assertWithin('from', from, [0, 1]);
    if (!isSchedule(schedule)) throw invalidOption('a schedule, such as cosine()', schedule);
    const behind = asAdaptive(schedule);
    return {
      ...(behind.monitor === undefined ? {} : { monitor: behind.monitor }),
      init: behind.init,
      afterEpoch: (state, epoch) => behind.afterEpoch(state, epoch),
      name: `${nameOf('warmUp', { steps, from })} ${behind.name}`,
      factor(state, step, total) {
        const rising = nameErrors('warmUp', () => risingSteps(steps, total));
        const factor = behind.factor(state, Math.max(0, step - rising), total - rising);
        return step < rising ? factor * (from + ((1 - from) * step) / rising) : factor;
      },
    };
  });
}

/** Number of steps of a warm-up; a share leaves at least one step of the run. */
function risingSteps(span: Span, total: number): number {
  if (span < 1) return Math.min(Math.round(stepsIn(span, total)), total - 1);
  if (span >= total) throw tooLong(span, total);
  return span;
}

function tooLong(rising: number, total: number): TransferKitError {
  const text =
    `expected a run longer than its warm-up, got ${String(rising)} steps of warm-up in a run of ${String(total)}. ` +
    'Warm up for a share of the run, such as steps: 0.1, or train for more epochs.';
  return new TransferKitError('INVALID_OPTION', text, { steps: rising, total });
}
