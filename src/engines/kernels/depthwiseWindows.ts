// Runs the depthwise convolutions of the module.
import type { DepthwiseAxis } from './depthwiseAxis.ts';
import type { KernelModule } from './kernelModule.ts';
import { real } from './real.ts';
import { shareWork } from './shareWork.ts';

/**
 * A depthwise convolution, or its gradient with respect to the input. Addresses are of float32 values, channels last.
 */
export interface DepthwiseWindows {
  readonly pictures: number;
  readonly channels: number;
  readonly rows: DepthwiseAxis;
  readonly columns: DepthwiseAxis;
  readonly x: number;
  readonly filter: number;
  /** Number of columns of the whole filter. */
  readonly filterWidth: number;
  /** Address of the initial values of sums, one for each channel; 0 where there are none. */
  readonly bias: number;
  readonly out: number;
  /** Sums are clipped to `low` … `high`. */
  readonly low: number;
  readonly high: number;
  /** Number of the function that follows (functionConstants.ts); 0 for none. */
  readonly functionNumber: number;
}

/** Largest number of phases of an axis: the kernel has words for this many. */
export const mostPhases = 16;

// Offsets of words; assembly/depthwiseParameters.ts has the same numbers.
const columnsOffset = 64;
const functionOffset = 118;

/** Runs the convolution. */
export function runDepthwise(kernels: KernelModule, windows: DepthwiseWindows): void {
  const { pictures, channels, rows, columns, filterWidth } = windows;
  const pixel = channels * 4;
  const { perTask, tasks } = shareWork(pictures * rows.output, (columns.output * channels * tapsOf(windows)) / 4);
  if (tasks === 0) return;
  const { x, filter, bias, out } = windows;
  const words = [x, filter, bias, out, pixel, pictures, perTask, real(windows.low), real(windows.high)];
  writeAxes(words, rows, columns, { pixel, filterWidth });
  words[functionOffset] = windows.functionNumber;
  kernels.run('depthwise', words, tasks);
}

/** Writes the words of both axes to the parameters of the kernel. */
export function writeAxes(
  words: number[],
  rows: DepthwiseAxis,
  columns: DepthwiseAxis,
  { pixel, filterWidth }: { readonly pixel: number; readonly filterWidth: number },
): void {
  words.push(...axisWords(rows, filterWidth * pixel));
  while (words.length < columnsOffset) words.push(0);
  words.push(...axisWords(columns, pixel));
}

/** Number of products for each output. */
function tapsOf({ rows, columns }: DepthwiseWindows): number {
  const mean = ({ phases }: DepthwiseAxis) => phases.reduce((total, { taps }) => total + taps, 0) / phases.length;
  return mean(rows) * mean(columns);
}

function axisWords({ input, output, stride, dilation, tapStep, phases }: DepthwiseAxis, tapBytes: number): number[] {
  const phaseWords = phases.flatMap(({ taps, start, firstTap }) => [taps, start, firstTap * tapBytes]);
  return [input, output, stride, dilation, tapStep * tapBytes, phases.length, ...phaseWords];
}
