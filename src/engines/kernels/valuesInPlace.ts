// The values of a tensor without a copy, which would be garbage at once, as many bytes as the features of a batch.
import { backend, type Tensor } from '@tensorflow/tfjs-core';
import { addressOf, memoryOf, wasmBackendOf } from './wasmHeap.ts';

/**
 * The values of a float32 tensor where they lie: valid until anything is computed or the tensor is freed. Undefined for
 * other types, and on backends other than wasm.
 */
export function valuesInPlace(tensor: Tensor): Float32Array | undefined {
  const wasm = tensor.dtype === 'float32' ? wasmBackendOf(backend()) : undefined;
  return wasm && new Float32Array(memoryOf(wasm).buffer, addressOf(wasm, tensor), tensor.size);
}
