// Decodes pictures in a browser with the browser's own decoder and a canvas. Returns upright RGB bytes; resizing to the
// base's input happens elsewhere.
import type { Picture } from '../../core/picture.ts';
import { formatOf, type PictureFormat } from '../../core/pictureFormat.ts';
import { pictureHeader } from '../../core/pictureHeader.ts';
import {
  assertPixels,
  defaultLimits,
  type Channels,
  type DecodeOptions,
  type SettledLimits,
} from '../../core/pictureLimits.ts';
import { shares, turns } from '../../core/concurrency.ts';
import { adviceAbout } from '../../core/undecodable.ts';
import { isDrawable, openFile, readyToDraw, type ReadyPicture } from './drawable.ts';
import { toBlob } from './pictureBlob.ts';
import { takePixels } from './pixels.ts';
import { unreadable } from './unreadable.ts';

/**
 * Decodes an address, encoded bytes or an element to an upright picture at full size: the EXIF orientation is applied,
 * and transparent pixels are blended with white. The formats depend on the browser; all decode JPEG, PNG, WebP and GIF
 * (first frame). A picture with too many pixels is refused before it is decoded, if its header contains the size.
 *
 * @param source - Address, URL, Blob, File, ArrayBuffer, Uint8Array, image, canvas or video element, SVG image element,
 * OffscreenCanvas, ImageBitmap, VideoFrame or ImageData.
 * @throws TransferKitError `UNREADABLE` with the reason, `NOT_FOUND`, `INVALID_OPTION`.
 */
export async function decodePicture(
  source: unknown,
  { channels = 3, limits = defaultLimits }: DecodeOptions = {},
): Promise<Picture> {
  const wanted: Wanted = { channels, limits };
  if (isDrawable(source)) return drawWithin(await readyToDraw(source), wanted);
  if (typeof ImageData !== 'undefined' && source instanceof ImageData) {
    const { width, height, data } = source;
    return { width, height, data: channels === 4 ? data.slice() : onWhite(data) };
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

/** Formats that all browsers decode. */
const everywhere: readonly PictureFormat[] = ['JPEG', 'PNG', 'WebP', 'GIF'];

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
    const opened = await openFile(name, blob).catch((cause: unknown) => {
      if (format === undefined) throw unreadable(name, 'its content is of no format that is known for pictures');
      const isDamaged = everywhere.includes(format);
      throw unreadable(name, cause, isDamaged ? undefined : `Its format is ${adviceAbout(format)}.`);
    });
    try {
      assertPixels(name, opened, limits);
      return draw(opened, kept);
    } finally {
      opened.close();
    }
  });
}

function drawWithin(picture: ReadyPicture, { channels, limits }: Wanted): Picture {
  assertPixels(picture.name, picture, limits);
  return draw(picture, channels === 4 ? 4 : 3);
}

function draw({ name, image, width, height }: ReadyPicture, channels: Channels): Picture {
  if (width === 0 || height === 0)
    throw unreadable(name, `its size is ${String(width)}x${String(height)}: it has not loaded`);
  const context = contextFor(width, height);
  if (channels === 4) {
    context.clearRect(0, 0, width, height);
  } else {
    context.fillStyle = '#ffffff';
    context.fillRect(0, 0, width, height);
  }
  try {
    context.drawImage(image, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    return { width, height, data: channels === 4 ? data : firstChannels(data, channels) };
  } catch (cause) {
    // A picture of another origin makes the canvas unreadable, for pictures after it too.
    keptContext = undefined;
    throw unreadable(name, cause);
  }
}

/** Largest canvas that is kept, in pixels. */
const mostKept = 2 ** 22;
let keptContext: Context | undefined;

/** A canvas of at least this size, the one of the picture before if possible: a fresh one costs more than the drawing. */
function contextFor(width: number, height: number): Context {
  const { canvas } = keptContext ?? {};
  if (keptContext !== undefined && canvas !== undefined && canvas.width >= width && canvas.height >= height) {
    return keptContext;
  }
  const [widest, highest] = [Math.max(width, canvas?.width ?? 0), Math.max(height, canvas?.height ?? 0)];
  if (widest * highest > mostKept) return makeContext(width, height);
  return (keptContext = makeContext(widest, highest));
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

function makeContext(width: number, height: number): Context {
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

/** The first channels of an opaque canvas. */
function firstChannels(rgba: Uint8ClampedArray, channels: 1 | 3): Uint8Array {
  const values = takePixels((rgba.length / 4) * channels);
  if (channels === 1) {
    for (let to = 0; to < values.length; to++) values[to] = rgba[4 * to] ?? 0;
    return values;
  }
  for (let from = 0, to = 0; to < values.length; from += 4, to += 3) {
    values[to] = rgba[from] ?? 0;
    values[to + 1] = rgba[from + 1] ?? 0;
    values[to + 2] = rgba[from + 2] ?? 0;
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
