// freeze and unfreeze: every way to say which layers, and a report whose numbers were counted by hand.
import { layers, sequential } from '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  fineTune,
  freeze,
  loadBase,
  replaceHead,
  unfreeze,
  type FreezeReport,
  type FreezeSelection,
  type TransferModel,
} from '../src/index.ts';
import { expectNoLeak } from './support/tensors.ts';
import { useTestBackend } from './support/testBackend.ts';
import { tinyLabels, tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';

let model: TransferModel;
let named: TransferModel;
beforeAll(async () => {
  await useTestBackend();
  named = await namesThatBeginAlike();
});
beforeEach(async () => {
  model = await tinyTransfer({ hidden: [2] });
  return () => {
    model.dispose();
  };
});

/** A base whose layer names begin with each other. */
async function namesThatBeginAlike(): Promise<TransferModel> {
  const names = ['block_1', 'block_1_a', 'block_1.b', 'block_1-c', 'block_10', 'block_10_a', 'stage_1/d', 'stage_10/d'];
  const source = sequential({
    name: 'alike',
    layers: names.map((name, i) => layers.dense({ name, units: 2, ...(i === 0 ? { inputShape: [2] } : {}) })),
  });
  const base = await loadBase(source, { cut: 'stage_10/d' });
  source.dispose();
  return replaceHead(base, { labels: tinyLabels });
}

/** Names of the layers that are not frozen whole. */
function trainable(report: FreezeReport): string[] {
  return report.layers.filter(({ state }) => state !== 'frozen').map(({ name }) => name);
}

/** Names of the layers that a selection means: those that it unfreezes in a model that is frozen whole. */
function meant(target: TransferModel, which: FreezeSelection): string[] {
  freeze(target, 'all');
  return trainable(unfreeze(target, which));
}

const block = ['block_1_expand', 'block_1_depthwise', 'block_1_bn', 'block_1_project'];
const base = ['conv1', 'bn1', ...block, 'conv2', 'bn2'];
const head = ['head_dense_1', 'head_logits'];

describe('selected layers', () => {
  const onlyOnce = /conv\d/g;
  onlyOnce.lastIndex = 5;
  test.each<[string, FreezeSelection, string[]]>([
    ['a name', 'conv2', ['conv2']],
    ['the beginning of names', 'block_1', block],
    ['a longer beginning', 'block_1_bn', ['block_1_bn']],
    ['a RegExp', /_(expand|bn)$/, ['block_1_expand', 'block_1_bn']],
    ['a RegExp with a state of its own', onlyOnce, ['conv1', 'conv2']],
    ['a sticky RegExp', /b/y, ['bn1', ...block, 'bn2']],
    ['a function', (name) => name.endsWith('2'), ['conv2', 'bn2']],
    ['from a layer on', { from: 'block_1_project' }, ['block_1_project', 'conv2', 'bn2']],
    ['from a layer without weights on', { from: 'pool' }, ['conv2', 'bn2']],
    ['from the beginning of names on', { from: 'block_1' }, [...block, 'conv2', 'bn2']],
    ['the last stage', { lastStages: 1 }, ['conv2', 'bn2']],
    ['the last two stages', { lastStages: 2 }, [...block, 'conv2', 'bn2']],
    ['all stages', { lastStages: 3 }, base],
    ['a list', ['bn2', /^conv1$/, { from: 'bn2' }], ['conv1', 'bn2']],
    ['a list of lists', [['bn1'], [['conv2']]], ['bn1', 'conv2']],
    ['an empty list', [], []],
    ['the base', 'base', base],
    ['the head', 'head', head],
    ['both', 'all', [...base, ...head]],
    ['a layer of the head', 'head_logits', ['head_logits']],
    ['layers of the head by a RegExp', /^head_/, head],
    ['from a layer of the head on', { from: 'head_logits' }, ['head_logits']],
    ['a list over base and head', ['bn2', 'head_logits'], ['bn2', 'head_logits']],
    ['a list with a whole part', ['head', 'bn2'], ['bn2', ...head]],
  ])('%s', (_, which, expected) => {
    expect(meant(model, which)).toEqual(expected);
    // freeze means the same layers.
    unfreeze(model, 'all');
    const left = trainable(freeze(model, which));
    expect(left).toEqual([...base, ...head].filter((name) => !expected.includes(name)));
  });

  test('without a selection, the base', () => {
    freeze(model, 'all');
    expect(trainable(unfreeze(model))).toEqual(base);
    expect(trainable(freeze(model))).toEqual([]);
  });

  test.each<[FreezeSelection, string[]]>([
    ['block_1', ['block_1']],
    ['block_10', ['block_10']],
    ['stage_1', ['stage_1/d']],
    [/^block_1(?!0)/, ['block_1', 'block_1_a', 'block_1.b', 'block_1-c']],
    ['block', ['block_1', 'block_1_a', 'block_1.b', 'block_1-c', 'block_10', 'block_10_a']],
    [{ from: 'block_10' }, ['block_10', 'block_10_a', 'stage_1/d', 'stage_10/d']],
  ])('a prefix ends at a separator, and a whole name has priority: %s', (which, expected) => {
    expect(meant(named, which)).toEqual(expected);
  });

  test('block_1 does not select block_10 if no layer is called block_1', async () => {
    const source = sequential({
      layers: ['block_1_a', 'block_1.b', 'block_10_a', 'block_1x'].map((name, i) =>
        layers.dense({ name, units: 2, ...(i === 0 ? { inputShape: [2] } : {}) }),
      ),
    });
    const target = replaceHead(await loadBase(source, { cut: 'block_1x' }), { labels: tinyLabels });
    expect(meant(target, 'block_1')).toEqual(['block_1_a', 'block_1.b']);
    expect(meant(target, 'block_10')).toEqual(['block_10_a']);
  });
});

describe('the report', () => {
  // conv1 3·3·3·8, bn1 4·8, expand 8·16, depthwise 3·3·16, bn 4·16, project 16·8 + 8, conv2 3·3·8·12 + 12,
  // bn2 3·12 (no gamma), dense 12·2 + 2, logits 2·3 + 3.
  const parameters = [216, 32, 128, 144, 64, 136, 876, 36, 26, 9];

  test('lists every layer with weights, its part, its state and the numbers in it', () => {
    const { layers: listed } = freeze(model);
    expect(listed).toEqual(
      [...base, ...head].map((name, i) => ({
        name,
        part: i < 8 ? 'base' : 'head',
        state: i < 8 ? 'frozen' : 'trainable',
        parameters: parameters[i],
      })),
    );
  });

  test.each<[string, FreezeSelection, Omit<FreezeReport, 'layers' | 'fixed'>]>([
    [
      'the head',
      'head',
      {
        trainableParameters: 35,
        frozenParameters: 1632,
        changed: 4,
        summary: '35 trainable parameters in 2 layers, 1,632 frozen ones (8 layers frozen whole).',
      },
    ],
    [
      'the last stage: BatchNorm trains its beta, not its statistics',
      { lastStages: 1 },
      {
        trainableParameters: 876 + 12,
        frozenParameters: 1667 - 888,
        changed: 5,
        summary: '888 trainable parameters in 2 layers, 779 frozen ones (8 layers frozen whole).',
      },
    ],
    [
      'everything but statistics',
      'all',
      {
        trainableParameters: 1667 - 72,
        frozenParameters: 72,
        changed: 22,
        summary: '1,595 trainable parameters in 10 layers, 72 frozen ones (0 layers frozen whole).',
      },
    ],
  ])('counts %s', (_, which, expected) => {
    freeze(model, 'all');
    expect(unfreeze(model, which)).toMatchObject(expected);
  });

  test('counts what this call changed', () => {
    expect(unfreeze(model, 'conv2').changed).toBe(2);
    expect(unfreeze(model, ['conv2', 'conv1', 'conv1']).changed).toBe(1);
    expect(freeze(model).changed).toBe(3);
    expect(freeze(model).changed).toBe(0);
  });

  test('says mixed if only some weights of a layer are frozen', () => {
    unfreeze(model, 'bn1');
    for (const weight of model.base.trunk.weights) if (weight.name === 'bn1/gamma') weight.frozen = true;
    const report = freeze(model, []);
    expect(report.layers.find(({ name }) => name === 'bn1')?.state).toBe('mixed');
    expect(report.trainableParameters).toBe(8 + 35);
  });
});

describe('an invalid selection', () => {
  const unknown = (name: string) => `expected the name or the beginning of the name of a layer, got '${name}'.`;
  test.each<[string, unknown, string, string | RegExp]>([
    ['a typo lists the nearest first', 'conv3', 'UNKNOWN_LAYER', `${unknown('conv3')} Nearest: conv1, conv2, `],
    ['a typo in a layer of the head', 'head_logit', 'UNKNOWN_LAYER', `${unknown('head_logit')} Nearest: head_logits, `],
    [
      'a beginning that ends inside a word',
      'block_1_ex',
      'UNKNOWN_LAYER',
      `${unknown('block_1_ex')} Nearest: block_1_`,
    ],
    ['an empty name', '', 'UNKNOWN_LAYER', unknown('')],
    ['from an unknown layer on', { from: 'pol' }, 'UNKNOWN_LAYER', `${unknown('pol')} Nearest: pool, `],
    ['one unknown name in a list', ['conv2', 'bn3'], 'UNKNOWN_LAYER', `${unknown('bn3')} Nearest: bn1, bn2, `],
    [
      'a RegExp',
      /^nothing$/,
      'UNKNOWN_LAYER',
      /expected \/\^nothing\$\/ to match layers, it matches none of 13: conv1, bn1/,
    ],
    ['a function', () => false, 'UNKNOWN_LAYER', 'expected the given function to match layers, it matches none of 13'],
    ['no stage', { lastStages: 0 }, 'INVALID_OPTION', 'expected lastStages from 1 to 3, got 0.'],
    ['too many stages', { lastStages: 4 }, 'INVALID_OPTION', 'expected lastStages from 1 to 3, got 4.'],
    ['half a stage', { lastStages: 1.5 }, 'INVALID_OPTION', 'expected lastStages from 1 to 3, got 1.5.'],
    [
      'a number',
      3,
      'INVALID_OPTION',
      'expected a name, RegExp, function, { from }, { lastStages } or a list of these, got 3.',
    ],
    ['an object without either', {}, 'INVALID_OPTION', '{ lastStages } or a list of these, got {}.'],
    [
      'a layer without weights',
      'relu1',
      'INVALID_OPTION',
      'expected layers that hold weights, got "relu1", which means none.',
    ],
    ['nothing in a list', [null], 'INVALID_OPTION', 'or a list of these, got null.'],
  ])('%s', (_, which, code, text) => {
    unfreeze(model, 'bn1');
    const before = states();
    for (const verb of [freeze, unfreeze]) {
      const act = () => verb(model, which as FreezeSelection);
      expect(act).toThrow(expect.objectContaining({ code }) as Error);
      expect(act).toThrow(text);
      expect(act).toThrow(`${verb.name}: `);
    }
    expect(states()).toEqual(before);
  });

  test('lastStages counts stages of the base, never those of the head', async () => {
    const small = await tinyTransfer({ hidden: [2] }, 'relu1');
    expect(small.base.trunk.stages).toHaveLength(1);
    expect(small.head.trunk.stages.length).toBeGreaterThan(1);
    expect(() => unfreeze(small, { lastStages: 2 })).toThrow('unfreeze: expected lastStages from 1 to 1, got 2.');
  });

  test('in fineTune: nothing is changed', async () => {
    const [before, values] = [states(), weightValues(model)];
    await expectNoLeak(() =>
      expect(fineTune(model, tinySamples(), { unfreeze: ['conv2', 'bn3'] })).rejects.toThrow('Nearest: bn1, bn2, '),
    );
    expect([states(), weightValues(model), model.history]).toEqual([before, values, []]);
  });

  function states(): [string, boolean][] {
    return [...model.base.trunk.weights, ...model.head.trunk.weights].map(({ name, frozen }) => [name, frozen]);
  }
});

test('freezing creates and leaks no tensor', () => {
  const before = tf.memory().numTensors;
  freeze(model, 'all');
  unfreeze(model, { lastStages: 2 });
  expect(tf.memory().numTensors).toBe(before);
});
