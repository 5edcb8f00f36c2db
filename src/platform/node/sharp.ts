// The package sharp, which decodes pictures in Node: loaded on first use, and asked what it can decode.
import type { AvailableFormatInfo, Sharp, SharpOptions } from 'sharp';
import { TransferKitError } from '../../core/errors.ts';
import type { PictureFormat } from '../../core/pictureFormat.ts';

/** What is used of sharp. */
export interface SharpModule {
  (input: Uint8Array, options: SharpOptions): Sharp;
  readonly format: Readonly<Record<string, AvailableFormatInfo | undefined>>;
  readonly versions: Readonly<Record<string, string | undefined>>;
}

let loaded: SharpModule | undefined;

/**
 * Loads sharp.
 *
 * @throws TransferKitError `PACKAGE_MISSING` with the reason and the command.
 */
export async function loadSharp(): Promise<SharpModule> {
  try {
    // Importing again, for every picture, takes its time.
    return (loaded ??= asModule((await import('sharp')).default));
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

/** Formats differ from build to build, whatever the types say. */
function asModule(sharp: {
  (input: Uint8Array, options: SharpOptions): Sharp;
  readonly format: object;
  readonly versions: object;
}): SharpModule {
  return Object.assign((input: Uint8Array, options: SharpOptions) => sharp(input, options), {
    format: { ...sharp.format },
    versions: { ...sharp.versions },
  });
}

/** What sharp calls the reader of each format. A PDF is never decoded: like SVG it is a program, and no picture. */
const readers: Readonly<Partial<Record<PictureFormat, string>>> = {
  JPEG: 'jpeg',
  PNG: 'png',
  GIF: 'gif',
  WebP: 'webp',
  TIFF: 'tiff',
  AVIF: 'heif',
  HEIC: 'heif',
  'JPEG XL': 'jxl',
  'JPEG 2000': 'jp2',
  PPM: 'ppm',
  BMP: 'magick',
  ICO: 'magick',
  PSD: 'magick',
  'camera raw': 'dcraw',
  SVG: 'svg',
};

/** Whether the installed sharp can decode a format. */
export function canDecode(
  { format, versions }: Pick<SharpModule, 'format' | 'versions'>,
  name: PictureFormat,
): boolean {
  // sharp's own builds, which know the version of libheif, bring no HEVC: patents.
  if (name === 'HEIC' && versions.heif !== undefined) return false;
  const reader = readers[name];
  return reader !== undefined && format[reader]?.input.buffer === true;
}
