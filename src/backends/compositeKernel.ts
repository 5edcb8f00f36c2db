// Kernels written with tfjs's own operations. Inside a kernel the engine records nothing on the gradient tape, and the
// tidy around the operations frees every intermediate and hands the result to the scope of the caller.
import { Tensor, tidy, type KernelConfig, type NamedTensorInfoMap } from '@tensorflow/tfjs-core';

/** What the engine calls: named inputs and the attributes of the operation. */
export type KernelFunction = KernelConfig['kernelFunc'];
type KernelArguments = Parameters<KernelFunction>[0];

/** A wasm kernel that computes its result with tfjs operations. `attributes` are those of the op that runs the kernel. */
export function compositeKernel<Name extends string, Attributes>(
  kernelName: string,
  inputNames: readonly Name[],
  compute: (inputs: Readonly<Record<Name, Tensor>>, attributes: Attributes) => Tensor,
): KernelConfig {
  const kernelFunc: KernelFunction = ({ inputs, attrs }) =>
    tidy(() => compute(tensors(kernelName, inputNames, inputs), attributesOf<Attributes>(attrs)));
  return { kernelName, backendName: 'wasm', kernelFunc };
}

/** The engine's map of attributes is untyped; its fields are those that tfjs-core's op of this kernel puts in. */
export function attributesOf<Attributes>(attrs: KernelArguments['attrs']): Attributes {
  return (attrs ?? {}) as unknown as Attributes;
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
    throw new Error(`${kernelName} (transferkit, wasm): expected the input '${name}' to be a tensor; run it by its tf op.`);
  });
  return Object.fromEntries(entries) as Record<Name, Tensor>;
}
