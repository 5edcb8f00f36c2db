// The smallest member of every family of presets, prepared for inference: it gives what it gives layer by layer.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Trunk } from '../../src/core/types.ts';
import { findPreset } from '../../src/presets/presetTable.ts';
import { buildTrunk } from '../../src/networks/read/buildLayers.ts';
import { useBackend } from '../../src/useBackend.ts';
import { compare } from '../support/foldedTrunks.ts';
import { seededWeights } from '../support/seededWeights.ts';
import { isThorough } from '../support/thorough.ts';

/** The smallest member of every family, and how large its kernels may be for activations to stay in range. */
const smallest: readonly [string, number][] = [
  ['vgg16', 1],
  ['resnet50', 0.7],
  ['resnet50v2', 0.7],
  ['mobilenet', 1],
  ['mobilenet_v2', 0.9],
  ['mobilenet_v3_small', 1],
  ['inception_v3', 1],
  ['inception_resnet_v2', 0.9],
  ['xception', 0.7],
  ['densenet121', 1],
  ['nasnet_mobile', 0.8],
  ['efficientnet_b0', 1],
  ['efficientnet_v2_b0', 0.9],
  ['convnext_tiny', 1],
];

function takesLong(name: string): boolean {
  return /^(vgg|inception|xception|nasnet|convnext)/.test(name);
}

/** A network with its classifier. */
async function presetTrunk(name: string, gain: number): Promise<Trunk> {
  const inputSize = /^(inception|xception)/.test(name) ? ([80, 96] as const) : ([32, 48] as const);
  const preset = await findPreset(name);
  const alpha = preset.alphas[0] ?? 1;
  const graph = preset.architecture({ inputSize, top: true, alpha, imagenet: true });
  return buildTrunk(graph, seededWeights(graph, gain));
}

describe.each(['wasm', 'cpu'] as const)('on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  // The plain backend takes a minute for what is not small.
  const onCpu = smallest.filter(([name]) => /^mobilenet(_v3_small)?$/.test(name));
  const names = backend === 'wasm' ? smallest.filter(([name]) => isThorough || !takesLong(name)) : onCpu;
  test.each(names)('%s folds as a whole, from preprocessing to probabilities', async (name, gain) => {
    const { unfolded } = await compare(await presetTrunk(name, gain), 1e-4);
    expect(unfolded).toEqual([]);
  });
});
