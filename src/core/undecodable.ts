// Pictures that are recognised but not decoded, and advice for each.
import type { PictureFormat } from './pictureFormat.ts';
import { writtenOption } from './pictureLimits.ts';

/** Usual file extensions of each format, in lower case. */
const endings: readonly (readonly [PictureFormat, readonly string[]])[] = [
  ['JPEG', ['jpg', 'jpeg', 'jpe', 'jfif']],
  ['PNG', ['png']],
  ['WebP', ['webp']],
  ['GIF', ['gif']],
  ['AVIF', ['avif']],
  ['TIFF', ['tif', 'tiff']],
  ['BMP', ['bmp', 'dib']],
  ['HEIC', ['heic', 'heif', 'hif']],
  ['JPEG XL', ['jxl']],
  ['JPEG 2000', ['jp2', 'j2k', 'jpx', 'j2c', 'jpf']],
  ['PPM', ['ppm', 'pgm', 'pbm', 'pnm', 'pfm']],
  ['ICO', ['ico', 'cur']],
  ['PSD', ['psd', 'psb']],
  ['PDF', ['pdf']],
  ['SVG', ['svg', 'svgz']],
  [
    'camera raw',
    ['nef', 'nrw', 'cr2', 'cr3', 'crw', 'arw', 'srf', 'sr2', 'dng', 'orf', 'rw2', 'raf', 'pef', 'srw', 'x3f'],
  ],
];

/** Formats that are not raster pictures and can take any time to draw: a search for pictures skips them. */
const programs: ReadonlySet<PictureFormat> = new Set(['SVG', 'PDF']);

/** File extensions of the raster formats that can be decoded. */
export function endingsOf(canDecode: (format: PictureFormat) => boolean): string[] {
  return endings.flatMap(([format, names]) => (!programs.has(format) && canDecode(format) ? names : []));
}

/** The format of a file extension in lower case. */
export function formatOfEnding(ending: string): PictureFormat | undefined {
  return endings.find(([, names]) => names.includes(ending))?.[0];
}

/** Advice about a picture of a format that is not decoded: `HEIC: convert it to JPEG`. */
export function adviceAbout(format: PictureFormat): string {
  switch (format) {
    case 'SVG':
      return `SVG, whose drawing can take any time and memory: convert it to PNG, or accept it: ${writtenOption('svg: true')}`;
    case 'PDF':
      return 'PDF: save its pictures as PNG or JPEG';
    case 'camera raw':
      return 'the raw file of a camera: convert it to JPEG';
    case 'BMP':
    case 'ICO':
    case 'PPM':
      return `${format}: convert it to PNG`;
    default:
      return `${format}: convert it to JPEG`;
  }
}
