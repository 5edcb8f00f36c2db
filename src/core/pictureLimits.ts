// Limits on accepted pictures, and options for decoding them. A small file can be a huge picture.
import { TransferKitError } from './errors.ts';
import { assertWhole, invalidOption } from './optionChecks.ts';
import { assertOptions } from './optionNames.ts';

/** Limits on encoded pictures. Pictures beyond them are refused. */
export interface PictureLimits {
  /**
   * Most pixels (width × height) of one picture, and of all pictures that are decoded at the same time. A whole number
   * from 1. Default 100,000,000: 300 MB of red, green and blue.
   */
  readonly maxPixels?: number;
  /** Most bytes of an encoded picture, whether it comes from a file, an address or memory. Default 256 MiB. */
  readonly maxBytes?: number;
  /**
   * Whether SVG is accepted (Node only). Default false: an SVG is a program that can take any time and memory to draw.
   * Set it only for files that you trust. `maxPixels` limits their size too.
   */
  readonly svg?: boolean;
}

/** Limits with every default filled in. */
export type SettledLimits = Required<PictureLimits>;

/** Default limits. */
export const defaultLimits: SettledLimits = { maxPixels: 100_000_000, maxBytes: 2 ** 28, svg: false };

/** Number of values of a pixel: 1 (brightness), 3 (red, green, blue) or 4 (red, green, blue, opacity). */
export type Channels = 1 | 3 | 4;

/** How a picture is decoded. */
export interface DecodeOptions {
  /** Height and width that a big JPEG may be reduced to while decoding, by a whole factor. Default: full size. */
  readonly atLeast?: readonly [number, number] | undefined;
  /**
   * Wanted number of channels. With 1, a picture stored in colours still gives three: the caller converts them to
   * brightness. Transparent pixels are blended with white unless 4 are wanted. Default 3.
   */
  readonly channels?: Channels;
  /** Default {@link defaultLimits}. */
  readonly limits?: SettledLimits;
}

/**
 * Fills in defaults and checks the limits.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleLimits(limits: PictureLimits = {}): SettledLimits {
  assertOptions(limits, defaultLimits, { of: 'pictures', example: '{ maxPixels: 1e7 }' });
  const { maxPixels, maxBytes, svg } = { ...defaultLimits, ...withoutUndefined(limits) };
  assertWhole('pictures.maxPixels', maxPixels, 1);
  assertWhole('pictures.maxBytes', maxBytes, 1);
  if (typeof svg !== 'boolean') throw invalidOption('pictures.svg to be true or false', svg);
  return { maxPixels, maxBytes, svg };
}

function withoutUndefined(given: PictureLimits): PictureLimits {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** An example of how to write an option of these limits, for error texts. */
export function writtenOption(option: string): string {
  return `loadBase(source, { pictures: { ${option} } })`;
}

/**
 * Raises for a picture with too many pixels.
 *
 * @param name - Name of the picture in error texts.
 * @throws TransferKitError `UNREADABLE` with both numbers.
 */
export function assertPixels(
  name: string,
  { width, height }: { readonly width: number; readonly height: number },
  { maxPixels }: Pick<SettledLimits, 'maxPixels'>,
): void {
  const pixels = width * height;
  if (pixels <= maxPixels) return;
  const size = `${String(width)} x ${String(height)} (${String(pixels)} pixels)`;
  throw new TransferKitError(
    'UNREADABLE',
    `expected a picture of at most ${String(maxPixels)} pixels in ${name}, got ${size}. Make it smaller, or ` +
      `accept it: ${writtenOption(`maxPixels: ${String(pixels)}`)}.`,
    { source: name, width, height, pixels, maxPixels },
  );
}

/**
 * Raises for a picture with too many bytes.
 *
 * @throws TransferKitError `UNREADABLE` with both numbers.
 */
export function assertBytes(name: string, bytes: number, { maxBytes }: Pick<SettledLimits, 'maxBytes'>): void {
  if (bytes > maxBytes) throw tooManyBytes(name, bytes, { maxBytes });
}

/** The error about a picture with too many bytes; it says how many where that is known. */
export function tooManyBytes(
  name: string,
  bytes: unknown,
  { maxBytes }: Pick<SettledLimits, 'maxBytes'>,
): TransferKitError {
  const option = `maxBytes: ${typeof bytes === 'number' ? String(bytes) : '…'}`;
  return new TransferKitError(
    'UNREADABLE',
    `expected a picture of at most ${String(maxBytes)} bytes in ${name}, got ${String(bytes)}. Make it smaller, or ` +
      `accept it: ${writtenOption(option)}.`,
    { source: name, bytes, maxBytes },
  );
}
