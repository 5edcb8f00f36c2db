// Decodes pictures in a browser with the browser's own decoder and a canvas. Gives upright RGB bytes; the resizing that a
// base asks for happens elsewhere.
import { TransferKitError } from '../core/errors.ts';
import type { Picture } from '../core/picture.ts';
import { shortAddress } from '../core/platform.ts';
import { readBytes } from './readBytes.ts';
import { turns } from './turns.ts';

/** What a canvas can draw. */
type Drawable = HTMLImageElement | HTMLCanvasElement | HTMLVideoElement | OffscreenCanvas | ImageBitmap;

/**
 * Decodes an address, encoded bytes or an element to upright RGB: EXIF orientation applied, transparency on white, at
 * full size. What formats there are is the browser's matter; JPEG, PNG, WebP and GIF (first frame) are everywhere.
 *
 * @param source - Address, URL, Blob, File, ArrayBuffer, Uint8Array, image, canvas or video element, OffscreenCanvas,
 * ImageBitmap or ImageData.
 * @throws TransferKitError `UNREADABLE` with the reason, `NOT_FOUND`, `INVALID_OPTION`.
 */
export async function decodePicture(source: unknown): Promise<Picture> {
  if (isDrawable(source)) return fromDrawable(source);
  if (typeof ImageData !== 'undefined' && source instanceof ImageData) {
    return { width: source.width, height: source.height, data: flattenOnWhite(source.data) };
  }
  const { name, blob } = await toBlob(source);
  if (blob.size === 0) throw unreadable(name, 'it is empty (0 bytes)');
  return inTurn(() => decodeBlob(name, blob));
}

const inTurn = turns(8);

async function decodeBlob(name: string, blob: Blob): Promise<Picture> {
  const bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image' }).catch((cause: unknown) => {
    throw unreadable(name, cause instanceof Error ? cause.message : String(cause), cause);
  });
  try {
    return draw(bitmap, name, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

async function fromDrawable(source: Drawable): Promise<Picture> {
  if (typeof HTMLImageElement !== 'undefined' && source instanceof HTMLImageElement) {
    const name = `the image element ${shortAddress(source.currentSrc || source.src)}`;
    await source.decode().catch((cause: unknown) => {
      throw unreadable(name, cause instanceof Error ? cause.message : String(cause), cause);
    });
    return draw(source, name, source.naturalWidth, source.naturalHeight);
  }
  if (typeof HTMLVideoElement !== 'undefined' && source instanceof HTMLVideoElement) {
    return draw(source, 'the video element', source.videoWidth, source.videoHeight);
  }
  return draw(source, 'the given element', source.width, source.height);
}

function draw(source: Drawable, name: string, width: number, height: number): Picture {
  if (width === 0 || height === 0)
    throw unreadable(name, `its size is ${String(width)}x${String(height)}: it has not loaded`);
  const context = makeContext(width, height);
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  try {
    context.drawImage(source, 0, 0, width, height);
    return { width, height, data: withoutAlpha(context.getImageData(0, 0, width, height).data) };
  } catch (cause) {
    // A picture of another origin taints the canvas.
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

async function toBlob(source: unknown): Promise<{ readonly name: string; readonly blob: Blob }> {
  if (typeof source === 'string' || source instanceof URL) {
    const address = String(source);
    return {
      name: shortAddress(address),
      blob: new Blob([Uint8Array.from(await readBytes(address, { cacheDir: false, mirror: false }))]),
    };
  }
  if (source instanceof Blob) return { name: source instanceof File ? source.name : 'the given Blob', blob: source };
  if (source instanceof ArrayBuffer) return { name: 'the given bytes', blob: new Blob([source]) };
  if (source instanceof Uint8Array) return { name: 'the given bytes', blob: new Blob([Uint8Array.from(source)]) };
  throw new TransferKitError(
    'INVALID_OPTION',
    'decodePicture: expected an address, encoded bytes (Blob, File, ArrayBuffer, Uint8Array), an image, canvas or video ' +
      `element, or an ImageBitmap, got a value of type ${typeof source}.`,
    { type: typeof source },
  );
}

/** Drops the fourth channel of a canvas that was filled, so that all of it is opaque. */
function withoutAlpha(rgba: ArrayLike<number>): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from] ?? 0;
    rgb[to + 1] = rgba[from + 1] ?? 0;
    rgb[to + 2] = rgba[from + 2] ?? 0;
  }
  return rgb;
}

function flattenOnWhite(rgba: ArrayLike<number>): Uint8Array {
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
  const text = `decodePicture: expected a picture in ${name}, but ${reason.replace(/\.$/, '')}. Replace or remove it.`;
  return new TransferKitError('UNREADABLE', text, { source: name, reason }, cause);
}
