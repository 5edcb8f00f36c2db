// Frees memory before the garbage collector does. Decoded pictures are so large that they would trigger one garbage
// collection after another, each of which scans the whole heap of the program.

/**
 * Frees the memory of values that no other code uses; they are empty afterwards. Node 20 cannot do that: there they
 * stay unchanged.
 */
export function releaseBytes({ buffer, byteLength }: Uint8Array | Uint8ClampedArray | Float32Array): void {
  // Part of a larger buffer: other code may use the rest.
  if (byteLength === buffer.byteLength && isTransferable(buffer)) buffer.transfer(0);
}

function isTransferable(buffer: ArrayBufferLike): buffer is ArrayBuffer & { transfer(length: number): ArrayBuffer } {
  return 'transfer' in buffer && typeof buffer.transfer === 'function';
}
