// Shapes from configurations against the shapes of what tfjs builds, and the order in which Keras keeps layers.
import * as tf from '@tensorflow/tfjs-core';
import { layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LayerGraph, LayerSpec } from '../../src/core/graphs.ts';
import type { Json } from '../../src/core/json.ts';
import { inferShapes } from '../../src/networks/graphs/inferShapes.ts';
import { orderAsKeras } from '../../src/networks/graphs/kerasOrder.ts';
import { inputLayer, layerOf } from '../../src/networks/graphs/layerGraph.ts';
import { parseTopology } from '../../src/networks/read/topology.ts';
import { weightShapes } from '../../src/networks/read/weightShapes.ts';
import { readLiveModel } from '../../src/formats/tfjs/liveModel.ts';
import { tinyModel } from '../support/tinyModel.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Every kind of layer that changes a shape, each with odd sizes. */
function allShapes(): LayersModel {
  const input = layers.input({ shape: [23, 17, 3], name: 'picture' });
  const apply = (layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown }, ...x: SymbolicTensor[]) =>
    layer.apply(x.length > 1 ? x : (x[0] ?? input)) as SymbolicTensor;
  const padded = apply(layers.zeroPadding2d({ padding: [[1, 2], [0, 3]] }), input); // prettier-ignore
  const valid = apply(layers.conv2d({ filters: 4, kernelSize: [3, 2], strides: [2, 1] }), padded);
  const separable = apply(layers.separableConv2d({ filters: 6, kernelSize: 3, padding: 'same', strides: 2 }), valid);
  const deep = apply(layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same' }), separable);
  const dilated = apply(layers.conv2d({ filters: 12, kernelSize: 2, dilationRate: 2, useBias: false }), deep);
  const cropped = apply(layers.cropping2D({ cropping: [[1, 1], [2, 0]] }), deep); // prettier-ignore
  const sum = apply(layers.add(), dilated, cropped);
  const pooled = apply(layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }), sum);
  const joined = apply(layers.concatenate(), pooled, apply(layers.averagePooling2d({ poolSize: 2 }), sum));
  const normal = apply(layers.layerNormalization(), apply(layers.batchNormalization({ scale: false }), joined));
  const grown = apply(layers.upSampling2d({ size: [2, 3] }), normal);
  const reshaped = apply(layers.reshape({ targetShape: [576, 2] }), apply(layers.flatten(), grown));
  const sequence = apply(layers.conv1d({ filters: 3, kernelSize: 5, strides: 2 }), reshaped);
  const output = apply(layers.dense({ units: 2 }), apply(layers.globalMaxPooling1d(), sequence));
  return model({ inputs: input, outputs: output });
}

describe('shapes from configurations', () => {
  test.each([
    ['a small classifier', tinyModel],
    ['layers of all shapes', allShapes],
  ])("are those of tfjs's layers: %s", (_, make) => {
    const built = make();
    const graph = parseTopology(readLiveModel(built).topology);
    const outputs = graph.calls.map((call) => built.getLayer(call.layer).outputShape);
    expect(inferShapes(graph).map((shape) => [null, ...(shape ?? ['unknown'])])).toEqual(outputs);
    const weights = built.layers.flatMap((layer) =>
      layer.weights.map(({ originalName, shape }) => {
        const own = originalName.slice(originalName.lastIndexOf('/') + 1);
        return { name: `${layer.name}/${own}`, shape };
      }),
    );
    expect(weightShapes(graph).flatMap((each) => each.weights ?? [])).toEqual(weights);
    built.dispose();
  });

  test('are undefined for unknown classes, and after them', () => {
    const graph = chain([
      ['conv', 'Conv2D', { filters: 4, kernel_size: [3, 3] }],
      ['odd', 'Unheard', {}],
      ['relu', 'ReLU', {}],
      ['dense', 'Dense', { units: 2 }],
    ]);
    expect(weightShapes(graph).map(({ layer, weights }) => [layer, weights?.length])).toEqual([
      ['input', 0],
      ['conv', 2],
      ['odd', undefined],
      ['relu', 0],
      ['dense', undefined],
    ]);
    expect(inferShapes(graph)[2]).toBeUndefined();
  });

  test('keep free axes free, and are undefined for weights that need them', () => {
    const graph = chain(
      [
        ['conv', 'Conv2D', { filters: 4, kernel_size: 3, strides: 2, padding: 'same' }],
        ['flat', 'Flatten', {}],
        ['dense', 'Dense', { units: 2 }],
      ],
      [null, null, 3],
    );
    expect(inferShapes(graph)).toEqual([[null, null, 3], [null, null, 4], [null], [2]]);
    expect(weightShapes(graph).at(-1)?.weights).toBeUndefined();
  });

  test('include the weights of a Normalization, unless its configuration has the values', () => {
    const graph = chain([
      ['own', 'Normalization', { axis: [-1] }],
      ['fixed', 'Normalization', { axis: -1, mean: [1, 2, 3], variance: [1, 1, 1] }],
    ]);
    expect(weightShapes(graph).map(({ weights }) => weights?.map(({ name, shape }) => [name, ...shape]))).toEqual([
      [],
      [['own/mean', 3], ['own/variance', 3], ['own/count']],
      [],
    ]);
  });
});

describe("Keras's order", () => {
  test('sorts by depth, then by a walk back from the output; unneeded layers are left out', () => {
    const names = ['input', 'a1', 'b1', 'a2', 'unused', 'sum', 'tail'];
    const inputs = [[], [0], [0], [1], [2], [2, 3], [5]];
    const graph: LayerGraph = {
      name: 'branches',
      layers: new Map(names.map((name) => [name, spec(name, name === 'sum' ? 'Add' : 'ReLU', {})])),
      calls: names.map((layer, i) => ({
        layer,
        inputs: (inputs[i] ?? []).map((call) => ({ call, output: 0 })),
        kwargs: {},
      })),
      outputs: [{ call: 6, output: 0 }],
    };
    const ordered = orderAsKeras(graph);
    expect([...ordered.layers.keys()]).toEqual(['input', 'a1', 'b1', 'a2', 'sum', 'tail']);
    expect(ordered.calls.map((call) => call.inputs.map((ref) => layerOf(ordered, ref.call).name))).toEqual([
      [],
      ['input'],
      ['input'],
      ['a1'],
      ['b1', 'a2'],
      ['sum'],
    ]);
  });
});

function spec(name: string, className: string, config: Record<string, Json>): LayerSpec {
  return { name, className, config: { name, ...config }, path: [name] };
}

function chain(
  rest: readonly (readonly [string, string, Record<string, Json>])[],
  inputShape: readonly (number | null)[] = [8, 8, 3],
): LayerGraph {
  const specs = [inputLayer('input', inputShape), ...rest.map((each) => spec(...each))];
  return {
    name: 'chain',
    layers: new Map(specs.map((each) => [each.name, each])),
    calls: specs.map(({ name }, i) => ({
      layer: name,
      inputs: i === 0 ? [] : [{ call: i - 1, output: 0 }],
      kwargs: {},
    })),
    outputs: [{ call: specs.length - 1, output: 0 }],
  };
}
