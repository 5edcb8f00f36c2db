// Columns of mean 0 and deviation 1, and linear models that are told of the columns as they were.
import type { LinearModel } from './linearFit.ts';

/** How columns are moved and stretched. */
export interface Scale {
  readonly mean: Float64Array;
  /** 1 / size of a column; 0 leaves it out. */
  readonly factor: Float64Array;
}

/** The same for features, of which float32 holds some columns too coarsely. */
export interface FeatureScale extends Scale {
  /** Share of rounding in the size of each column, 0 … 1: what its weights are penalised by beside `l2`. */
  readonly rounding: Float64Array;
}

/** A deviation this small, relative to the mean, is rounding. */
const negligible = 1e-6;

/**
 * What a weight must not enlarge, as shares of the mean of its column and of the size of the other columns. The mean is
 * subtracted by the bias in float32, so it costs logits digits for sure; the layer that made a column may have rounded it by
 * the size of its inputs, which only the other columns tell about, and no more than so much of that is supposed.
 */
const ofMean = 2 ** -9;
const ofOthers = 2 ** -23;
const mostOfOthers = 2 ** -13;
/** Below it the weight itself would not be a number of float32, and numbers of some backends are 0. */
const leastSize = 2 ** -113;
/** Part of the columns, from the smallest on, that counts as of usual size: of the rest some may be huge. */
const usual = 0.75;
/** Deviations this many times as large as what rounds them are left as they are, and those this many times as small left out. */
const clear = 32;
const lost = 64;

/** Numbers that are gone through between two rests. */
const stretch = 2 ** 20;

/**
 * Mean and deviation of each column of values [rows, width], by shares of the rows that sum to 1. A column that does not
 * vary is left out.
 *
 * @param rest - Called from time to time.
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
 * The same for columns that a float32 layer multiplies: a column that varies hardly more than float32 rounds is stretched to
 * less than a deviation of 1, and one that does not vary beyond that is left out. Weights stay so small that what other
 * backends and other orders of summing round differently does not show in the logits.
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

/** Size of the largest of the columns that are not unusually large; columns of zeros do not count. */
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

/** Visits rows by where they begin and by number. */
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

/** The model that gives for columns as they were what a model gives for scaled ones. */
export function forUnscaled({ kernel, bias }: LinearModel, { mean, factor }: Scale): LinearModel {
  const units = bias.length;
  const folded = kernel.map((value, i) => value * (factor[Math.floor(i / units)] ?? 0));
  const moved = bias.slice();
  folded.forEach((value, i) => {
    moved[i % units] = (moved[i % units] ?? 0) - (mean[Math.floor(i / units)] ?? 0) * value;
  });
  return { kernel: folded, bias: moved };
}

/** The model that gives what a model gives, with each unit as it was before it was scaled. */
export function forUnscaledUnits({ kernel, bias }: LinearModel, { mean, factor }: Scale): LinearModel {
  const units = bias.length;
  const stretch = factor.map((each) => (each === 0 ? 0 : 1 / each));
  return {
    kernel: kernel.map((value, i) => value * (stretch[i % units] ?? 0)),
    bias: bias.map((value, unit) => value * (stretch[unit] ?? 0) + (mean[unit] ?? 0)),
  };
}
