// Options of the verb blend, and the option blend of fineTune.
import { invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import type { Progress, Samples } from '../../core/types.ts';

/** Options of `blend`. */
export interface BlendOptions {
  /** Share of the fine-tuned weights, from 0 to 1: 0 gives the weights of `before`. Default 0.5 without `validation`. */
  readonly alpha?: number;
  /**
   * Samples that choose alpha: the one of 0, 0.25, 0.5, 0.75 and 1 with the lowest loss at the temperature (1 … 6) that
   * suits it; among equal ones the nearest to 0.5, then the lower one. The model is measured five times. Not together with `alpha`.
   */
  readonly validation?: Samples;
  /** Examples run at once. Default 32. */
  readonly batchSize?: number;
  /**
   * Called after every batch of each measurement, and awaited. An error that it throws or rejects with rejects the verb.
   */
  readonly onProgress?: (progress: Progress) => unknown;
}

/** @throws TransferKitError `INVALID_OPTION` unless options are an object with known names. */
export function assertBlendNames(options: BlendOptions): void {
  assertOptions(options, { alpha: true, validation: true, batchSize: true, onProgress: true });
}

/** How the weights before a run are blended with those after it. */
export interface SettledBlend {
  /** Share of the weights after the run. Undefined: validation chooses it. */
  readonly alpha: number | undefined;
}

/** Raises unless a value is a number from 0 to 1. */
export function assertAlpha(name: string, alpha: unknown): asserts alpha is number {
  if (!(typeof alpha === 'number' && alpha >= 0 && alpha <= 1)) {
    throw invalidOption(`${name} to be a number from 0 to 1`, alpha);
  }
}

/**
 * Validates the option.
 *
 * @returns Undefined: the run does not blend.
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleBlend(option: boolean | { readonly alpha: number } = false): SettledBlend | undefined {
  if (option === false) return undefined;
  if (option === true) return { alpha: undefined };
  if (!isObject(option)) throw invalidOption('blend to be true, false or { alpha }', option);
  assertOptions(option, { alpha: true }, { of: 'blend' });
  assertAlpha('blend.alpha', option.alpha);
  return { alpha: option.alpha };
}
