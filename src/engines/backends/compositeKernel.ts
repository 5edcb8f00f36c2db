// Kernels written with tfjs's own operations. Inside a kernel the engine records nothing on the gradient tape, and the
// tidy around the operations frees every intermediate and hands the result to the scope of the caller.
import {
  Tensor,
  getKernel,
  tidy,
  type KernelConfig,
  type NamedAttrMap,
  type NamedTensorInfoMap,
} from '@tensorflow/tfjs-core';

/** A wasm kernel that computes its result with tfjs operations, from named inputs and the attributes of its op. */
export function compositeKernel<Name extends string>(
  kernelName: string,
  inputNames: readonly Name[],
  compute: (inputs: Readonly<Record<Name, Tensor>>, attributes: NamedAttrMap) => Tensor,
): KernelConfig {
  const kernelFunc: KernelConfig['kernelFunc'] = ({ inputs, attrs = {} }) =>
    tidy(() => compute(tensors(kernelName, inputNames, inputs), attrs));
  return { kernelName, backendName: 'wasm', kernelFunc };
}

/** The named inputs as tensors: the engine passes tensors, although its type promises less. */
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
  return Object.fromEntries(entries) as Record<Name, Tensor>; // One entry for each name, by the line above.
}

/** tfjs's kernel for wasm. tfjs types it as always there; where it has none it gives undefined. */
export function wasmKernel(kernelName: string): KernelConfig | undefined {
  return getKernel(kernelName, 'wasm');
}
