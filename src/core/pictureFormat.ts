// Recognises the format of a picture by its first bytes alone, because file extensions can be wrong.

/** Formats of pictures that are recognised, whether or not they can be decoded. */
export type PictureFormat =
  | 'JPEG'
  | 'PNG'
  | 'GIF'
  | 'WebP'
  | 'TIFF'
  | 'AVIF'
  | 'HEIC'
  | 'BMP'
  | 'ICO'
  | 'JPEG XL'
  | 'JPEG 2000'
  | 'PDF'
  | 'PSD'
  | 'PPM'
  | 'camera raw'
  | 'SVG';

/** Bytes at an offset that identify a format; `*` matches any byte. */
type Signature = readonly [format: PictureFormat, at: number, text: string];

// The first match counts: raw files of cameras are TIFF files too.
const signatures: readonly Signature[] = [
  ['JPEG', 0, '\xff\xd8\xff'],
  ['PNG', 0, '\x89PNG\r\n\x1a\n'],
  ['GIF', 0, 'GIF87a'],
  ['GIF', 0, 'GIF89a'],
  ['WebP', 0, 'RIFF****WEBP'],
  ['camera raw', 8, 'CR\x02'],
  ['camera raw', 0, 'IIRO'],
  ['camera raw', 0, 'IIRS'],
  ['camera raw', 0, 'IIU\0'],
  ['camera raw', 0, 'FUJIFILMCCD-RAW'],
  ['camera raw', 0, 'FOVb'],
  ['camera raw', 4, 'ftypcrx '],
  ['TIFF', 0, 'II*\0'],
  ['TIFF', 0, 'MM\0*'],
  ['TIFF', 0, 'II+\0'],
  ['TIFF', 0, 'MM\0+'],
  ['AVIF', 4, 'ftypavi'],
  ['HEIC', 4, 'ftyphe'],
  ['JPEG XL', 0, '\xff\x0a'],
  ['JPEG XL', 4, 'JXL \r\n\x87\n'],
  ['JPEG 2000', 4, 'jP  \r\n\x87\n'],
  ['JPEG 2000', 0, '\xff\x4f\xff\x51'],
  ['BMP', 0, 'BM****\0\0\0\0'],
  ['ICO', 0, '\0\0\x01\0'],
  ['PDF', 0, '%PDF-'],
  ['PSD', 0, '8BPS'],
];

/** The first element of a text must begin within this many bytes. */
const textBytes = 4096;

/** Returns the format of an encoded picture; undefined when it is unknown. */
export function formatOf(bytes: Uint8Array): PictureFormat | undefined {
  const known = signatures.find((signature) => fits(bytes, signature))?.[0];
  if (known === 'TIFF' && isRaw(bytes)) return 'camera raw';
  if (known !== undefined) return known;
  if (fits(bytes, ['AVIF', 4, 'ftypmi']) || fits(bytes, ['AVIF', 4, 'ftypms'])) return brandOf(bytes);
  if (/^P[1-7Ff]\s/.test(textOf(bytes.subarray(0, 3)))) return 'PPM';
  return isSvg(bytes) ? 'SVG' : undefined;
}

function fits(bytes: Uint8Array, [, at, text]: Signature): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '*' && bytes[at + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** The codec of a file with a general brand of HEIF (`mif1`, `msf1`), according to its compatible brands. */
function brandOf(bytes: Uint8Array): PictureFormat {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0);
  return textOf(bytes.subarray(8, Math.min(length, 256))).includes('avi') ? 'AVIF' : 'HEIC';
}

/**
 * SVG as text in UTF-8 or UTF-16, or any data packed by gzip: SVG is the only kind of picture that is. A declaration,
 * comments and a doctype may come before the element.
 */
function isSvg(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return true;
  return /<(\w+:)?svg/i.test(textOf(bytes.subarray(0, textBytes)).replaceAll('\0', ''));
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Tags of TIFF: the purpose of a part of the file, and the version of DNG. */
const subfileTag = 254;
const dngTag = 50706;
const reducedResolution = 1;

/** Whether a TIFF is the raw file of a camera: its first picture is a small preview, or it has a DNG version. */
function isRaw(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const little = bytes[0] === 0x49;
  if (view.getUint16(2, little) !== 42) return false; // BigTIFF: no camera writes it
  const directory = view.getUint32(4, little);
  if (directory + 2 > bytes.length) return false;
  const count = view.getUint16(directory, little);
  for (let entry = 0, at = directory + 2; entry < count && at + 12 <= bytes.length; entry++, at += 12) {
    const tag = view.getUint16(at, little);
    if (tag === dngTag) return true;
    if (tag === subfileTag && (view.getUint32(at + 8, little) & reducedResolution) !== 0) return true;
  }
  return false;
}
