// How far bytes can have been packed: what claims more is made to fill the memory.

/** Deflate cannot shrink anything further (RFC 1951: 258 bytes for at least 2 bits). */
const largestRatio = 1032;
/** Numbers hardly shrink: much that is packed tighter than this is a bomb. */
const bomb = { bytes: 64 * 2 ** 20, ratio: 64 };

/** Whether so many bytes cannot have been packed into so few. */
export function packsTooTightly(packed: number, unpacked: number): boolean {
  return unpacked > packed * (unpacked > bomb.bytes ? bomb.ratio : largestRatio);
}
