// Decodes pictures in Node with sharp, which is optional and loaded on first use. Gives upright RGB bytes; the resizing
// that a base asks for happens elsewhere.
import type { Sharp, SharpOptions } from 'sharp';
import { TransferKitError } from '../core/errors.ts';
import type { Picture } from '../core/picture.ts';
import { shortAddress } from '../core/platform.ts';
import { jpegSize } from './jpegSize.ts';
import { readBytes } from './readBytes.ts';

type MakeSharp = (input: Uint8Array, options: SharpOptions) => Sharp;

interface Encoded {
  /** Where the bytes came from, for messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Decodes a file, an address or encoded bytes (JPEG, PNG, WebP, GIF's first frame, AVIF, TIFF) to upright RGB: EXIF
 * orientation applied, transparency on white, gray, 16 bits, CMYK and colour profiles brought to sRGB.
 *
 * @param source - Path, address, URL, Uint8Array, ArrayBuffer or Blob.
 * @param atLeast - Height and width that a big JPEG may be shrunk to while decoding, by a whole factor. Default: as it is.
 * @throws TransferKitError `UNREADABLE` with the reason, `NOT_FOUND`, `PACKAGE_MISSING`, `INVALID_OPTION`.
 */
export async function decodePicture(source: unknown, atLeast?: readonly [number, number]): Promise<Picture> {
  const encoded = await readSource(source);
  if (encoded.bytes.length === 0) throw unreadable(encoded, 'it is empty (0 bytes)');
  const sharp = await loadSharp();
  try {
    return await decode(sharp, encoded.bytes, atLeast);
  } catch (cause) {
    const reason =
      cause instanceof Error ? cause.message.replace(/^Input buffer/, 'it').replaceAll('\n', ' ') : String(cause);
    throw unreadable(encoded, reason, cause);
  }
}

async function decode(sharp: MakeSharp, bytes: Uint8Array, atLeast?: readonly [number, number]): Promise<Picture> {
  // 'error' includes truncation; plain warnings, which many cameras' files cause, are let pass.
  const pipeline = sharp(bytes, { failOn: 'error' }).rotate(); // no angle: as EXIF says
  const smaller = await shrunkSize(pipeline, bytes, atLeast);
  if (smaller !== undefined) {
    pipeline.resize({ ...smaller, fit: 'fill', kernel: 'linear', fastShrinkOnLoad: true });
  }
  const { data, info } = await pipeline
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: info.channels === 3 ? data : toRgb(data, info.channels) };
}

/** The size of a JPEG (the one format that decodes faster when smaller) divided by the largest whole factor allowed. */
async function shrunkSize(
  pipeline: Sharp,
  bytes: Uint8Array,
  atLeast: readonly [number, number] | undefined,
): Promise<{ readonly width: number; readonly height: number } | undefined> {
  if (atLeast === undefined) return undefined;
  const stored = jpegSize(bytes);
  // Many pictures are too small to shrink, whichever way up: nothing more has to be known of them.
  if (stored === undefined || Math.min(...stored) < 2 * Math.min(...atLeast)) return undefined;
  const { orientation = 1 } = await pipeline.metadata();
  const [height, width] = orientation >= 5 ? ([stored[1], stored[0]] as const) : stored; // EXIF 5 to 8 swap them
  const factor = Math.floor(Math.min(height / atLeast[0], width / atLeast[1]));
  return factor < 2 ? undefined : { width: Math.ceil(width / factor), height: Math.ceil(height / factor) };
}

/** One or two channels (gray, gray with alpha) or four to three. */
function toRgb(data: Uint8Array, channels: number): Uint8Array {
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  const gray = channels < 3;
  for (let i = 0; i < pixels; i++) {
    for (let channel = 0; channel < 3; channel++) rgb[i * 3 + channel] = data[i * channels + (gray ? 0 : channel)] ?? 0;
  }
  return rgb;
}

async function readSource(source: unknown): Promise<Encoded> {
  if (typeof source === 'string' || source instanceof URL) {
    const location = String(source);
    return { name: shortAddress(location), bytes: await readBytes(location, { cacheDir: false, mirror: false }) };
  }
  if (source instanceof Uint8Array) return { name: 'the given bytes', bytes: source };
  if (source instanceof ArrayBuffer) return { name: 'the given bytes', bytes: new Uint8Array(source) };
  if (source instanceof Blob) return { name: 'the given Blob', bytes: new Uint8Array(await source.arrayBuffer()) };
  throw new TransferKitError(
    'INVALID_OPTION',
    'decodePicture: expected a path, an address, or encoded bytes as Uint8Array, ArrayBuffer or Blob, got ' +
      `${typeof source === 'object' ? 'an object of another kind' : `a value of type ${typeof source}`}. Elements of a page ` +
      'can be read only in a browser.',
    { type: typeof source },
  );
}

let loaded: MakeSharp | undefined;

async function loadSharp(): Promise<MakeSharp> {
  try {
    // Importing again, for every picture, takes its time.
    return (loaded ??= (await import('sharp')).default);
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new TransferKitError(
      'PACKAGE_MISSING',
      `decodePicture: expected the package sharp, which decodes pictures in Node, but it does not load: ${reason}. ` +
        'Install it: npm install sharp.',
      { packageName: 'sharp', reason },
      cause,
    );
  }
}

function unreadable({ name, bytes }: Encoded, reason: string, cause?: unknown): TransferKitError {
  return new TransferKitError(
    'UNREADABLE',
    `decodePicture: expected a picture (JPEG, PNG, WebP, GIF, AVIF) in ${name}, but ${reason.replace(/\.$/, '')}. Replace or remove it.`,
    { source: name, bytes: bytes.length, reason },
    cause,
  );
}
