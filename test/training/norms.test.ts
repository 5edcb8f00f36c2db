// Tuning of norms alone: only scales and offsets of normalisations change, and the head.
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fineTune,
  freeze,
  fromArrays,
  loadBase,
  replaceHead,
  unfreeze,
  type Base,
  type TransferModel,
} from '../../src/index.ts';
import { registerLayers } from '../../src/layers.ts';
import { LayerScale } from '../../src/networks/layers/scaling.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinyGraph } from '../support/tinyGraph.ts';
import { tinyLabels, tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** Names of the weights of the base that are unfrozen. */
const unfrozen = ({ base }: { readonly base: Base }) =>
  base.trunk.weights.filter(({ frozen }) => !frozen).map(({ name }) => name);

const norms = ['bn1/gamma', 'bn1/beta', 'block_1_bn/gamma', 'block_1_bn/beta', 'bn2/beta'];

describe("'norms'", () => {
  test('unfreezes and freezes gamma and beta of the base, not the statistics and not the head', async () => {
    const model = await tinyTransfer();
    freeze(model, 'all');
    const report = unfreeze(model, 'norms');
    expect(unfrozen(model)).toEqual(norms);
    expect(report.changed).toBe(norms.length);
    expect(report.trainableParameters).toBe(8 + 8 + 16 + 16 + 12);
    expect(model.head.trunk.weights.every(({ frozen }) => frozen)).toBe(true);
    unfreeze(model, 'all');
    expect(freeze(model, ['norms', 'head']).layers.find(({ name }) => name === 'bn1')?.state).toBe('mixed');
    expect(unfrozen(model)).not.toContain('bn1/gamma');
    expect(unfrozen(model)).toContain('bn1/moving_mean');
    model.dispose();
  });

  test.each(['inference', 'train'] as const)(
    'fineTune changes these weights and the head, and no other by a bit: batchNorm %s',
    async (batchNorm) => {
      const model = await tinyTransfer();
      const before = weightValues(model);
      await expectNoLeak(() =>
        fineTune(model, tinySamples(4), { unfreeze: 'norms', epochs: 2, headEpochs: 0, batchNorm, seed: 1 }),
      );
      const after = weightValues(model);
      const changed = Object.keys(before).filter(
        (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
      );
      expect(changed).toEqual([...norms, ...model.head.trunk.weights.map(({ name }) => name)]);
      model.dispose();
    },
  );

  test('means the norms of FusedBatchNorm nodes in a GraphModel, not sums after a product', async () => {
    const model = replaceHead(await loadBase(tinyGraph()), { labels: tinyLabels });
    unfreeze(model, 'norms');
    const kinds = model.base.trunk.weights.flatMap(({ frozen, kind, layer }) => (frozen ? [] : [[layer, kind]]));
    expect(kinds).toEqual([
      ['net/bn1', 'gamma'],
      ['net/bn1', 'beta'],
    ]);
    model.dispose();
  });

  test('means LayerNorm, not the scale for each channel after it', async () => {
    registerLayers();
    const model = await transferOf([
      layers.dense({ name: 'dense', units: 4, inputShape: [4] }),
      layers.layerNormalization({ name: 'norm' }),
      new LayerScale({ name: 'scale', initValues: 0.3, projectionDim: 4 }),
    ]);
    unfreeze(model, 'norms');
    expect(unfrozen(model)).toEqual(['norm/gamma', 'norm/beta']);
    model.dispose();
  });

  test('is refused for a base without norms, and nothing is changed', async () => {
    const model = await transferOf([layers.dense({ name: 'dense', units: 4, inputShape: [4] })]);
    const refused = expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('no normalisation with a scale or an offset') as string,
    }) as Error;
    expect(() => unfreeze(model, ['dense', 'norms'])).toThrow(refused);
    expect(unfrozen(model)).toEqual([]);
    const vectors = { inputs: tinyLabels.map((_, i) => [i, 2, 3, 4]), targets: tinyLabels };
    await expect(fineTune(model, fromArrays(vectors), { unfreeze: 'norms', epochs: 1 })).rejects.toThrow(refused);
    expect(unfrozen(model)).toEqual([]);
    model.dispose();
  });
});

/** A model on a small stack of layers. */
async function transferOf(listed: layers.Layer[]): Promise<TransferModel> {
  const source = sequential({ name: 'stack', layers: listed });
  const base = await loadBase(source, { cut: source.layers.at(-1)?.name ?? '' });
  source.dispose();
  return replaceHead(base, { labels: tinyLabels });
}
