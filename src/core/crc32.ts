// CRC-32 (IEEE 802.3, as in zip and zlib) of bytes: detects damage, as fast as a disk reads. It does not protect
// against forgery.

const polynomial = 0xedb88320;

/**
 * Returns the CRC-32 of bytes, from 0 to 2³² - 1.
 *
 * @param before - The CRC-32 of the preceding bytes, where `bytes` continues them.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  const table = remainders();
  let rest = ~before;
  for (const byte of bytes) rest = (table[(rest ^ byte) & 255] ?? 0) ^ (rest >>> 8);
  return ~rest >>> 0;
}

/** Remainders of all values of a byte. */
function remainders(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest & 1) === 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    return rest;
  });
}
