// MD5 (RFC 1321) of bytes in memory. Browsers have no MD5, and Keras publishes the hashes of its files in it. It
// detects damage; it does not protect against forgery.

/** Rotations of the four rounds. */
const rotations = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21] as const;

/** Returns the MD5 of bytes, as 32 lower-case hexadecimal digits. */
export function md5(bytes: Uint8Array): string {
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  const words = new Int32Array(16);
  const sines = sineTable();
  const whole = bytes.length - (bytes.length % 64);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset < whole; offset += 64) addBlock(state, { sines, words }, view, offset);
  const end = paddedEnd(bytes.subarray(whole), bytes.length);
  for (let offset = 0; offset < end.byteLength; offset += 64) addBlock(state, { sines, words }, end, offset);
  const digest = new DataView(new ArrayBuffer(16));
  state.forEach((word, i) => {
    digest.setInt32(i * 4, word, true);
  });
  return Array.from(new Uint8Array(digest.buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The last bytes, a one bit, zeros, and the length in bits. */
function paddedEnd(rest: Uint8Array, length: number): DataView {
  const end = new Uint8Array(rest.length < 56 ? 64 : 128);
  end.set(rest);
  end[rest.length] = 0x80;
  const view = new DataView(end.buffer);
  view.setUint32(end.length - 8, (length % 2 ** 29) * 8, true);
  view.setUint32(end.length - 4, Math.floor(length / 2 ** 29), true);
  return view;
}

function sineTable(): Int32Array {
  return Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));
}

interface Scratch {
  readonly sines: Int32Array;
  readonly words: Int32Array;
}

function addBlock(state: Int32Array, { sines, words }: Scratch, view: DataView, offset: number): void {
  for (let i = 0; i < 16; i++) words[i] = view.getInt32(offset + i * 4, true);
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    let mixed: number;
    let word: number;
    if (round === 0) [mixed, word] = [(b & c) | (~b & d), i];
    else if (round === 1) [mixed, word] = [(d & b) | (~d & c), 5 * i + 1];
    else if (round === 2) [mixed, word] = [b ^ c ^ d, 3 * i + 5];
    else [mixed, word] = [c ^ (b | ~d), 7 * i];
    const sum = (a + mixed + (sines[i] ?? 0) + (words[word & 15] ?? 0)) | 0;
    const turn = rotations[round * 4 + (i & 3)] ?? 0;
    [a, d, c, b] = [d, c, b, (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0];
  }
  [a, b, c, d].forEach((word, i) => {
    state[i] = ((state[i] ?? 0) + word) | 0;
  });
}
