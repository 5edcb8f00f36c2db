// Decodes pictures in Node with sharp, within limits. Returns upright bytes; resizing to the base's input happens
// elsewhere.
import type { Sharp, SharpOptions } from 'sharp';
import { isTransferKitError, TransferKitError } from '../../core/errors.ts';
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
import { shares, turns } from '../../core/concurrency.ts';
import { adviceAbout } from '../../core/undecodable.ts';
import { readPicture, type EncodedPicture } from './readPicture.ts';
import { canDecode, loadSharp, type SharpModule } from './sharp.ts';

/**
 * Decodes a file, an address or encoded bytes (JPEG, PNG, WebP, GIF's first frame, AVIF, TIFF) to an upright picture:
 * the EXIF orientation is applied, transparent pixels are blended with white, and 16-bit values, CMYK and colour
 * profiles are converted to sRGB.
 *
 * Formats are recognised by content. Files that are not raster pictures, and pictures with too many pixels, are refused
 * before they are decoded.
 *
 * @param source - Path, address, URL, Uint8Array, ArrayBuffer or Blob.
 * @throws TransferKitError `UNREADABLE` with the reason, `NOT_FOUND`, `PACKAGE_MISSING`, `INVALID_OPTION`.
 */
export async function decodePicture(source: unknown, options: DecodeOptions = {}): Promise<Picture> {
  return inTurn(async () => {
    const { limits = defaultLimits } = options;
    const encoded = await readPicture(source, limits);
    if (encoded.bytes.length === 0) throw unreadable(encoded, 'it is empty (0 bytes)');
    const sharp = await loadSharp();
    assertDecodable(encoded, limits, sharp);
    try {
      return await decodeWithin(sharp, encoded, { ...options, limits });
    } catch (cause) {
      throw isTransferKitError(cause) ? cause : unreadable(encoded, reasonOf(cause), cause);
    }
  });
}

/** Number of files that are in memory at the same time. libuv has four threads by default. */
const inTurn = turns(16);
/** Pixels that are decoded at the same time. */
const share = shares();

type Decoding = DecodeOptions & { readonly limits: SettledLimits };

/** Raises before sharp reads formats that it cannot decode or must not: to find the size of an SVG it would draw it. */
function assertDecodable(encoded: EncodedPicture, { svg }: SettledLimits, sharp: SharpModule): void {
  const format = formatOf(encoded.bytes);
  if (format === undefined) throw unreadable(encoded, 'its content is of no format that is known for pictures');
  if (format === 'SVG' ? svg && canDecode(sharp, format) : canDecode(sharp, format)) return;
  throw unreadable(encoded, `it is ${adviceAbout(format)}`);
}

interface Found {
  readonly width: number;
  readonly height: number;
  /** Whether the picture is stored as brightness only. */
  readonly gray: boolean;
}

async function decodeWithin(sharp: SharpModule, encoded: EncodedPicture, options: Decoding): Promise<Picture> {
  const { bytes, name } = encoded;
  const quick = quickLook(bytes);
  if (quick !== undefined) {
    try {
      return await decodeCounted(sharp, encoded, quick, options);
    } catch (cause) {
      // sharp reads the header differently.
      if (!(cause instanceof Error) || !/pixel limit/i.test(cause.message)) throw cause;
    }
  }
  assertHeader(encoded);
  // Counted by sharp: of animations and of files with several pages, the first frame.
  const { width, height, space } = await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata();
  const found = { width, height, gray: space === 'b-w' || space === 'grey16' };
  assertPixels(name, found, options.limits);
  return decodeCounted(sharp, encoded, found, options);
}

/** libvips accepts no longer sides, and its helpers print warnings for damaged headers with longer ones. */
const longestSide = 10_000_000;

function assertHeader(encoded: EncodedPicture): void {
  const { width, height } = pictureHeader(encoded.bytes) ?? { width: 0, height: 0 };
  if (Math.max(width, height) <= longestSide) return;
  throw unreadable(encoded, `its header says ${width} x ${height} pixels, which no picture has`);
}

/** Facts from the header, for formats where sharp uses only the header too. */
function quickLook(bytes: Uint8Array): Found | undefined {
  const format = formatOf(bytes);
  return format === 'JPEG' || format === 'PNG' ? pictureHeader(bytes) : undefined;
}

/** Decodes a picture of known size, once there is room for its pixels. */
async function decodeCounted(
  sharp: SharpModule,
  { name, bytes }: EncodedPicture,
  found: Found,
  { limits, atLeast, channels = 3 }: Decoding,
): Promise<Picture> {
  assertPixels(name, found, limits);
  const pixels = found.width * found.height;
  return share(pixels, limits.maxPixels, async () => {
    // 'error' includes truncation. Warnings, which files of many cameras cause, are ignored.
    const settings: SharpOptions = { failOn: 'error', limitInputPixels: Math.max(1, pixels) };
    const pipeline = sharp(bytes, settings).rotate(); // no angle: applies the EXIF orientation
    const smaller = formatOf(bytes) === 'JPEG' ? await shrunkSize(pipeline, found, atLeast) : undefined;
    if (smaller !== undefined) {
      pipeline.resize({ ...smaller, fit: 'fill', kernel: 'linear', fastShrinkOnLoad: true });
    }
    return pixelsOf(pipeline, found.gray && channels === 1 ? 'gray' : channels === 4 ? 'rgba' : 'rgb');
  });
}

/** The size of a JPEG (the one format that decodes faster when smaller) divided by the largest whole factor allowed. */
async function shrunkSize(
  pipeline: Sharp,
  stored: Found,
  atLeast: readonly [number, number] | undefined,
): Promise<{ readonly width: number; readonly height: number } | undefined> {
  if (atLeast === undefined) return undefined;
  // Many pictures are too small to be reduced in either orientation: nothing else has to be read for them.
  if (Math.min(stored.width, stored.height) < 2 * Math.min(...atLeast)) return undefined;
  const { orientation = 1 } = await pipeline.metadata();
  const [height, width] =
    // EXIF 5 to 8 swap them
    orientation >= 5 ? ([stored.width, stored.height] as const) : ([stored.height, stored.width] as const);
  const factor = Math.floor(Math.min(height / atLeast[0], width / atLeast[1]));
  return factor < 2 ? undefined : { width: Math.ceil(width / factor), height: Math.ceil(height / factor) };
}

const channelsOf = { gray: 1, rgb: 3, rgba: 4 } as const satisfies Record<string, Channels>;

async function pixelsOf(pipeline: Sharp, kind: keyof typeof channelsOf): Promise<Picture> {
  const opaque = kind === 'rgba' ? pipeline.ensureAlpha() : pipeline.flatten({ background: '#ffffff' });
  const { data, info } = await opaque
    .toColourspace(kind === 'gray' ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return { width, height, data: withChannels(data, channels, channelsOf[kind]) };
}

/**
 * Converts one or two channels (gray, gray with alpha) to colours; of more channels than wanted, takes the first ones.
 */
function withChannels(data: Uint8Array, given: number, wanted: number): Uint8Array {
  if (given === wanted) return data;
  const pixels = data.length / given;
  const result = new Uint8Array(pixels * wanted);
  for (let i = 0; i < pixels; i++) {
    for (let channel = 0; channel < wanted; channel++) {
      result[i * wanted + channel] = data[i * given + sourceOf(channel, given)] ?? 0;
    }
  }
  return result;
}

/** Gray is used for each colour; the last of two channels is opacity. */
function sourceOf(channel: number, given: number): number {
  if (given >= 3) return channel;
  return channel === 3 ? given - 1 : 0;
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.message.replace(/^Input buffer/, 'it').replaceAll('\n', ' ');
}

function unreadable({ name, bytes }: EncodedPicture, reason: string, cause?: unknown): TransferKitError {
  return new TransferKitError(
    'UNREADABLE',
    `expected a picture (JPEG, PNG, WebP, GIF, AVIF) in ${name}, but ${reason.replace(/\.$/, '')}. Replace or remove it.`,
    { source: name, bytes: bytes.length, reason },
    cause,
  );
}
