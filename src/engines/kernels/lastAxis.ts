// Kernels that compute along the last axis: a row for each place on the other axes.
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { isFloat } from './convolutionShape.ts';
import { shareWork, type Share } from './shareWork.ts';

/** The rows of a tensor, divided into tasks. */
interface Rows extends Share {
  readonly channels: number;
  readonly rows: number;
}

/** Whether a tensor has rows of numbers. */
export function isRows(x: TensorInfo | undefined): x is TensorInfo {
  return isFloat(x) && x.shape.length > 0 && util.sizeFromShape(x.shape) > 0;
}

/** Divides the rows of a tensor into tasks. */
export function divideRows({ shape }: TensorInfo): Rows {
  const channels = shape.at(-1) ?? 1;
  const rows = util.sizeFromShape(shape) / channels;
  return { channels, rows, ...shareWork(rows, channels) };
}
