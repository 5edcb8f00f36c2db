// Networks made of a few layers, and what they give when they are prepared for inference.
import * as tf from '@tensorflow/tfjs-core';
import { layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';
import { noWeights } from '../../src/core/weightSource.ts';
import type { Trunk } from '../../src/core/types.ts';
import { buildTrunk } from '../../src/networks/read/buildLayers.ts';
import { parseTopology } from '../../src/networks/read/topology.ts';
import { uniform } from './seededWeights.ts';
import { relativeError } from './tensors.ts';
import { isOwnEngine } from './testBackend.ts';

/** A layer, or several that look like one from outside. */
export interface Part {
  readonly apply: (x: SymbolicTensor | SymbolicTensor[]) => unknown;
}

/** Layers that read one tensor and give one. */
export function branch(make: (x: SymbolicTensor) => SymbolicTensor): Part {
  return { apply: (x) => make(x as SymbolicTensor) };
}

/** What a layer makes of symbolic tensors. */
export function call(layer: Part, x: SymbolicTensor | SymbolicTensor[]): SymbolicTensor {
  return layer.apply(x) as SymbolicTensor;
}

/** A trunk of layers that follow each other, with weights and statistics that are not 0 and 1. */
export async function trunkOf(
  parts: readonly Part[],
  shape: (number | null)[] = [9, 8, 4],
  dtype: 'float32' | 'int32' = 'float32',
): Promise<Trunk> {
  const input = layers.input({ shape, dtype });
  const output = parts.reduce((x, part) => call(part, x), input);
  const source = model({ inputs: input, outputs: output });
  const trunk = await buildTrunk(parseTopology(source.toJSON(null, false)), noWeights, { seed: 1 });
  source.dispose();
  trunk.weights.forEach((weight, index) => {
    const { name, variable } = weight;
    if (variable.dtype !== 'float32') return;
    const around: [number, number] = /(gamma|variance)$/.test(name) ? [1, 0.6] : [0, 0.5];
    const value = tf.tensor(uniform(variable.size, index, 0, around), variable.shape);
    weight.write(value);
    value.dispose();
  });
  return trunk;
}

/** Values from -3 to 3, or whole numbers up to 255. */
export function inputOf({ input }: Trunk, rows = 2): tf.Tensor {
  const shape = [rows, ...input.shape.slice(1).map((axis) => axis ?? 6)];
  const values = uniform(
    shape.reduce((a, b) => a * b),
    77,
    0,
    [0, 3],
  );
  return input.dtype === 'int32'
    ? tf.tensor(
        values.map((value) => Math.abs(Math.round(value * 85))),
        shape,
        'int32',
      )
    : tf.tensor(values, shape);
}

/** What a folded trunk did. */
export interface Comparison {
  /** Kernels that the folded trunk ran, in turn. */
  readonly kernels: readonly string[];
  readonly unfolded: readonly string[];
}

/** Asserts that a trunk gives folded what it gives layer by layer. The trunk is disposed. */
export async function compare(trunk: Trunk, tolerance = 1e-5): Promise<Comparison> {
  const input = inputOf(trunk);
  const expected = trunk.run(input, { fused: false });
  const part = await trunk.fold();
  const found: tf.Tensor[] = [];
  const { kernels } = await tf.profile(async () => {
    found.push(await part.run(input));
  });
  expect(relativeError(found[0]!, expected)).toBeLessThan(tolerance);
  part.dispose();
  trunk.dispose();
  tf.dispose([input, expected, ...found]);
  return { kernels: kernels.map(({ name }) => name).filter((name) => !name.endsWith('__op')), unfolded: part.unfolded };
}

/** Asserts that layers fold into exactly these kernels. */
export async function expectKernels(
  parts: readonly Part[],
  expected: readonly string[],
  shape?: number[],
): Promise<void> {
  const { kernels, unfolded } = await compare(await trunkOf(parts, shape));
  expect(unfolded).toEqual([]);
  if (!isOwnEngine) return;
  expect(kernels.filter((name) => !/^(Reshape|Cast|ExpandDims)$/.test(name))).toEqual(expected);
}
