// What is accepted as a picture, and how it is to be decoded. A small file can be a huge picture.
import { TransferKitError } from './errors.ts';
import { assertWhole, invalidOption } from './optionChecks.ts';
import { assertOptions } from './optionNames.ts';

/** Which encoded pictures are accepted. */
export interface PictureLimits {
  /**
   * Most pixels (width × height) of a picture, and of all pictures that are decoded at the same time; a whole number from 1.
   * Default 100,000,000: 300 MB of red, green and blue.
   */
  readonly maxPixels?: number;
  /** Most bytes of an encoded picture, whether it comes from a file, an address or memory. Default 256 MiB. */
  readonly maxBytes?: number;
  /**
   * Whether SVG is accepted (Node only). Default false: an SVG is a program, which can take any time and memory to draw. True
   * for files that you trust. `maxPixels` holds for their size.
   */
  readonly svg?: boolean;
}

/** Limits with every value settled. */
export type SettledLimits = Required<PictureLimits>;

/** What is accepted unless the user says otherwise. */
export const defaultLimits: SettledLimits = { maxPixels: 100_000_000, maxBytes: 2 ** 28, svg: false };

/** How many values a pixel has: brightness; red, green, blue; or these and opacity. */
export type Channels = 1 | 3 | 4;

/** How a picture is decoded. */
export interface DecodeOptions {
  /** Height and width that a big JPEG may be shrunk to while decoding, by a whole factor. Default: as it is. */
  readonly atLeast?: readonly [number, number] | undefined;
  /**
   * Channels that are wanted. 1 gives three for a picture that is coded in colours: how they become brightness is for the
   * caller. Transparency is put on white unless 4 are wanted. Default 3.
   */
  readonly channels?: Channels;
  /** Default {@link defaultLimits}. */
  readonly limits?: SettledLimits;
}

/**
 * Fills in what is not given, and checks it.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleLimits(verb: string, limits: PictureLimits = {}): SettledLimits {
  assertOptions(verb, limits, defaultLimits, { of: 'pictures', example: '{ maxPixels: 1e7 }' });
  const { maxPixels, maxBytes, svg } = { ...defaultLimits, ...withoutUndefined(limits) };
  assertWhole(verb, 'pictures.maxPixels', maxPixels, 1);
  assertWhole(verb, 'pictures.maxBytes', maxBytes, 1);
  if (typeof svg !== 'boolean') throw invalidOption(verb, 'pictures.svg to be true or false', svg);
  return { maxPixels, maxBytes, svg };
}

function withoutUndefined(given: PictureLimits): PictureLimits {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** How to write an option of these limits, for error texts. */
export function writtenOption(option: string): string {
  return `loadBase(source, { pictures: { ${option} } })`;
}

/**
 * Raises for a picture of more pixels than are accepted.
 *
 * @param name - What error texts call the picture.
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
    `decodePicture: expected a picture of at most ${String(maxPixels)} pixels in ${name}, got ${size}. Make it smaller, or ` +
      `accept it: ${writtenOption(`maxPixels: ${String(pixels)}`)}.`,
    { source: name, width, height, pixels, maxPixels },
  );
}

/**
 * Raises for more bytes than are accepted.
 *
 * @throws TransferKitError `UNREADABLE` with both numbers.
 */
export function assertBytes(name: string, bytes: number, { maxBytes }: Pick<SettledLimits, 'maxBytes'>): void {
  if (bytes > maxBytes) throw tooManyBytes(name, bytes, { maxBytes });
}

/** The error about a picture of more bytes than are accepted: how many, where that is known. */
export function tooManyBytes(
  name: string,
  bytes: unknown,
  { maxBytes }: Pick<SettledLimits, 'maxBytes'>,
): TransferKitError {
  const option = `maxBytes: ${typeof bytes === 'number' ? String(bytes) : '…'}`;
  return new TransferKitError(
    'UNREADABLE',
    `decodePicture: expected a picture of at most ${String(maxBytes)} bytes in ${name}, got ${String(bytes)}. Make it smaller, or ` +
      `accept it: ${writtenOption(option)}.`,
    { source: name, bytes, maxBytes },
  );
}
