// Parts of trunks prepared for inference: which they are, how long they live; and nodes of GraphModels that fuse.
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Trunk } from '../../src/core/types.ts';
import { loadBase } from '../../src/loadBase.ts';
import { replaceHead } from '../../src/replaceHead.ts';
import { trainHead } from '../../src/trainHead.ts';
import { useBackend } from '../../src/useBackend.ts';
import { compare, inputOf } from '../support/foldedTrunks.ts';
import { isOwnEngine } from '../support/testBackend.ts';
import { expectNoLeak, relativeError } from '../support/tensors.ts';
import { graphArtifacts, node, tinyConstants, tinyGraph, tinyLayers, tinyNodes } from '../support/tinyGraph.ts';
import { tinyModel } from '../support/tinyModel.ts';
import { tinyLabels, tinySamples } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useBackend('wasm');
});

describe('a folded part', () => {
  /** A base with everything in it, cut behind its second activation. */
  async function tinyTrunk(): Promise<Trunk> {
    const source = tinyModel();
    const { trunk } = await loadBase(source, { cut: 'relu2' });
    source.dispose();
    return trunk;
  }

  test('runs any stages, and the same bits every time', async () => {
    const trunk = await tinyTrunk();
    const input = inputOf(trunk);
    for (let from = 0; from < trunk.stages.length; from++) {
      const entry = trunk.run(input, { to: from, fused: false });
      const expected = trunk.run(entry, { from, fused: false });
      const [part, again] = [await trunk.fold({ from }), await trunk.fold({ from })];
      const [first, second, third] = [await part.run(entry), await part.run(entry), await again.run(entry)];
      expect(relativeError(first, expected)).toBeLessThan(1e-5);
      expect(await second.data()).toEqual(await first.data());
      expect(await third.data()).toEqual(await first.data());
      part.dispose();
      again.dispose();
      tf.dispose([entry, expected, first, second, third]);
    }
    const nothing = await trunk.fold({ from: 1, to: 1 });
    const features = trunk.run(input, { to: 1 });
    const same = await nothing.run(features);
    expect(await same.data()).toEqual(await features.data());
    nothing.dispose();
    trunk.dispose();
    tf.dispose([input, features, same]);
  });

  test.runIf(isOwnEngine)('as text lists its steps, shapes and costs', async () => {
    const trunk = await tinyTrunk();
    const part = await trunk.fold({ from: 1 });
    const [title, ...steps] = String(part).split('\n');
    expect(title).toBe('tiny: 6 steps on [8, 8, 8], 39,424 multiplications');
    expect(steps.map((step) => step.trim().split(/ {2,}/))).toEqual([
      ['block_1_expand/_FusedConv2D', '_FusedConv2D', '[8, 8, 16]', '[1, 1, 8, 16] [16]', '8,192'],
      [
        'block_1_depthwise/FusedDepthwiseConv2dNative',
        'FusedDepthwiseConv2dNative',
        '[8, 8, 16]',
        '[3, 3, 16, 1] [16]',
        '9,216',
      ],
      ['block_1_project/_FusedConv2D', '_FusedConv2D', '[8, 8, 8]', '[1, 1, 16, 8] [8]', '8,192'],
      ['block_1_add/AddV2', 'AddV2', '[8, 8, 8]'],
      ['pool/MaxPool', 'MaxPool', '[4, 4, 8]'],
      ['conv2/_FusedConv2D', '_FusedConv2D', '[4, 4, 12]', '[3, 3, 8, 12] [12]', '13,824'],
    ]);
    part.dispose();
    expect(String(part)).toBe('tiny: disposed');
    trunk.dispose();
  });

  test('leaks nothing, also after several disposals', async () => {
    for (const trunk of [await tinyTrunk(), (await loadBase(tinyGraph())).trunk]) {
      const input = inputOf(trunk);
      await expectNoLeak(async () => {
        const part = await trunk.fold();
        (await part.run(input)).dispose();
        (await part.run(input)).dispose();
        part.dispose();
        part.dispose();
      });
      trunk.dispose();
      input.dispose();
      await expect(trunk.fold()).rejects.toMatchObject({ code: 'DISPOSED' });
    }
  });

  test('refuses invalid inputs, and to run after dispose', async () => {
    for (const trunk of [await tinyTrunk(), (await loadBase(tinyGraph())).trunk]) {
      const part = await trunk.fold({ from: 1 });
      const wrong = tf.zeros([1, 3, 3, 1]);
      expect(() => part.run(wrong)).toThrow(expect.objectContaining({ code: 'WRONG_SHAPE' }));
      part.dispose();
      const features = tf.zeros([1, ...(trunk.stages[0]?.output.shape.slice(1) as number[])]);
      expect(() => part.run(features)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
      trunk.dispose();
      tf.dispose([wrong, features]);
    }
  });

  test('keeps the weights that it was made with', async () => {
    for (const trunk of [await tinyTrunk(), (await loadBase(tinyGraph())).trunk]) {
      const input = inputOf(trunk);
      const before = trunk.run(input);
      const part = await trunk.fold();
      for (const weight of trunk.weights) {
        const doubled = tf.mul(weight.variable, 2);
        weight.write(doubled);
        doubled.dispose();
      }
      const kept = await part.run(input);
      const after = await trunk.fold();
      const [moved, expected] = [await after.run(input), trunk.run(input)];
      expect(relativeError(kept, before)).toBeLessThan(1e-5);
      expect(relativeError(moved, expected)).toBeLessThan(1e-5);
      expect(relativeError(moved, before)).toBeGreaterThan(0.1);
      part.dispose();
      after.dispose();
      trunk.dispose();
      tf.dispose([input, before, kept, moved, expected]);
    }
  });
});

test('training lists the layers of the frozen prefix that are not folded', async () => {
  const front = (dataFormat: 'channelsFirst' | 'channelsLast') =>
    sequential({
      layers: [
        layers.conv2d({ inputShape: [16, 16, 3], filters: 4, kernelSize: 3 }),
        layers.maxPooling2d({ dataFormat, name: 'odd', poolSize: 2 }),
        layers.globalAveragePooling2d({ name: 'pool' }),
      ],
    });
  for (const [format, expected] of [
    ['channelsFirst', ['odd']],
    ['channelsLast', undefined],
  ] as const) {
    const base = await loadBase(front(format), { cut: 'pool' });
    const model = replaceHead(base, { labels: tinyLabels });
    const { unfolded } = await trainHead(model, tinySamples(), { epochs: 1 });
    expect(unfolded).toEqual(expected);
    model.dispose();
  }
});

// Kernels of the backend show what was folded.
describe.runIf(isOwnEngine)('nodes of a GraphModel fold', () => {
  /** What is left of the tiny graph's operations. */
  async function kernelsOf(nodes: readonly object[], extra: Parameters<typeof graphArtifacts>[1] = []) {
    const source = tinyLayers();
    const artifacts = graphArtifacts(nodes, [...tinyConstants(source), ...extra]);
    source.dispose();
    const { trunk } = await loadBase({ load: () => Promise.resolve(artifacts) }, { cut: 'net/pool' });
    const { kernels } = await compare(trunk);
    return kernels.filter((name) => name !== 'Reshape');
  }

  const whole = ['Multiply', 'Sub', 'FusedConv2D', 'FusedDepthwiseConv2D', 'FusedConv2D', 'Add', 'Mean'];

  test('BatchNorm, biases and activations into kernels', async () => {
    expect(await kernelsOf(tinyNodes())).toEqual(whole);
  });

  test('BatchNorm without an epsilon, with that of tfjs', async () => {
    const bare = tinyNodes().map((each) => {
      const { attr, ...rest } = each as { op: string; attr: Record<string, unknown> };
      return rest.op === 'FusedBatchNormV3' ? { ...rest, attr: { ...attr, epsilon: undefined } } : each;
    });
    const source = tinyLayers();
    const small = tinyConstants(source).map((each) =>
      each.name === 'bn1/moving_variance' ? { ...each, values: Array.from(each.values, () => 1e-3) } : each,
    );
    source.dispose();
    const { trunk } = await loadBase({ load: () => Promise.resolve(graphArtifacts(bare, small)) }, { cut: 'net/pool' });
    await compare(trunk, 1e-5);
  });

  test('BatchNorm that a converter split, and kernels behind Identity nodes', async () => {
    const values = (from: number) => Array.from({ length: 6 }, (_, i) => from + 0.1 * i);
    const apart = [
      node('net/conv1', 'Conv2D', ['hub_input/Sub', 'net/read'], conv1Attributes()),
      node('net/read', 'Identity', ['conv1/kernel']),
      node('net/scaled', 'Mul', ['net/factor', 'net/conv1']),
      node('net/halved', 'RealDiv', ['net/scaled', 'net/two']),
      node('net/lowered', 'Sub', ['net/halved', 'net/two']),
      node('net/same', 'Identity', ['net/lowered']),
      node('net/bn1', 'AddV2', ['net/same', 'net/summand']),
    ];
    const others = tinyNodes().filter((each) => !/^net\/(conv1|bn1)$/.test((each as { name: string }).name));
    const extra = [
      { name: 'net/factor', shape: [6], dtype: 'float32' as const, values: values(0.5) },
      { name: 'net/summand', shape: [1, 1, 1, 6], dtype: 'float32' as const, values: values(-0.3) },
      { name: 'net/two', shape: [], dtype: 'float32' as const, values: [2] },
    ];
    expect(await kernelsOf([...others, ...apart], extra)).toEqual(whole);
  });

  test('padding with zeros only', async () => {
    const padded = (op: string, inputs: string[]) => [
      ...tinyNodes().filter((each) => (each as { name: string }).name !== 'net/conv1'),
      node('net/pad', op, ['hub_input/Sub', 'net/paddings', ...inputs]),
      node('net/conv1', 'Conv2D', ['net/pad', 'conv1/kernel'], { ...conv1Attributes(), padding: text('VALID') }),
    ];
    const paddings = { name: 'net/paddings', shape: [4, 2], dtype: 'int32' as const, values: [0, 0, 2, 0, 1, 1, 0, 0] };
    const one = { name: 'net/one', shape: [], dtype: 'float32' as const, values: [1] };
    expect(await kernelsOf(padded('Pad', []), [paddings])).toEqual(whole);
    expect(await kernelsOf(padded('PadV2', ['net/one']), [paddings, one])).toContain('PadV2');
  });

  test('not nodes with another reader, nor operations with exchanged inputs', async () => {
    const twice = [...tinyNodes(), node('net/more', 'AddV2', ['net/bn1', 'net/relu1'])].map((each) =>
      (each as { name: string }).name === 'net/add' ? node('net/add', 'AddV2', ['net/more', 'net/project']) : each,
    );
    expect(await kernelsOf(twice)).toContain('Relu6');
    const turned = tinyNodes().map((each) =>
      (each as { name: string }).name === 'net/depthwise/BiasAdd'
        ? node('net/depthwise/BiasAdd', 'Sub', ['depthwise/bias', 'net/depthwise/depthwise'])
        : each,
    );
    expect(await kernelsOf(turned)).toContain('DepthwiseConv2dNative');
  });
});

function text(value: string) {
  return { s: Buffer.from(value).toString('base64') };
}

/** What the tiny graph's first convolution says. */
function conv1Attributes(): object {
  return (tinyNodes().find((each) => (each as { name: string }).name === 'net/conv1') as { attr: object }).attr;
}
