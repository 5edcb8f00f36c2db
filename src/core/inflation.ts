// Limits on compression ratios. Data that claims a higher ratio is made to exhaust memory.

/** Deflate cannot compress further than this (RFC 1951: 258 bytes for at least 2 bits). */
const largestRatio = 1032;
/** Numbers hardly compress: a large amount with a higher ratio than this is a decompression bomb. */
const bomb = { bytes: 64 * 2 ** 20, ratio: 64 };

/** Whether this many bytes cannot have been packed into so few. */
export function packsTooTightly(packed: number, unpacked: number): boolean {
  return unpacked > packed * (unpacked > bomb.bytes ? bomb.ratio : largestRatio);
}
