// The preprocessor of pictures: decode, fit, resize, scale. The arithmetic is in fit, resize and scale; the platform
// decodes.
import { nameErrors } from '../../core/edge.ts';
import { Tensor, tensor3d, type Tensor3D } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import { TransferKitError } from '../../core/errors.ts';
import { addWriter } from '../../model/inputWriter.ts';
import { nearestNames } from '../../core/names.ts';
import { invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions, type NamesOf } from '../../core/optionNames.ts';
import { channelsOf, isHostTensor, type HostTensor, type Picture } from '../../core/picture.ts';
import { settleLimits, type PictureLimits, type SettledLimits } from '../../core/pictureLimits.ts';
import type { ImageSpec, Preprocessor } from '../../model/model.ts';
import { kindOf, shown } from '../../core/shown.ts';
import { pictureRegion } from './fit.ts';
import { writeLuma } from './luma.ts';
import { pictureFromHostTensor, pictureFromPixels, pictureFromTensor } from './pixels.ts';
import { planResize } from './resize.ts';
import { assertMode, assertModeNames, scalingOf } from './scale.ts';
import { loadResize } from './simdResize.ts';

/**
 * An element of a page, or anything else with pixels that a browser can draw: an image, canvas or video element, an
 * OffscreenCanvas or ImageBitmap; a VideoFrame; an SVG image element.
 */
export type PictureElement =
  | { readonly width: number; readonly height: number }
  | { readonly displayWidth: number; readonly displayHeight: number }
  | { readonly href: { readonly baseVal: string } };

/** An object that returns its encoded bytes: a Blob or a File. */
export interface BytesSource {
  readonly size: number;
  readonly type: string;
  /** All bytes. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * A picture in any form: a path (Node) or address; a URL; encoded bytes (JPEG, PNG, WebP, GIF, AVIF) as Uint8Array,
 * ArrayBuffer, Blob or File; a tensor [height, width, 1, 3 or 4] with values 0..255, live or in plain memory; pixels in
 * memory, such as ImageData; in a browser also an image, canvas or video element, an ImageBitmap or VideoFrame, or an SVG
 * image element.
 */
export type ImageInput =
  string | URL | Uint8Array | ArrayBuffer | BytesSource | Tensor | HostTensor | Picture | PictureElement;

/** The preprocessor that {@link imagePreprocessor} makes. */
export interface ImagePreprocessor extends Preprocessor<ImageInput> {
  readonly spec: ImageSpec;
  /** Returns float32 [height, width, channels]; the caller owns the tensor. */
  apply(input: ImageInput): Promise<Tensor3D>;
}

/**
 * Default method of resizing. A camera's picture is reduced to a tenth of its size: without antialiasing nine pixels of
 * ten would be ignored.
 */
export const defaultResize: ImageSpec['resize'] = 'antialias';

/**
 * A JPEG reduced while decoding keeps at least this many times the base's input size, so that the difference is
 * invisible.
 */
const decodeMargin = 2;

const imageSpecNames: NamesOf<ImageSpec> = {
  kind: true,
  size: true,
  mode: true,
  resize: true,
  fit: true,
  channels: true,
};
const resizeMethods: readonly ImageSpec['resize'][] = ['antialias', 'bilinear', 'nearest'];
const fits: readonly ImageSpec['fit'][] = ['stretch', 'cover', 'contain'];
const channelCounts: readonly unknown[] = [1, 3, 4];

/**
 * Fills in the defaults of an image spec.
 *
 * @param partial - `mode` is required: it belongs to the base and cannot be guessed. `size` defaults to [224, 224]
 * pixels (height, width), `resize` to 'antialias', `fit` to 'cover'; without `channels` there are 3.
 */
export function imageSpec(partial: Partial<ImageSpec> & Pick<ImageSpec, 'mode'>): ImageSpec {
  assertImageNames(partial);
  const { mode, size = [224, 224], resize = defaultResize, fit = 'cover', channels } = partial;
  return { kind: 'image', size, resize, fit, mode, ...(channels === undefined ? {} : { channels }) };
}

/**
 * Raises when a spec, or the numbers of its mode, have an unknown name.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertImageNames(spec: Partial<ImageSpec>, of?: string): void {
  const place = of === undefined ? {} : { of };
  assertOptions(spec, imageSpecNames, { ...place, example: "{ mode: 'tf' }" });
  if (isObject(spec.mode)) assertModeNames(spec.mode);
}

/**
 * Preprocessing of pictures: decodes, fits, resizes and scales.
 *
 * Resizing and scaling run in plain memory, so the same decoded pixels give the same numbers on every backend.
 * 'bilinear', 'antialias' and 'nearest' are those of `tf.image.resize`, the modes those of keras.applications, 'cover'
 * and 'contain' Keras' `crop_to_aspect_ratio` and `pad_to_aspect_ratio`. Transparent pixels are blended with white, and
 * the EXIF orientation is applied. A base with one channel gets brightness: the stored one of a gray picture, or that
 * of TensorFlow's `rgb_to_grayscale` for colours. A base with four channels gets opacity as the fourth, 255 where the
 * picture has none. With 'antialias', Node reduces big JPEG files while decoding, to no less than twice the size.
 *
 * @param spec - `size` in pixels (height, width); `mode` scales values 0..255. Defaults: size
 * 224 × 224, resize 'antialias', fit 'cover', 3 channels.
 * @param limits - Which encoded pictures are accepted: up to 100 million pixels and 256 MiB, no SVG. They are not
 * saved.
 * @returns A preprocessor that returns float32 [height, width, channels]. Its `apply` raises `UNREADABLE`, `NOT_FOUND`,
 * `PACKAGE_MISSING` (sharp, Node only), `WRONG_SHAPE`, `WRONG_DTYPE`, `NOT_FINITE`, `OUT_OF_RANGE`, `INVALID_OPTION`.
 * @throws TransferKitError `INVALID_OPTION` for a wrong spec.
 *
 * @example
 * ```ts
 * import { imagePreprocessor, useBackend } from 'transferkit';
 * await useBackend('cpu');
 * const preprocessor = imagePreprocessor({ mode: 'tf', size: [2, 2] });
 * const gray = { width: 1, height: 1, data: Uint8Array.of(255, 255, 255) };
 * const input = await preprocessor.apply(gray);
 * console.log(input.shape, input.dataSync()[0]); // [ 2, 2, 3 ] 1
 * input.dispose();
 * ```
 */
export function imagePreprocessor(
  spec: Partial<ImageSpec> & Pick<ImageSpec, 'mode'>,
  limits?: PictureLimits,
): ImagePreprocessor {
  return nameErrors('imagePreprocessor', () => {
    const full = imageSpec(spec);
    assertImageSpec(full);
    const accepted = settleLimits(limits);
    const { channels = 3 } = full;
    const [height, width] = full.size;
    const scaling = scalingOf(full.mode, channels);
    // Brightness is computed after resizing, when there are far fewer pixels; both are linear.
    const unscaled = scalingOf('raw');
    const writeNow = async (input: ImageInput, values: Float32Array): Promise<void> => {
      const resize = await loadResize();
      const given = givenPicture(input, full);
      const picture = await (given ?? decode(input, full, accepted));
      const region = pictureRegion([picture.height, picture.width], full.size, full.fit);
      const plan = planResize(picture, region, full.size, full.resize, scaling);
      if (channelsOf(picture) === channels) {
        resize(picture, plan, values);
      } else {
        const colours = new Float32Array(height * width * 3);
        resize(picture, { ...plan, scaling: unscaled }, colours);
        writeLuma(colours, scaling, values);
      }
      if (given === undefined) platform.releasePixels(picture.data);
    };
    const write = (input: ImageInput, values: Float32Array): Promise<void> =>
      nameErrors('imagePreprocessor', () => writeNow(input, values));
    const apply = async (input: ImageInput): Promise<Tensor3D> => {
      const values = new Float32Array(height * width * channels);
      await write(input, values);
      return tensor3d(values, [height, width, channels]);
    };
    return addWriter({ spec: full, apply }, { apply, shape: [height, width, channels], write });
  });
}

/** Returns a picture that needs no decoding; undefined for any other input. The caller may own its pixels. */
function givenPicture(input: ImageInput, spec: ImageSpec): Promise<Picture> | Picture | undefined {
  if (input instanceof Tensor) return pictureFromTensor(input, spec);
  if (isHostTensor(input)) return pictureFromHostTensor(input, spec);
  return isPixels(input) ? pictureFromPixels(input, spec) : undefined;
}

async function decode(
  input: ImageInput,
  { size, resize, channels }: ImageSpec,
  limits: SettledLimits,
): Promise<Picture> {
  if (!isDecodable(input)) throw notAPicture(input);
  const [height, width] = size;
  const atLeast = resize === 'antialias' ? ([height * decodeMargin, width * decodeMargin] as const) : undefined;
  return platform.decodePicture(input, { atLeast, limits, ...(channels === undefined ? {} : { channels }) });
}

function isPixels(input: unknown): input is Picture {
  if (typeof input !== 'object' || input === null || !('data' in input)) return false;
  const { data } = input;
  return data instanceof Uint8Array || data instanceof Uint8ClampedArray || data instanceof Float32Array;
}

/** Whether the platform's decoder may accept the input; the decoder decides. */
function isDecodable(input: unknown): boolean {
  if (typeof input === 'string' || input instanceof URL) return true;
  if (input instanceof Uint8Array || input instanceof ArrayBuffer) return true;
  if (!isObject(input)) return false;
  return 'arrayBuffer' in input || ('width' in input && 'height' in input) || 'displayWidth' in input;
}

function notAPicture(input: unknown): TransferKitError {
  const came = kindOf(input);
  return new TransferKitError(
    'INVALID_OPTION',
    'expected a picture (a path or address, encoded bytes, a tensor [height, width, 3] with values ' +
      `0..255, pixels { width, height, data }, or an element of a page), got ${came}. Give one picture at a time.`,
    { came },
  );
}

/** A spec may come from a file, so its type is not guaranteed. */
function assertImageSpec(spec: ImageSpec): void {
  const size: unknown = spec.size;
  if (!Array.isArray(size) || size.length !== 2 || !size.every(isPixelCount)) {
    const text = `expected size to be [height, width] in whole pixels above 0, got ${shown(size)}.`;
    throw new TransferKitError('INVALID_OPTION', text, { size });
  }
  const { channels = 3 } = spec;
  if (!channelCounts.includes(channels)) throw invalidOption('channels to be 1, 3 or 4', channels);
  assertMode(spec.mode, channels);
  assertOneOf('resize', spec.resize, resizeMethods);
  assertOneOf('fit', spec.fit, fits);
}

function isPixelCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0;
}

function assertOneOf(option: string, value: unknown, known: readonly string[]): void {
  if (known.some((each) => each === value)) return;
  const isText = typeof value === 'string';
  const nearest = (isText ? nearestNames(value, known) : known).map((name) => `'${name}'`);
  const text = `expected ${option} to be one of ${nearest.join(', ')}, got ${isText ? `'${value}'` : shown(value)}.`;
  throw new TransferKitError('INVALID_OPTION', text, { [option]: value });
}
