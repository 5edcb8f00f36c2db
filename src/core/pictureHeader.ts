// Reads the size of a picture from its first bytes, without decoding it. This is much faster than a decoder, and works
// where there is none.

/** Facts from the header of an encoded picture. */
export interface PictureHeader {
  /** In pixels, as stored: the EXIF orientation is not applied. */
  readonly width: number;
  readonly height: number;
  /** Whether the picture is stored as brightness only, with or without transparency. */
  readonly gray: boolean;
}

/**
 * Returns the header of a JPEG, PNG, GIF, WebP, BMP or AVIF; undefined for any other file, or for one that is too
 * damaged.
 */
export function pictureHeader(bytes: Uint8Array): PictureHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const read of [jpegHeader, pngHeader, gifHeader, webpHeader, bmpHeader, avifHeader]) {
    const header = read(view);
    if (header !== undefined) return header;
  }
  return undefined;
}

/**
 * Returns height and width of a JPEG in pixels, as stored; undefined for other files, or for one that is too damaged.
 */
export function jpegSize(bytes: Uint8Array): readonly [number, number] | undefined {
  const header = jpegHeader(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return header === undefined ? undefined : [header.height, header.width];
}

/** Markers that begin a frame: SOF0 to SOF15 without the codes in that range that have another meaning. */
const frames: ReadonlySet<number> = new Set([
  0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf,
]);

function jpegHeader(view: DataView): PictureHeader | undefined {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  for (let at = 2; at + 10 <= view.byteLength;) {
    const marker = view.getUint16(at);
    if (marker < 0xff00) return undefined;
    if (frames.has(marker & 255)) {
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7), gray: view.getUint8(at + 9) === 1 };
    }
    at += marker === 0xffff ? 1 : 2 + view.getUint16(at + 2); // 0xff may be repeated before a marker
  }
  return undefined;
}

function pngHeader(view: DataView): PictureHeader | undefined {
  if (view.byteLength < 26 || view.getUint32(0) !== 0x89504e47 || view.getUint32(12) !== tag('IHDR')) return undefined;
  const colourType = view.getUint8(25);
  return { width: view.getUint32(16), height: view.getUint32(20), gray: colourType === 0 || colourType === 4 };
}

function gifHeader(view: DataView): PictureHeader | undefined {
  if (view.byteLength < 10 || view.getUint32(0) !== tag('GIF8')) return undefined;
  return { width: view.getUint16(6, true), height: view.getUint16(8, true), gray: false };
}

function webpHeader(view: DataView): PictureHeader | undefined {
  if (view.byteLength < 30 || view.getUint32(0) !== tag('RIFF') || view.getUint32(8) !== tag('WEBP')) return undefined;
  switch (view.getUint32(12)) {
    case tag('VP8X'): // 24 bits each
      return {
        width: (view.getUint32(24, true) & 0xffffff) + 1,
        height: (view.getUint32(26, true) >>> 8) + 1,
        gray: false,
      };
    case tag('VP8L'): {
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, gray: false };
    }
    case tag('VP8 '):
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff, gray: false };
    default:
      return undefined;
  }
}

function bmpHeader(view: DataView): PictureHeader | undefined {
  if (view.byteLength < 26 || view.getUint16(0) !== 0x424d) return undefined;
  if (view.getUint32(14, true) === 12) {
    return { width: view.getUint16(18, true), height: view.getUint16(20, true), gray: false };
  }
  // Bitmaps stored from the top row down have a negative height.
  return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)), gray: false };
}

/** The largest size among the properties of an AVIF: its tiles and its opacity have sizes too. */
function avifHeader(view: DataView): PictureHeader | undefined {
  if (view.byteLength < 12 || view.getUint32(4) !== tag('ftyp')) return undefined;
  let largest: PictureHeader | undefined;
  for (let at = 8; at + 16 <= view.byteLength; at++) {
    if (view.getUint32(at) !== tag('ispe')) continue;
    const [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
    if (largest === undefined || width * height > largest.width * largest.height)
      largest = { width, height, gray: false };
  }
  return largest;
}

/** Four characters as a number. */
function tag(text: string): number {
  return Array.from(text).reduce((value, character) => value * 256 + character.charCodeAt(0), 0);
}
