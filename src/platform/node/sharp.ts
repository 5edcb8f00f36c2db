// The package sharp, which decodes pictures in Node: loaded on first use; reports what it can decode.
import type { AvailableFormatInfo, Sharp, SharpOptions } from 'sharp';
import { TransferKitError } from '../../core/errors.ts';
import type { PictureFormat } from '../../core/pictureFormat.ts';

/** The parts of sharp that are used. */
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
    // Repeating the import for every picture would be slow.
    return (loaded ??= asModule((await import('sharp')).default));
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new TransferKitError(
      'PACKAGE_MISSING',
      `expected the package sharp, which decodes pictures in Node, but it does not load: ${reason}. ` +
        'Install it: npm install sharp.',
      { packageName: 'sharp', reason },
      cause,
    );
  }
}

/** Formats differ from build to build, although the types do not show it. */
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

/** sharp's name of the reader for each format. A PDF is never decoded: like SVG it is a program. */
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
  // sharp's own builds, which report the version of libheif, do not include HEVC because of patents.
  if (name === 'HEIC' && versions.heif !== undefined) return false;
  const reader = readers[name];
  return reader !== undefined && format[reader]?.input.buffer === true;
}
