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

/**
 * Mean and deviation of each column of values [rows, width], by shares of the rows that sum to 1. A column that does not
 * vary is left out.
 */
export function scaleOf(values: Float32Array, width: number, shares: Float64Array): Scale {
  const mean = new Float64Array(width);
  const variance = new Float64Array(width);
  shares.forEach((share, row) => {
    for (let i = 0; i < width; i++) mean[i] = (mean[i] ?? 0) + share * (values[row * width + i] ?? 0);
  });
  shares.forEach((share, row) => {
    for (let i = 0; i < width; i++) {
      variance[i] = (variance[i] ?? 0) + share * ((values[row * width + i] ?? 0) - (mean[i] ?? 0)) ** 2;
    }
  });
  const factor = variance.map((each, i) => {
    const deviation = Math.sqrt(each);
    return deviation > negligible * Math.abs(mean[i] ?? 0) ? 1 / deviation : 0;
  });
  return { mean, factor };
}

/** Scales values [rows, width] in place. */
export function applyScale(values: Float32Array, { mean, factor }: Scale): void {
  const width = mean.length;
  for (let at = 0; at < values.length; at += width) {
    for (let i = 0; i < width; i++) values[at + i] = ((values[at + i] ?? 0) - (mean[i] ?? 0)) * (factor[i] ?? 0);
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
