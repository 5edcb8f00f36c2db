// Checks pixels given as numbers (tensors, pictures in memory) and converts them to the channels of a base. It neither
// decodes nor resizes.
import type { Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import type { HostTensor, Picture } from '../../core/picture.ts';
import type { Channels } from '../../core/pictureLimits.ts';
import { describeShape } from '../../core/shapes.ts';
import type { ImageSpec } from '../../model/model.ts';
import { describeMode, rangeOf } from './scale.ts';

/** The input that the base takes. */
type Wanted = Pick<ImageSpec, 'mode' | 'channels'>;
type Pixels = Picture['data'] | Int32Array;

/**
 * Converts a tensor [height, width, 1, 3 or 4] with values 0..255 to a picture. The caller keeps the tensor.
 *
 * @throws TransferKitError `WRONG_SHAPE`, `WRONG_DTYPE`, `NOT_FINITE`, `OUT_OF_RANGE`, `DISPOSED`.
 */
export async function pictureFromTensor(tensor: Tensor, wanted: Wanted): Promise<Picture> {
  if (tensor.isDisposed) {
    const text = 'expected a live tensor, got one that is disposed. Dispose it after use.';
    throw new TransferKitError('DISPOSED', text, { shape: tensor.shape });
  }
  const { dtype, shape } = tensor;
  if (dtype !== 'float32' && dtype !== 'int32') throw wrongType(dtype);
  return pictureFromValues(shape, await tensor.data<typeof dtype>(), wanted);
}

/**
 * Converts values [height, width, 1, 3 or 4] in plain memory to a picture.
 *
 * @throws TransferKitError `WRONG_SHAPE`, `WRONG_DTYPE`, `NOT_FINITE`, `OUT_OF_RANGE`.
 */
export function pictureFromHostTensor({ shape, dtype, values }: HostTensor, wanted: Wanted): Picture {
  if (dtype !== 'float32' && dtype !== 'int32') throw wrongType(dtype);
  return pictureFromValues(shape, values, wanted);
}

/**
 * Checks a picture in memory. Besides RGB it may be RGBA, as from a canvas, or gray, which its length shows.
 *
 * @throws TransferKitError `WRONG_SHAPE`, `NOT_FINITE`, `OUT_OF_RANGE`.
 */
export function pictureFromPixels({ width, height, data }: Picture, wanted: Wanted): Picture {
  return pictureFromValues([height, width, data.length / (width * height)], data, wanted);
}

function pictureFromValues(shape: readonly number[], values: Pixels, wanted: Wanted): Picture {
  const [height, width, channels] = shape;
  if (
    shape.length !== 3 ||
    !isCount(height) ||
    !isCount(width) ||
    (channels !== 1 && channels !== 3 && channels !== 4)
  ) {
    const hint =
      shape.length === 4 && shape[0] === 1
        ? ' Take the batch axis off: tf.squeeze(tensor, [0]).'
        : ' Give one picture at a time.';
    const text = `expected pixels [height, width, 1, 3 or 4], got ${describeShape(shape)}.${hint}`;
    throw new TransferKitError('WRONG_SHAPE', text, { shape });
  }
  if (!(values instanceof Uint8Array || values instanceof Uint8ClampedArray)) assertPixelValues(values, wanted);
  const pixels = width * height;
  return { width, height, data: inChannels(values, pixels, channels, wanted.channels ?? 3) };
}

function isCount(size: number | undefined): size is number {
  return size !== undefined && Number.isInteger(size) && size > 0;
}

/** For a base with one channel, colours are kept: resizing converts them to brightness. */
function inChannels(values: Pixels, pixels: number, given: 1 | 3 | 4, wanted: Channels): Picture['data'] {
  if (given === wanted || (wanted === 1 && given === 3)) {
    return values instanceof Int32Array ? Float32Array.from(values) : values;
  }
  if (wanted === 4) return withOpacity(values, pixels, given);
  return given === 1 ? fromGray(values, pixels) : flattenOnWhite(values, pixels);
}

/** Raises for values that cannot be pixels 0..255, and for fractions, which show that they are already scaled. */
function assertPixelValues(values: Float32Array | Int32Array, wanted: Wanted): void {
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
  if (scaled || smallest < 0 || largest > 255) throw outOfRange(smallest, largest, scaled, wanted);
}

function notFinite(value: number, index: number): TransferKitError {
  const text = `expected finite pixel values 0..255, got ${String(value)} at position ${String(index)}.`;
  return new TransferKitError('NOT_FINITE', `${text} Check how the pixels were computed.`, { value, index });
}

function outOfRange(smallest: number, largest: number, scaled: boolean, { mode, channels }: Wanted): TransferKitError {
  const came = `${round(smallest)}..${round(largest)}`;
  const [low, high] = rangeOf(mode, channels);
  const expected = `raw pixel values 0..255 (mode ${describeMode(mode)} scales them to ${round(low)}..${round(high)} itself)`;
  const advice = !scaled
    ? 'Bring the values to 0..255 first.'
    : `They look scaled already: ${smallest < 0 ? 'give (x + 1) * 127.5' : 'multiply by 255'}, or use tensorPreprocessor ` +
      "(loadBase's preprocess: { kind: 'tensor' }) to pass them as they are.";
  const text = `expected ${expected}, got values in ${came}. ${advice}`;
  return new TransferKitError('OUT_OF_RANGE', text, {
    got: [smallest, largest],
    expected: [0, 255],
    scaledTo: [low, high],
  });
}

function wrongType(dtype: string): TransferKitError {
  const text = `expected pixels of type float32 or int32, got ${dtype}. Convert it: tf.cast(tensor, 'float32').`;
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

/** Adds an opacity of 255 to gray or colours. */
function withOpacity(values: Pixels, pixels: number, given: 1 | 3 | 4): Float32Array {
  const data = new Float32Array(pixels * 4).fill(255);
  for (let i = 0; i < pixels; i++) {
    for (let channel = 0; channel < 3; channel++) {
      data[i * 4 + channel] = values[i * given + (given === 1 ? 0 : channel)] ?? 0;
    }
  }
  return data;
}

/** Blends transparent pixels with white, as in decoded files. */
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
