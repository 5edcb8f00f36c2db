// CRC-32 (IEEE 802.3, as in zip and zlib) of bytes: tells damage from good bytes, at the speed of a disk. No defence
// against a forger.

const polynomial = 0xedb88320;

/**
 * The CRC-32 of bytes, from 0 to 2³² - 1.
 *
 * @param before - The CRC-32 of the bytes in front of them, where they are a part.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  const table = remainders();
  let rest = ~before;
  for (const byte of bytes) rest = (table[(rest ^ byte) & 255] ?? 0) ^ (rest >>> 8);
  return ~rest >>> 0;
}

/** Remainders of all bytes. */
function remainders(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest & 1) === 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    return rest;
  });
}
