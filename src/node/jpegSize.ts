// Reads the size of a JPEG from its first bytes, without decoding: much quicker than asking a library.

/** Markers that begin a frame (SOF0 to SOF15), without those in their midst that mean something else. */
const frames: ReadonlySet<number> = new Set([
  0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf,
]);

/**
 * Height and width in pixels, as stored: what EXIF says about turning is not heeded.
 *
 * @returns Undefined for what is no JPEG, or too damaged to tell.
 */
export function jpegSize(bytes: Uint8Array): readonly [number, number] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  for (let at = 2; at + 9 <= bytes.length;) {
    const marker = view.getUint16(at);
    if (marker < 0xff00) return undefined;
    if (frames.has(marker & 255)) return [view.getUint16(at + 5), view.getUint16(at + 7)];
    at += marker === 0xffff ? 1 : 2 + view.getUint16(at + 2); // 0xff may be repeated before a marker
  }
  return undefined;
}
