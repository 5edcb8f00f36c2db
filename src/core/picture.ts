// Pictures and tensors in plain memory: the results of decoding, the input of resizing, the values of samples made from
// tensors.
import type { DataType } from '@tensorflow/tfjs-core';

/**
 * Pixels row by row, values 0..255, with 1 channel (brightness), 3 (red, green, blue) or 4 (red, green, blue, opacity).
 */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Length `width * height * channels`; the number of channels, 1, 3 or 4, follows from it. */
  readonly data: Uint8Array | Uint8ClampedArray | Float32Array;
}

/** The values of a tensor in plain memory, row by row: nothing to dispose, the same on every backend. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly dtype: Exclude<DataType, 'string' | 'complex64'>;
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** How many values each pixel of a picture has. */
export function channelsOf({ width, height, data }: Picture): number {
  return data.length / (width * height);
}

/** Whether a value is a tensor in plain memory. */
export function isHostTensor(value: unknown): value is HostTensor {
  return typeof value === 'object' && value !== null && 'shape' in value && 'dtype' in value && 'values' in value;
}
