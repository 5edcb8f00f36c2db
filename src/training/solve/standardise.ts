// Standardises columns to mean 0 and deviation 1, and converts linear models of standardised columns to models of the
// original ones.
import type { LinearModel } from './linearFit.ts';

/** Shift and factor of each column. */
export interface Scale {
  readonly mean: Float64Array;
  /** 1 / size of a column; 0 leaves it out. */
  readonly factor: Float64Array;
}

/** The scale of features, with the precision that float32 leaves to each column. */
export interface FeatureScale extends Scale {
  /**
   * Relative rounding error of each column, 0 … 1. It is an additional penalty on the column's weights, besides `l2`.
   */
  readonly rounding: Float64Array;
}

/** A deviation below this, relative to the mean, is rounding. */
const negligible = 1e-6;

/**
 * Estimates of rounding errors that a weight must not enlarge: relative to the mean of its column, and to the size of
 * the other columns. The bias subtracts the mean in float32, which always costs digits of the logits. The layer that
 * computed a column may also have rounded it by the size of its inputs. These are unknown: the other columns give an
 * estimate, which is limited.
 */
const ofMean = 2 ** -9;
const ofOthers = 2 ** -23;
const mostOfOthers = 2 ** -13;
/**
 * Minimum size of a column: the weights of smaller ones would exceed float32, or some backends would treat the column
 * as 0.
 */
const leastSize = 2 ** -113;
/** Share of the columns, from the smallest on, that determines the usual size: some of the others may be huge. */
const usual = 0.75;
/**
 * A column is unchanged if its deviation is this many times its rounding error. It is left out if its rounding error is
 * this many times its deviation.
 */
const clear = 32;
const lost = 64;

/** Number of values between two calls of `rest`. */
const stretch = 2 ** 20;

/**
 * Mean and deviation of each column of values [rows, width], weighted by shares of the rows that sum to 1. A constant
 * column is left out.
 *
 * @param rest - Called regularly, and awaited.
 */
export async function scaleOf(
  values: Float32Array,
  width: number,
  shares: Float64Array,
  rest: () => Promise<void>,
): Promise<Scale> {
  const { mean, deviation } = await momentsOf(values, width, shares, rest);
  const factor = deviation.map((each, i) => (each > negligible * Math.abs(mean[i] ?? 0) ? 1 / each : 0));
  return { mean, factor };
}

/**
 * The same for columns that a float32 layer multiplies. A column that varies hardly more than float32 rounds is scaled
 * to less than a deviation of 1, and a column that varies less than that is left out. Weights stay so small that
 * rounding differences of other backends and other orders of summation do not show in the logits.
 */
export async function featureScaleOf(
  values: Float32Array,
  width: number,
  shares: Float64Array,
  rest: () => Promise<void>,
): Promise<FeatureScale> {
  const { mean, deviation } = await momentsOf(values, width, shares, rest);
  const others = Math.min(ofOthers * usualSize(mean, deviation), mostOfOthers);
  const factor = new Float64Array(width);
  const rounding = new Float64Array(width);
  for (let i = 0; i < width; i++) {
    const own = deviation[i] ?? 0;
    const rounded = Math.max(ofMean * Math.abs(mean[i] ?? 0), others, leastSize);
    if (own * lost <= rounded) continue;
    const extra = Math.max(0, rounded ** 2 - (own / clear) ** 2);
    const size = own ** 2 + extra;
    factor[i] = 1 / Math.sqrt(size);
    rounding[i] = extra / size;
  }
  return { mean, factor, rounding };
}

/** Largest size of the columns that are not unusually large. Columns of zeros do not count. */
function usualSize(mean: Float64Array, deviation: Float64Array): number {
  const sizes = mean.map((each, i) => Math.hypot(each, deviation[i] ?? 0)).filter((size) => size > 0);
  return sizes.sort()[Math.floor(usual * sizes.length)] ?? 0;
}

async function momentsOf(values: Float32Array, width: number, shares: Float64Array, rest: () => Promise<void>) {
  const mean = new Float64Array(width);
  const variance = new Float64Array(width);
  await eachRow(values, width, rest, (at, row) => {
    const share = shares[row] ?? 0;
    for (let i = 0; i < width; i++) mean[i] = (mean[i] ?? 0) + share * (values[at + i] ?? 0);
  });
  await eachRow(values, width, rest, (at, row) => {
    const share = shares[row] ?? 0;
    for (let i = 0; i < width; i++) {
      variance[i] = (variance[i] ?? 0) + share * ((values[at + i] ?? 0) - (mean[i] ?? 0)) ** 2;
    }
  });
  return { mean, deviation: variance.map(Math.sqrt) };
}

/** Scales values [rows, width] in place. */
export async function applyScale(
  values: Float32Array,
  { mean, factor }: Scale,
  rest: () => Promise<void>,
): Promise<void> {
  const width = mean.length;
  await eachRow(values, width, rest, (at) => {
    for (let i = 0; i < width; i++) values[at + i] = ((values[at + i] ?? 0) - (mean[i] ?? 0)) * (factor[i] ?? 0);
  });
}

/** Visits rows with their offset and number. */
async function eachRow(
  values: Float32Array,
  width: number,
  rest: () => Promise<void>,
  visit: (at: number, row: number) => void,
): Promise<void> {
  const together = Math.max(1, Math.floor(stretch / width));
  for (let row = 0; row * width < values.length; row++) {
    visit(row * width, row);
    if (row % together === together - 1) await rest();
  }
}

/** Converts a model of standardised columns to a model of the original columns with the same outputs. */
export function forUnscaled({ kernel, bias }: LinearModel, { mean, factor }: Scale): LinearModel {
  const units = bias.length;
  const folded = kernel.map((value, i) => value * (factor[Math.floor(i / units)] ?? 0));
  const moved = bias.slice();
  folded.forEach((value, i) => {
    moved[i % units] = (moved[i % units] ?? 0) - (mean[Math.floor(i / units)] ?? 0) * value;
  });
  return { kernel: folded, bias: moved };
}

/** Converts a model of standardised units to a model of the original units. */
export function forUnscaledUnits({ kernel, bias }: LinearModel, { mean, factor }: Scale): LinearModel {
  const units = bias.length;
  const stretch = factor.map((each) => (each === 0 ? 0 : 1 / each));
  return {
    kernel: kernel.map((value, i) => value * (stretch[i % units] ?? 0)),
    bias: bias.map((value, unit) => value * (stretch[unit] ?? 0) + (mean[unit] ?? 0)),
  };
}
