// The last steps of tfjs's fused kernels: bias and activation.
import { util } from '@tensorflow/tfjs-core';
import { functionNumbers, isFunctionName } from './functionConstants.ts';
import type { KernelCall } from './kernelMaker.ts';
import { linear, type PatchActivation, type PatchBias } from './products.ts';
import { addressOf, type WasmBackend } from './wasmHeap.ts';

/** Bias and activation in the form that the module uses. */
export interface PatchEpilogue {
  readonly bias: PatchBias | undefined;
  readonly activation: PatchActivation;
}

/** Reads bias and activation of a call; undefined when the module does not support them. */
export function readEpilogue(
  backend: WasmBackend,
  { inputs, attrs }: KernelCall,
  results: number,
): PatchEpilogue | undefined {
  const activation = readActivation(attrs?.activation, attrs?.leakyreluAlpha);
  if (activation === undefined) return undefined;
  const { bias } = inputs;
  if (bias === undefined) return { bias: undefined, activation };
  const size = util.sizeFromShape(bias.shape);
  if (bias.dtype !== 'float32' || bias.shape.length > 1 || (size !== results && size !== 1)) return undefined;
  return { bias: { address: addressOf(backend, bias), isScalar: size === 1 }, activation };
}

/** Reads the name of an activation; undefined when the module does not support it. */
export function readActivation(name: unknown, slope: unknown): PatchActivation | undefined {
  switch (name) {
    case undefined:
    case null:
    case 'linear':
      return linear;
    case 'relu':
      return { ...linear, low: 0 };
    case 'relu6':
      return { ...linear, low: 0, high: 6 };
    case 'leakyrelu':
      return { ...linear, slope: typeof slope === 'number' ? slope : 0 };
    default: // Not elu and prelu.
      return isFunctionName(name) ? { ...linear, functionNumber: functionNumbers[name] } : undefined;
  }
}
