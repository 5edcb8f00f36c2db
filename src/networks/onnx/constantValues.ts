// Values of constants outside the backend, for graphs that are written as ONNX.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ConstantValues } from './onnxDraft.ts';

/** Reads constants. Those of types that ONNX graphs do not hold here are left out. */
export async function constantValues(
  constants: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, ConstantValues>> {
  const values = new Map<string, ConstantValues>();
  for (const [name, constant] of constants) {
    const { dtype, shape } = constant;
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') continue;
    values.set(name, { dtype, shape, values: await constant.data<'float32' | 'int32' | 'bool'>() });
  }
  return values;
}
