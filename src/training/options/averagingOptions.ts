// Options of exponential moving averages of weights, and their checks.
import { assertOneOf, assertShare, invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/**
 * Options of exponential moving averages: `average = decay · average + (1 - decay) · weight` after every step, starting
 * with the weight after its first step, as Keras's `use_ema` (Polyak and Juditsky, "Acceleration of Stochastic
 * Approximation by Averaging", 1992).
 */
export interface AveragingOptions {
  /** Share of the average that is kept, from 0 to below 1. Default 0.99, as in Keras: about the last hundred steps. */
  readonly decay?: number;
  /**
   * Weights of the model at the end: the averages or the trained weights. Validation, best epoch and early stopping use
   * the averages in either case. Default `'averages'`.
   */
  readonly keep?: 'averages' | 'weights';
}

/** Validated options, with all defaults filled in. */
export type SettledAveraging = Required<AveragingOptions>;

/**
 * Validates options and fills in defaults.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleAveraging(ema: boolean | AveragingOptions | undefined = false): SettledAveraging | undefined {
  if (ema === false) return undefined;
  if (ema !== true && !isObject(ema)) throw invalidOption('ema to be true, false or { decay, keep }', ema);
  if (ema !== true) assertOptions(ema, { decay: true, keep: true }, { of: 'ema' });
  const { decay = 0.99, keep: kept = 'averages' } = ema === true ? {} : ema;
  assertShare('ema.decay', decay);
  assertOneOf('ema.keep', kept, ['averages', 'weights']);
  return { decay, keep: kept };
}
