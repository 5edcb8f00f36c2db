// Kernels written with tfjs's own operations. Inside a kernel the engine records nothing on the gradient tape. The tidy
// around the operations frees every intermediate tensor and moves the result to the scope of the caller.
import {
  Tensor,
  getKernel,
  tidy,
  type KernelConfig,
  type NamedAttrMap,
  type NamedTensorInfoMap,
} from '@tensorflow/tfjs-core';

/**
 * Makes a wasm kernel that computes its result with tfjs operations, from named inputs and the attributes of its op.
 */
export function compositeKernel<Name extends string>(
  kernelName: string,
  inputNames: readonly Name[],
  compute: (inputs: Readonly<Record<Name, Tensor>>, attributes: NamedAttrMap) => Tensor,
): KernelConfig {
  const kernelFunc: KernelConfig['kernelFunc'] = ({ inputs, attrs = {} }) =>
    tidy(() => compute(tensors(kernelName, inputNames, inputs), attrs));
  return { kernelName, backendName: 'wasm', kernelFunc };
}

/** Returns the named inputs as tensors: the engine passes tensors, although its type promises less. */
export function tensors<Name extends string>(
  kernelName: string,
  names: readonly Name[],
  inputs: NamedTensorInfoMap,
): Record<Name, Tensor> {
  const entries = names.map((name) => {
    const input = inputs[name];
    if (input instanceof Tensor) return [name, input] as const;
    throw new Error(
      `${kernelName} (transferkit, wasm): expected the input '${name}' to be a tensor; run it by its tf op.`,
    );
  });
  return Object.fromEntries(entries) as Record<Name, Tensor>; // One entry for each name, as the line above ensures.
}

/** Returns tfjs's kernel for wasm; undefined where it has none, although its type does not say so. */
export function wasmKernel(kernelName: string): KernelConfig | undefined {
  return getKernel(kernelName, 'wasm');
}
