// Decodes pictures in a browser with the browser's own decoder and a canvas. Returns upright RGB bytes; resizing to the
// base's input happens elsewhere.
import { TransferKitError } from '../../core/errors.ts';
import type { Picture } from '../../core/picture.ts';
import { formatOf } from '../../core/pictureFormat.ts';
import { pictureHeader } from '../../core/pictureHeader.ts';
import {
  assertPixels,
  defaultLimits,
  type Channels,
  type DecodeOptions,
  type SettledLimits,
} from '../../core/pictureLimits.ts';
import { shortAddress } from '../../core/platform.ts';
import { shares, turns } from '../../core/concurrency.ts';
import { adviceAbout } from '../../core/undecodable.ts';
import { toBlob } from './pictureBlob.ts';

/** Sources that a canvas can draw. */
type Drawable = HTMLImageElement | HTMLCanvasElement | HTMLVideoElement | OffscreenCanvas | ImageBitmap;

/**
 * Decodes an address, encoded bytes or an element to an upright picture at full size: the EXIF orientation is applied,
 * and transparent pixels are blended with white. The formats depend on the browser; all decode JPEG, PNG, WebP and GIF
 * (first frame). A picture with too many pixels is refused before it is decoded, if its header contains the size.
 *
 * @param source - Address, URL, Blob, File, ArrayBuffer, Uint8Array, image, canvas or video element, OffscreenCanvas,
 * ImageBitmap or ImageData.
 * @throws TransferKitError `UNREADABLE` with the reason, `NOT_FOUND`, `INVALID_OPTION`.
 */
export async function decodePicture(
  source: unknown,
  { channels = 3, limits = defaultLimits }: DecodeOptions = {},
): Promise<Picture> {
  const wanted: Wanted = { channels, limits };
  if (isDrawable(source)) return fromDrawable(source, wanted);
  if (typeof ImageData !== 'undefined' && source instanceof ImageData) {
    const { width, height, data } = source;
    return { width, height, data: channels === 4 ? data : onWhite(data) };
  }
  return inTurn(async () => {
    const { name, blob } = await toBlob(source, limits);
    if (blob.size === 0) throw unreadable(name, 'it is empty (0 bytes)');
    return decodeBlob(name, blob, wanted);
  });
}

/** Files that are read and decoded at the same time. */
const inTurn = turns(8);
/** Pixels that are decoded at the same time. */
const share = shares();

interface Wanted {
  readonly channels: Channels;
  readonly limits: SettledLimits;
}

/** Number of bytes searched for the header: in a JPEG, metadata of cameras and editors may come first. */
const headBytes = 2 ** 20;

async function decodeBlob(name: string, blob: Blob, { channels, limits }: Wanted): Promise<Picture> {
  const head = new Uint8Array(await blob.slice(0, headBytes).arrayBuffer());
  const format = formatOf(head);
  if (format === 'SVG')
    throw unreadable(name, 'it is SVG, which a browser decodes as an element only: give an image element');
  const header = pictureHeader(head);
  if (header !== undefined) assertPixels(name, header, limits);
  // A picture stored as brightness has the same value in every channel.
  const kept = header?.gray === true && channels === 1 ? 1 : channels === 4 ? 4 : 3;
  // Unknown size: decode nothing else at the same time.
  const pixels = header === undefined ? limits.maxPixels : header.width * header.height;
  return share(pixels, limits.maxPixels, async () => {
    const bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image' }).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw unreadable(
        name,
        format === undefined ? reason : `${reason.replace(/\.$/, '')} (${adviceAbout(format)})`,
        cause,
      );
    });
    try {
      assertPixels(name, bitmap, limits);
      return draw(bitmap, name, bitmap, kept);
    } finally {
      bitmap.close();
    }
  });
}

async function fromDrawable(source: Drawable, wanted: Wanted): Promise<Picture> {
  if (typeof HTMLImageElement !== 'undefined' && source instanceof HTMLImageElement) {
    const name = `the image element ${shortAddress(source.currentSrc || source.src)}`;
    await source.decode().catch((cause: unknown) => {
      throw unreadable(name, cause instanceof Error ? cause.message : String(cause), cause);
    });
    return drawWithin(source, name, { width: source.naturalWidth, height: source.naturalHeight }, wanted);
  }
  if (typeof HTMLVideoElement !== 'undefined' && source instanceof HTMLVideoElement) {
    return drawWithin(source, 'the video element', { width: source.videoWidth, height: source.videoHeight }, wanted);
  }
  return drawWithin(source, 'the given element', source, wanted);
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function drawWithin(source: Drawable, name: string, size: Size, { channels, limits }: Wanted): Picture {
  assertPixels(name, size, limits);
  return draw(source, name, size, channels === 4 ? 4 : 3);
}

function draw(source: Drawable, name: string, { width, height }: Size, channels: Channels): Picture {
  if (width === 0 || height === 0)
    throw unreadable(name, `its size is ${String(width)}x${String(height)}: it has not loaded`);
  const context = makeContext(width, height);
  if (channels !== 4) {
    context.fillStyle = '#ffffff';
    context.fillRect(0, 0, width, height);
  }
  try {
    context.drawImage(source, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    return { width, height, data: channels === 4 ? data : firstChannels(data, channels) };
  } catch (cause) {
    // A picture of another origin makes the canvas unreadable.
    throw unreadable(name, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function makeContext(width: number, height: number): CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D {
  const settings = { willReadFrequently: true }; // keeps the pixels in plain memory
  const context = offscreenContext(width, height, settings) ?? pageContext(width, height, settings);
  if (context !== null) return context;
  throw unreadable(`a picture of ${String(width)}x${String(height)} pixels`, 'the browser has no canvas of that size');
}

function offscreenContext(
  width: number,
  height: number,
  settings: CanvasRenderingContext2DSettings,
): OffscreenCanvasRenderingContext2D | null {
  return typeof OffscreenCanvas === 'undefined' ? null : new OffscreenCanvas(width, height).getContext('2d', settings);
}

function pageContext(
  width: number,
  height: number,
  settings: CanvasRenderingContext2DSettings,
): CanvasRenderingContext2D | null {
  return typeof document === 'undefined'
    ? null
    : Object.assign(document.createElement('canvas'), { width, height }).getContext('2d', settings);
}

function isDrawable(source: unknown): source is Drawable {
  return (
    (typeof HTMLImageElement !== 'undefined' && source instanceof HTMLImageElement) ||
    (typeof HTMLCanvasElement !== 'undefined' && source instanceof HTMLCanvasElement) ||
    (typeof HTMLVideoElement !== 'undefined' && source instanceof HTMLVideoElement) ||
    (typeof OffscreenCanvas !== 'undefined' && source instanceof OffscreenCanvas) ||
    (typeof ImageBitmap !== 'undefined' && source instanceof ImageBitmap)
  );
}

/** The first channels of an opaque canvas. */
function firstChannels(rgba: ArrayLike<number>, channels: number): Uint8Array {
  const values = new Uint8Array((rgba.length / 4) * channels);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += channels) {
    for (let channel = 0; channel < channels; channel++) values[to + channel] = rgba[from + channel] ?? 0;
  }
  return values;
}

/** Blends transparent pixels with white. */
function onWhite(rgba: ArrayLike<number>): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const opacity = (rgba[from + 3] ?? 255) / 255;
    for (let channel = 0; channel < 3; channel++) {
      rgb[to + channel] = Math.round(255 + ((rgba[from + channel] ?? 255) - 255) * opacity);
    }
  }
  return rgb;
}

function unreadable(name: string, reason: string, cause?: unknown): TransferKitError {
  const text = `expected a picture in ${name}, but ${reason.replace(/\.$/, '')}. Replace or remove it.`;
  return new TransferKitError('UNREADABLE', text, { source: name, reason }, cause);
}
