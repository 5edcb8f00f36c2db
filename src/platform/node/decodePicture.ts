// Decodes pictures in Node with sharp, within limits. Gives upright bytes; the resizing that a base asks for happens
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
 * Decodes a file, an address or encoded bytes (JPEG, PNG, WebP, GIF's first frame, AVIF, TIFF) to an upright picture: EXIF
 * orientation applied, transparency on white, 16 bits, CMYK and colour profiles brought to sRGB.
 *
 * Formats are recognised by their content. What is no raster picture, or has more pixels than are accepted, is refused
 * before it is decoded.
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

/** Files that are in memory at the same time, as read. libuv has four threads, unless the user asks for more. */
const inTurn = turns(16);
/** Pixels that are decoded at the same time. */
const share = shares();

type Decoding = DecodeOptions & { readonly limits: SettledLimits };

/** Raises before sharp sees what it cannot decode or may not: it would draw an SVG just to know its size. */
function assertDecodable(encoded: EncodedPicture, { svg }: SettledLimits, sharp: SharpModule): void {
  const format = formatOf(encoded.bytes);
  if (format === undefined) throw unreadable(encoded, 'its content is of no format that is known for pictures');
  if (format === 'SVG' ? svg && canDecode(sharp, format) : canDecode(sharp, format)) return;
  throw unreadable(encoded, `it is ${adviceAbout(format)}`);
}

interface Found {
  readonly width: number;
  readonly height: number;
  /** Whether it is coded as brightness alone. */
  readonly gray: boolean;
}

async function decodeWithin(sharp: SharpModule, encoded: EncodedPicture, options: Decoding): Promise<Picture> {
  const { bytes, name } = encoded;
  const quick = quickLook(bytes);
  if (quick !== undefined) {
    try {
      return await decodeCounted(sharp, encoded, quick, options);
    } catch (cause) {
      // A header that sharp reads otherwise than we do.
      if (!(cause instanceof Error) || !/pixel limit/i.test(cause.message)) throw cause;
    }
  }
  assertHeader(encoded);
  // Counted by sharp: of animations and of files with several pages, the first.
  const { width, height, space } = await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata();
  const found = { width, height, gray: space === 'b-w' || space === 'grey16' };
  assertPixels(name, found, options.limits);
  return decodeCounted(sharp, encoded, found, options);
}

/** libvips takes no longer sides, and its helpers print warnings when a damaged header names one. */
const longestSide = 10_000_000;

function assertHeader(encoded: EncodedPicture): void {
  const { width, height } = pictureHeader(encoded.bytes) ?? { width: 0, height: 0 };
  if (Math.max(width, height) <= longestSide) return;
  throw unreadable(encoded, `its header says ${width} x ${height} pixels, which no picture has`);
}

/** What the header says, for formats where that is all that sharp goes by. */
function quickLook(bytes: Uint8Array): Found | undefined {
  const format = formatOf(bytes);
  return format === 'JPEG' || format === 'PNG' ? pictureHeader(bytes) : undefined;
}

/** Decodes no more pixels than were counted, once there is room for them. */
async function decodeCounted(
  sharp: SharpModule,
  { name, bytes }: EncodedPicture,
  found: Found,
  { limits, atLeast, channels = 3 }: Decoding,
): Promise<Picture> {
  assertPixels(name, found, limits);
  const pixels = found.width * found.height;
  return share(pixels, limits.maxPixels, async () => {
    // 'error' includes truncation; plain warnings, which many cameras' files cause, are let pass.
    const settings: SharpOptions = { failOn: 'error', limitInputPixels: Math.max(1, pixels) };
    const pipeline = sharp(bytes, settings).rotate(); // no angle: as EXIF says
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
  // Many pictures are too small to shrink, whichever way up: nothing more has to be known of them.
  if (Math.min(stored.width, stored.height) < 2 * Math.min(...atLeast)) return undefined;
  const { orientation = 1 } = await pipeline.metadata();
  const [height, width] =
    orientation >= 5 ? ([stored.width, stored.height] as const) : ([stored.height, stored.width] as const); // EXIF 5 to 8 swap them
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

/** One or two channels (gray, gray with alpha) as colours; of more channels than wanted the first. */
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

/** Gray stands for each colour; the last of two channels is opacity. */
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
    `decodePicture: expected a picture (JPEG, PNG, WebP, GIF, AVIF) in ${name}, but ${reason.replace(/\.$/, '')}. Replace or remove it.`,
    { source: name, bytes: bytes.length, reason },
    cause,
  );
}
