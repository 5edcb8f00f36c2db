// Gives memory back before the garbage collector finds it. Decoded pictures are so large that they alone would set off
// one collection after another, each of which looks through everything that the program has.

/**
 * Frees the memory of values that nobody else has; they are empty afterwards. Node 20 has no way of doing that: there they
 * stay as they are.
 */
export function releaseBytes({ buffer, byteLength }: Uint8Array | Uint8ClampedArray | Float32Array): void {
  // What is a part of a larger buffer may not be alone there.
  if (byteLength === buffer.byteLength && isTransferable(buffer)) buffer.transfer(0);
}

function isTransferable(buffer: ArrayBufferLike): buffer is ArrayBuffer & { transfer(length: number): ArrayBuffer } {
  return 'transfer' in buffer && typeof buffer.transfer === 'function';
}
