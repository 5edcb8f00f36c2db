// The presets against keras.applications: names, counts, and values with weights that are a formula
// (golden/presets.py).
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LayerGraph } from '../src/core/graphs.ts';
import type { WeightSource } from '../src/core/weightSource.ts';
import type { Preset } from '../src/presets/preset.ts';
import { findPreset, isPresetName, presetNames } from '../src/presets/presetTable.ts';
import { buildTrunk } from '../src/networks/read/buildLayers.ts';
import { graphUpTo, lastCallOf } from '../src/networks/graphs/layerGraph.ts';
import { weightShapes } from '../src/networks/read/weightShapes.ts';
import { useBackend } from '../src/useBackend.ts';
import { isThorough } from './support/thorough.ts';
import { seededWeights, uniform } from './support/seededWeights.ts';

interface Description {
  readonly parameters: number;
  readonly layers: number;
  readonly names: string;
  readonly weights: { readonly address: string; readonly hash: string | null };
}

interface Values {
  readonly shape: readonly number[];
  readonly samples: readonly number[];
  readonly mean: number;
  readonly std: number;
}

interface Member {
  readonly alpha: number;
  readonly top: Description;
  readonly noTop: Description;
  readonly inputSize: readonly [number, number];
  readonly gain: number;
  readonly inner: Values & { readonly layer: string };
  readonly features: Values;
  readonly end: Values;
}

const golden = JSON.parse(readFileSync(new URL('golden/presets.json', import.meta.url), 'utf8')) as Record<
  string,
  Member[]
>;
const members = Object.entries(golden)
  .flatMap(([name, list]) => list.map((member) => [name, member.alpha, member] as const))
  .filter(([name]) => isPresetName(name));

/** The smallest member of every family. */
const smallest = [
  ...['vgg16', 'resnet50', 'resnet50v2', 'mobilenet', 'mobilenet_v2', 'mobilenet_v3_small', 'inception_v3'],
  ...['inception_resnet_v2', 'xception', 'densenet121', 'nasnet_mobile', 'efficientnet_b0', 'efficientnet_v2_b0'],
  'convnext_tiny',
];
/** Of networks with the same kinds of layers as others. */
function takesLong(name: string): boolean {
  return /^(inception|xception)/.test(name);
}

const computed = members.filter(
  ([name, alpha]) =>
    process.env.TRANSFERKIT_ALL_PRESETS === '1' ||
    (smallest.includes(name) && alpha === golden[name]?.[0]?.alpha && (isThorough || !takesLong(name))),
);

describe('every preset', () => {
  test('is in the golden file, which has no others', () => {
    expect(presetNames().sort()).toEqual(Object.keys(golden).sort());
  });

  test.each(members)(
    '%s (width %d) has the layers, parameters and weight files of Keras',
    async (name, alpha, member) => {
      const preset = await findPreset(name);
      const inputSize = [preset.inputSize, preset.inputSize] as const;
      expect(preset.alphas).toEqual(golden[name]?.map((each) => each.alpha));
      for (const top of [true, false]) {
        const { parameters, layers, names, weights } = top ? member.top : member.noTop;
        const graph = preset.architecture({ inputSize, top, alpha, imagenet: true });
        expect(graph.layers.size).toBe(layers);
        expect(
          createHash('sha256')
            .update([...graph.layers.keys()].join('\n'))
            .digest('hex'),
        ).toBe(names);
        expect(countParameters(graph)).toBe(parameters);
        const file = preset.weights({ inputSize, top, alpha });
        expect({ address: file?.address, hash: file?.hash?.digest ?? null }).toEqual(weights);
      }
    },
  );

  test.each(presetNames())('%s runs its calls in the order of its layers', async (name) => {
    const preset = await findPreset(name);
    const graph = preset.architecture({ inputSize: [preset.inputSize, preset.inputSize], top: true, alpha: 1 });
    expect(graph.calls.map((call) => call.layer)).toEqual([...graph.layers.keys()]);
    graph.calls.forEach((call, index) => {
      expect(Math.max(-1, ...call.inputs.map((ref) => ref.call))).toBeLessThan(index);
    });
  });
});

test('names that no preset has raise an error with the nearest', async () => {
  await expect(findPreset('resnet-50')).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringMatching(/expected the name of a preset, got 'resnet-50'\. Nearest: resnet50, /) as string,
  });
  await expect(findPreset('toString')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('weights of MobileNets follow size and width', async () => {
  const address = async (name: string, inputSize: readonly [number, number], alpha: number) =>
    (await findPreset(name)).weights({ inputSize, top: false, alpha })?.address.split('/').at(-1);
  expect(await address('mobilenet', [160, 160], 0.5)).toBe('mobilenet_5_0_160_tf_no_top.h5');
  expect(await address('mobilenet', [160, 192], 0.25)).toBe('mobilenet_2_5_224_tf_no_top.h5');
  expect(await address('mobilenet', [224, 224], 0.3)).toBeUndefined();
  const kernels = 'mobilenet_v2_weights_tf_dim_ordering_tf_kernels';
  expect(await address('mobilenet_v2', [96, 96], 1)).toBe(`${kernels}_1.0_96_no_top.h5`);
  expect(await address('mobilenet_v2', [300, 300], 0.35)).toBe(`${kernels}_0.35_224_no_top.h5`);
  expect(await address('mobilenet_v3_small', [96, 96], 1)).toBe(
    'weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5',
  );
});

describe('outputs with the same weights are those of Keras:', () => {
  beforeAll(async () => {
    await useBackend('wasm');
  });

  test.each(computed)('%s (width %d)', { timeout: 180_000 }, async (name, alpha, member) => {
    const preset = await findPreset(name);
    const input = picture(preset, member.inputSize);
    const network = (top: boolean) => preset.architecture({ inputSize: member.inputSize, top, alpha, imagenet: true });
    const body = network(false);
    const weights = seededWeights(body, member.gain);
    await compare(graphUpTo(body, lastCallOf(body, member.inner.layer)), weights, input, member.inner);
    await compare(body, weights, input, member.features);
    await compare(network(true), seededWeights(network(true), member.gain), input, member.end);
    input.dispose();
  });
});

/** Asserts that a network gives the golden values: largest difference relative to the largest value. */
async function compare(graph: LayerGraph, weights: WeightSource, input: tf.Tensor, expected: Values): Promise<void> {
  const trunk = await buildTrunk(graph, weights);
  try {
    const output = trunk.run(input);
    const values = Float64Array.from(await output.data());
    output.dispose();
    expect(output.shape.slice(1)).toEqual(expected.shape);
    const samples = expected.samples.map((_, i) => values[Math.floor((i * (values.length - 1)) / 15)] ?? NaN);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    const scale = Math.max(...expected.samples.map(Math.abs), expected.std);
    const differences = [...samples, mean, std].map((value, i) =>
      Math.abs(value - ([...expected.samples, expected.mean, expected.std][i] ?? NaN)),
    );
    expect(Math.max(...differences) / scale).toBeLessThan(1e-4);
  } finally {
    trunk.dispose();
  }
}

function picture({ mode }: Preset, [height, width]: readonly [number, number]): tf.Tensor {
  const values = uniform(height * width * 3, 1000, 0);
  const pixels = mode === 'raw' ? values.map((value) => Math.fround(value + 1) * 127.5) : values;
  return tf.tensor(pixels, [1, height, width, 3]);
}

function countParameters(graph: LayerGraph): number {
  return weightShapes(graph)
    .flatMap(({ layer, weights }) => {
      if (weights === undefined) throw new RangeError(`weights of ${layer} are not known`);
      return weights.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
    })
    .reduce((a, b) => a + b, 0);
}
