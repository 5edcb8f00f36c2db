// Pictures and tensors in plain memory: what decoding gives, what resizing works on, what samples made of tensors hand out.
import type { DataType } from '@tensorflow/tfjs-core';

/** Pixels in RGB order, row by row, values 0..255. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Length `width * height * 3`. */
  readonly data: Uint8Array | Uint8ClampedArray | Float32Array;
}

/** The values of a tensor in plain memory, row by row: nothing to dispose, the same on every backend. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly dtype: Exclude<DataType, 'string' | 'complex64'>;
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** Whether a value is a tensor in plain memory. */
export function isHostTensor(value: unknown): value is HostTensor {
  return typeof value === 'object' && value !== null && 'shape' in value && 'dtype' in value && 'values' in value;
}
