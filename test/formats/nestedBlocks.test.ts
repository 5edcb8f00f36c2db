// ConvNeXt: published files hold each nested Sequential as one group, and the network ends otherwise without
// classifier.
import * as h5wasm from 'h5wasm';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBase, useBackend, type Base } from '../../src/index.ts';
import { findPreset } from '../../src/presets/presetTable.ts';
import { weightShapes, type WeightShape } from '../../src/networks/read/weightShapes.ts';

const lastBlock = 'convnext_tiny_stage_3_block_2_identity';
let whole: Uint8Array;
let withoutTop: Uint8Array;

beforeAll(async () => {
  await useBackend('cpu');
  whole = await legacyFile(true);
  withoutTop = await legacyFile(false);
});

/** The groups of a file as Keras 2 writes it; the k-th weight of the file is k / 1000 everywhere. */
async function legacyFile(top: boolean): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const graph = (await findPreset('convnext_tiny')).architecture({ inputSize: [32, 32], top, alpha: 1 });
  const groups = new Map<string, WeightShape[]>();
  for (const { layer, weights = [] } of weightShapes(graph)) {
    const group = graph.layers.get(layer)?.path[0] ?? layer;
    groups.set(group, [...(groups.get(group) ?? []), ...weights]);
  }
  const file = new h5wasm.File('convnext.h5', 'w');
  file.create_attribute('layer_names', [...groups.keys()]);
  let number = 0;
  for (const [name, weights] of groups) {
    const group = file.create_group(name);
    // The scale at the end of a block is a variable without a name.
    const stored = weights.map((weight) => `${weight.name.replace('layer_scale/gamma', 'layer_scale/Variable')}:0`);
    if (stored.length > 0) group.create_attribute('weight_names', stored);
    for (const [i, { shape }] of weights.entries()) {
      const [folder = '', own = ''] = stored[i]?.split('/') ?? [];
      const inner = group.get(folder) === null ? group.create_group(folder) : group.get(folder);
      if (!(inner instanceof h5wasm.Group)) throw new TypeError(folder);
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(number++ / 1000);
      inner.create_dataset({ name: own, data, shape: [...shape], dtype: '<f', chunks: [...shape], compression: 1 });
    }
  }
  file.close();
  const bytes = FS.readFile('convnext.h5');
  FS.unlink('convnext.h5');
  return bytes;
}

function firstOf({ trunk }: Base, name: string): number | undefined {
  return trunk.weights.find((weight) => weight.name === name)?.variable.dataSync()[0];
}

describe('ConvNeXt', () => {
  test('from a file without classifier ends as Keras ends it', async () => {
    const base = await loadBase('convnext_tiny', { weights: withoutTop, inputSize: 32 });
    expect(base.cut).toBe('layer_normalization');
    expect(base.weightsReport).toMatchObject({ missing: [], unexpected: [], wrongShape: [] });
    expect(base.weightsReport?.assigned).toHaveLength(180);
    // Two layers of two weights in the first group, then nine weights for each block.
    expect(firstOf(base, 'convnext_tiny_stem_layernorm/beta')).toBeCloseTo(0.003, 6);
    expect(firstOf(base, 'convnext_tiny_stage_0_block_0_layer_scale/gamma')).toBeCloseTo(0.012, 6);
    expect(firstOf(base, 'convnext_tiny_downsampling_conv_0/bias')).toBeCloseTo(0.034, 6);
    expect(firstOf(base, 'layer_normalization/beta')).toBeCloseTo(0.179, 6);
    base.dispose();
  });

  test.each([
    ['without classifier', () => withoutTop],
    ['with it', () => whole],
  ])('is cut inside with a file %s', async (_, weights) => {
    const base = await loadBase('convnext_tiny', { weights: weights(), inputSize: 32, cut: lastBlock });
    expect(base.trunk.output.shape).toEqual([null, 1, 1, 768]);
    expect(base.weightsReport).toMatchObject({ missing: [], unexpected: [], wrongShape: [] });
    base.dispose();
  });

  test('from a file with classifier ends at its last sum', async () => {
    const base = await loadBase('convnext_tiny', { weights: whole, inputSize: 32 });
    expect(base.cut).toBe('add_17');
    expect(base.weightsReport).toMatchObject({ missing: [], unexpected: [], wrongShape: [] });
    base.dispose();
  });

  test('with drawn weights ends as Keras ends it, and knows its classifier', async () => {
    const base = await loadBase('convnext_tiny', { weights: null, inputSize: 32 });
    expect(base.cut).toBe('layer_normalization');
    expect(firstOf(base, 'convnext_tiny_stage_0_block_0_layer_scale/gamma')).toBeCloseTo(1e-6, 12);
    base.dispose();
    const head = await loadBase('convnext_tiny', { weights: null, inputSize: 32, cut: 'convnext_tiny_head_layernorm' });
    expect(head.trunk.output.shape).toEqual([null, 768]);
    head.dispose();
  });
});
