// Reads the values of a tensor without a copy. A copy would be garbage at once, as large as the features of a batch.
import { backend, type Tensor } from '@tensorflow/tfjs-core';
import { addressOf, memoryOf, wasmBackendOf } from './wasmHeap.ts';

/**
 * Returns the values of a float32 tensor in place: valid until the next computation or until the tensor is freed.
 * Undefined for other types, and on backends other than wasm.
 */
export function valuesInPlace(tensor: Tensor): Float32Array | undefined {
  const wasm = tensor.dtype === 'float32' ? wasmBackendOf(backend()) : undefined;
  return wasm && new Float32Array(memoryOf(wasm).buffer, addressOf(wasm, tensor), tensor.size);
}
