// Which layers fuse, and which must not.
import { layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LayerGraph } from '../../src/core/graphs.ts';
import { fusedGroups, lastOfGroup } from '../../src/networks/run/fusedGroups.ts';
import { layerOf } from '../../src/networks/graphs/layerGraph.ts';
import { parseTopology } from '../../src/networks/read/topology.ts';
import { useBackend } from '../../src/useBackend.ts';

type Layer = ReturnType<typeof layers.conv2d>;

const conv = (config: object = {}) => layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3, ...config });
const norm = (axis?: number) => layers.batchNormalization({ name: 'norm', ...(axis === undefined ? {} : { axis }) });
const relu6 = () => layers.reLU({ name: 'relu', maxValue: 6 });
const pad = () => layers.zeroPadding2d({ name: 'pad', padding: 1 });

/** The graph of layers that follow each other; `several` makes more outputs of the tensors in between. */
function chain(list: readonly unknown[], outputs: readonly number[] = [], shape = [8, 8, 4]): LayerGraph {
  const input = layers.input({ shape });
  const tensors: SymbolicTensor[] = [];
  for (const layer of list) tensors.push((layer as Layer).apply(tensors.at(-1) ?? input) as SymbolicTensor);
  const all = [...outputs, tensors.length - 1].map((index) => tensors[index]!);
  return graphOf(model({ inputs: input, outputs: all }));
}

function graphOf(source: LayersModel): LayerGraph {
  const graph = parseTopology(source.toJSON(null, false));
  source.dispose();
  return graph;
}

/** Groups as the names of their layers. */
function namesOf(graph: LayerGraph, needed?: readonly string[]): string[] {
  const calls = needed?.map((name) => graph.calls.findIndex(({ layer }) => layer === name));
  return fusedGroups(graph, calls && new Set(calls)).map((group) => {
    const parts = [group.pad, group.kernel, group.batchNorm, group.activation?.call];
    const names = parts.flatMap((call) => (call === undefined ? [] : [layerOf(graph, call).name]));
    expect(layerOf(graph, lastOfGroup(group)).name).toBe(names.at(-1));
    return [...new Set(names), ...(group.activation ? [`= ${group.activation.name}`] : [])].join(' ');
  });
}

beforeAll(async () => {
  await useBackend('cpu');
});

describe('fuses', () => {
  test('padding, kernel, BatchNorm and activation', () => {
    expect(namesOf(chain([pad(), conv(), norm(), relu6()]))).toEqual(['pad conv norm relu = relu6']);
  });

  test('every kind of kernel with the channels last', () => {
    const kinds = [
      conv(),
      layers.depthwiseConv2d({ kernelSize: 3, name: 'conv' }),
      layers.separableConv2d({ filters: 2, kernelSize: 3, name: 'conv' }),
      layers.dense({ units: 3, name: 'conv' }),
    ];
    for (const kind of kinds) expect(namesOf(chain([kind, norm(3)]))).toEqual(['conv norm']);
    const overTime = layers.conv1d({ filters: 2, kernelSize: 3, name: 'conv' });
    expect(namesOf(chain([overTime, norm(2)], [], [8, 4]))).toEqual(['conv norm']);
    const dense = () => layers.dense({ units: 3, name: 'conv' });
    expect(namesOf(chain([dense(), norm(1)], [], [6]))).toEqual(['conv norm']);
  });

  test('activations in all notations', () => {
    const kinds: [unknown, string][] = [
      [layers.activation({ activation: 'relu', name: 'it' }), 'relu'],
      [layers.activation({ activation: 'hardSigmoid', name: 'it' }), 'hard_sigmoid'],
      [layers.reLU({ name: 'it' }), 'relu'],
      [layers.reLU({ name: 'it', maxValue: 2 }), 'clipped_relu'],
      [layers.leakyReLU({ name: 'it' }), 'leaky_relu'],
      [layers.elu({ name: 'it' }), 'elu'],
    ];
    for (const [layer, name] of kinds) expect(namesOf(chain([conv(), layer]))).toEqual([`conv it = ${name}`]);
    expect(namesOf(chain([conv({ activation: 'relu' })]))).toEqual(['conv = relu']);
  });

  test('each call of a layer that has several', () => {
    const shared = conv({ padding: 'same' });
    const graph = chain([shared, norm(), shared, relu6()]);
    expect(namesOf(graph)).toEqual(['conv norm', 'conv relu = relu6']);
  });
});

describe('does not fuse', () => {
  test('outputs with another reader', () => {
    const list = () => [pad(), conv(), norm(), relu6()];
    expect(namesOf(chain(list(), [0]))).toEqual(['conv norm relu = relu6']);
    expect(namesOf(chain(list(), [1]))).toEqual(['pad conv']);
    expect(namesOf(chain(list(), [2]))).toEqual(['pad conv norm']);
    expect(namesOf(chain(list()), ['conv'])).toEqual(['pad conv']);
    expect(namesOf(chain(list()), ['pad', 'norm'])).toEqual(['conv norm']);
  });

  test('a sum that reads a tensor twice', () => {
    const input = layers.input({ shape: [8, 8, 4] });
    const x = conv().apply(input) as SymbolicTensor;
    const built = model({ inputs: input, outputs: layers.add().apply([x, x]) as SymbolicTensor });
    expect(namesOf(graphOf(built))).toEqual(['conv']);
  });

  test('BatchNorm over another axis, or after an activation', () => {
    expect(namesOf(chain([conv(), norm(1)]))).toEqual(['conv']);
    expect(namesOf(chain([layers.dense({ units: 4, name: 'dense' }), norm(1)]))).toEqual(['dense']);
    expect(namesOf(chain([conv({ activation: 'relu' }), norm(), relu6()]))).toEqual(['conv = relu']);
  });

  test('padding before a kernel with its own padding', () => {
    expect(namesOf(chain([pad(), conv({ padding: 'same' })]))).toEqual(['conv']);
    expect(namesOf(chain([pad(), layers.dense({ units: 2, name: 'dense' })]))).toEqual(['dense']);
  });

  test('channels first', () => {
    expect(namesOf(chain([conv({ dataFormat: 'channelsFirst' }), norm(1)]))).toEqual([]);
    const first = layers.zeroPadding2d({ padding: 1, dataFormat: 'channelsFirst' });
    expect(namesOf(chain([first, conv()]))).toEqual(['conv']);
  });
});
