// Columns of mean 0 and deviation 1, and linear models that are told of the columns as they were.
import type { LinearModel } from './linearFit.ts';

/** How columns are moved and stretched. */
export interface Scale {
  readonly mean: Float64Array;
  /** 1 / standard deviation; 0 leaves a column out. */
  readonly factor: Float64Array;
}

/** A deviation this small, relative to the mean, is rounding. */
const negligible = 1e-6;

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
  const factor = variance.map((each, i) => {
    const deviation = Math.sqrt(each);
    return deviation > negligible * Math.abs(mean[i] ?? 0) ? 1 / deviation : 0;
  });
  return { mean, factor };
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
