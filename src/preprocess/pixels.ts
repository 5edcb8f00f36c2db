// Pixels that come as numbers (tensors, pictures in memory) checked and brought to RGB. Decodes nothing, resizes nothing.
import type { Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import type { HostTensor, Picture } from '../core/picture.ts';
import { describeShape } from '../core/shapes.ts';
import type { ImageMode } from '../core/model.ts';
import { describeMode, rangeOf } from './scale.ts';

type Pixels = Picture['data'] | Int32Array;

/**
 * A tensor [height, width, 1, 3 or 4] with values 0..255 as a picture. The tensor stays the caller's.
 *
 * @throws TransferKitError `WRONG_SHAPE`, `WRONG_DTYPE`, `NOT_FINITE`, `OUT_OF_RANGE`, `DISPOSED`.
 */
export async function pictureFromTensor(tensor: Tensor, mode: ImageMode): Promise<Picture> {
  if (tensor.isDisposed) {
    const text = 'imagePreprocessor: expected a live tensor, got one that is disposed. Dispose it after use.';
    throw new TransferKitError('DISPOSED', text, { shape: tensor.shape });
  }
  const { dtype, shape } = tensor;
  if (dtype !== 'float32' && dtype !== 'int32') throw wrongType(dtype);
  return pictureFromValues(shape, await tensor.data<typeof dtype>(), mode);
}

/**
 * Values [height, width, 1, 3 or 4] in plain memory as a picture.
 *
 * @throws TransferKitError `WRONG_SHAPE`, `WRONG_DTYPE`, `NOT_FINITE`, `OUT_OF_RANGE`.
 */
export function pictureFromHostTensor({ shape, dtype, values }: HostTensor, mode: ImageMode): Picture {
  if (dtype !== 'float32' && dtype !== 'int32') throw wrongType(dtype);
  return pictureFromValues(shape, values, mode);
}

/**
 * A picture in memory, checked. Besides RGB it may be RGBA, as a canvas gives it, or gray: told by the length.
 *
 * @throws TransferKitError `WRONG_SHAPE`, `NOT_FINITE`, `OUT_OF_RANGE`.
 */
export function pictureFromPixels({ width, height, data }: Picture, mode: ImageMode): Picture {
  return pictureFromValues([height, width, data.length / (width * height)], data, mode);
}

function pictureFromValues(shape: readonly number[], values: Pixels, mode: ImageMode): Picture {
  const [height, width, channels] = shape;
  if (shape.length !== 3 || !height || !width || (channels !== 1 && channels !== 3 && channels !== 4)) {
    const hint =
      shape.length === 4 && shape[0] === 1
        ? ' Take the batch axis off: tf.squeeze(tensor, [0]).'
        : ' Give one picture at a time.';
    const text = `imagePreprocessor: expected pixels [height, width, 1, 3 or 4], got ${describeShape(shape)}.${hint}`;
    throw new TransferKitError('WRONG_SHAPE', text, { shape });
  }
  if (!(values instanceof Uint8Array || values instanceof Uint8ClampedArray)) assertPixelValues(values, mode);
  if (channels === 3) return { width, height, data: values instanceof Int32Array ? Float32Array.from(values) : values };
  const pixels = width * height;
  return { width, height, data: channels === 1 ? fromGray(values, pixels) : flattenOnWhite(values, pixels) };
}

/** Raises for values that cannot be pixels 0..255, and for fractions that show that they are scaled already. */
function assertPixelValues(values: Float32Array | Int32Array, mode: ImageMode): void {
  let smallest = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  let whole = true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (!Number.isFinite(value)) throw notFinite(value, i);
    if (value < smallest) smallest = value;
    if (value > largest) largest = value;
    if (whole && value !== Math.trunc(value)) whole = false;
  }
  const scaled = smallest >= -1 && largest <= 1 && (smallest < 0 || !whole);
  if (scaled || smallest < 0 || largest > 255) throw outOfRange(smallest, largest, scaled, mode);
}

function notFinite(value: number, index: number): TransferKitError {
  const text = `imagePreprocessor: expected finite pixel values 0..255, got ${String(value)} at position ${String(index)}.`;
  return new TransferKitError('NOT_FINITE', `${text} Check how the pixels were computed.`, { value, index });
}

function outOfRange(smallest: number, largest: number, scaled: boolean, mode: ImageMode): TransferKitError {
  const came = `${round(smallest)}..${round(largest)}`;
  const [low, high] = rangeOf(mode);
  const expected = `raw pixel values 0..255 (mode ${describeMode(mode)} scales them to ${round(low)}..${round(high)} itself)`;
  const advice = !scaled
    ? 'Bring the values to 0..255 first.'
    : `They look scaled already: ${smallest < 0 ? 'give (x + 1) * 127.5' : 'multiply by 255'}, or use tensorPreprocessor ` +
      "(loadBase's preprocess: { kind: 'tensor' }) to pass them as they are.";
  const text = `imagePreprocessor: expected ${expected}, got values in ${came}. ${advice}`;
  return new TransferKitError('OUT_OF_RANGE', text, {
    got: [smallest, largest],
    expected: [0, 255],
    scaledTo: [low, high],
  });
}

function wrongType(dtype: string): TransferKitError {
  const text = `imagePreprocessor: expected pixels of type float32 or int32, got ${dtype}. Convert it: tf.cast(tensor, 'float32').`;
  return new TransferKitError('WRONG_DTYPE', text, { dtype });
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function fromGray(values: Pixels, pixels: number): Float32Array {
  const data = new Float32Array(pixels * 3);
  for (let i = 0; i < pixels; i++) data.fill(values[i] ?? 0, i * 3, i * 3 + 3);
  return data;
}

/** What is transparent becomes white, as in decoded files. */
function flattenOnWhite(values: Pixels, pixels: number): Float32Array {
  const data = new Float32Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    const opacity = (values[i * 4 + 3] ?? 255) / 255;
    for (let channel = 0; channel < 3; channel++) {
      data[i * 3 + channel] = 255 + ((values[i * 4 + channel] ?? 255) - 255) * opacity;
    }
  }
  return data;
}
