// The checksums of HDF5: of its structures (Jenkins's lookup3), of chunks (Fletcher-32) and of zlib streams (Adler-32).

/** Jenkins's lookup3 (hashlittle), the checksum of the structures of newer files. */
export function lookup3(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = (0xdeadbeef + bytes.length) | 0;
  const state: Triple = [start, start, start];
  let at = 0;
  for (; bytes.length - at > 12; at += 12) {
    add(state, view.getUint32(at, true), view.getUint32(at + 4, true), view.getUint32(at + 8, true));
    mix(state);
  }
  if (bytes.length === 0) return state[2] >>> 0;
  const rest = new DataView(new ArrayBuffer(12));
  for (let i = 0; at + i < bytes.length; i++) rest.setUint8(i, bytes[at + i] ?? 0);
  add(state, rest.getUint32(0, true), rest.getUint32(4, true), rest.getUint32(8, true));
  return finish(state) >>> 0;
}

type Triple = [number, number, number];

function add(state: Triple, a: number, b: number, c: number): void {
  state[0] = (state[0] + a) | 0;
  state[1] = (state[1] + b) | 0;
  state[2] = (state[2] + c) | 0;
}

/** Rotations; then the three values are exchanged: a ← b, b ← c, c ← a. */
function mix(state: Triple): void {
  let [a, b, c] = state;
  for (const turn of [4, 6, 8, 16, 19, 4]) {
    a = ((a - c) | 0) ^ rotate(c, turn);
    c = (c + b) | 0;
    [a, b, c] = [b, c, a];
  }
  [state[0], state[1], state[2]] = [a, b, c];
}

function finish([first, second, third]: Triple): number {
  let [a, b, c] = [first, second, third];
  for (const turn of [14, 11, 25, 16, 4, 14, 24]) {
    c = ((c ^ b) - rotate(b, turn)) | 0;
    [a, b, c] = [b, c, a];
  }
  // The last step changed c, which is now b.
  return b;
}

function rotate(value: number, turn: number): number {
  return (value << turn) | (value >>> (32 - turn));
}

/** Fletcher-32 over big-endian 16-bit words, as HDF5 computes it: multiples of 65535 stay 65535 and do not become 0. */
export function fletcher32(bytes: Uint8Array): number {
  let [low, high] = [0, 0];
  // As many words as keep the sum below 2³².
  for (let from = 0; from < bytes.length; from += 720) {
    const end = Math.min(bytes.length, from + 720);
    for (let at = from; at < end; at += 2) {
      low += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      high += low;
    }
    [low, high] = [folded(low), folded(high)];
  }
  return ((folded(high) << 16) | folded(low)) >>> 0;
}

function folded(sum: number): number {
  return (sum & 0xffff) + (sum >>> 16);
}

/** Adler-32, the checksum at the end of a zlib stream. */
export function adler32(bytes: Uint8Array): number {
  let [low, high] = [1, 0];
  // As many bytes as keep the sums below 2³².
  for (let from = 0; from < bytes.length; from += 5552) {
    const end = Math.min(bytes.length, from + 5552);
    for (let at = from; at < end; at++) {
      low += bytes[at] ?? 0;
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return ((high << 16) | low) >>> 0;
}
