// Bad input through the public doors: a clear error (what was expected, what came, what to do) and nothing lost, that
// is, no tensor, no weight, no freeze state, no history. What a folder, a decoder or a file cannot be is in
// test/platform/node; what cannot be loaded in save.test.ts and loadBase.test.ts; selections of layers in
// freeze.test.ts.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  blend,
  calibrate,
  compare,
  defineSamples,
  definePreprocessor,
  evaluate,
  findLearningRate,
  fineTune,
  freeze,
  fromArrays,
  isTransferKitError,
  knn,
  load,
  loadBase,
  nearestCentroid,
  predict,
  previewAugmentation,
  replaceHead,
  save,
  suggestCut,
  trainHead,
  unfreeze,
  useBackend,
  type EvaluateOptions,
  type FineTuneOptions,
  type HeadOptions,
  type PredictOptions,
  type Samples,
  type SplitOptions,
  type Target,
  type TransferModel,
} from '../src/index.ts';
import { adam, sgd } from '../src/optimizers.ts';
import { fileSystem, imageFolder } from '../src/node.ts';
import { randomGenerator } from '../src/core/random.ts';
import { expectNoLeak, raisedBy } from './support/tensors.ts';
import { tinyModel } from './support/tinyModel.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-bad-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** One model for all tests: trained, partly unfrozen. Nothing here may change it. */
let model: TransferModel<'classes'>;
const samples = tinySamples(4);
beforeAll(async () => {
  await useBackend('cpu');
  model = await tinyTransfer();
  await trainHead(model, samples, { epochs: 1 });
  unfreeze(model, 'conv2');
});

/** Everything that must not change. */
function stateOf(target: TransferModel): object {
  const { base, head, labels, history } = target;
  return {
    values: weightValues(target),
    frozen: [...base.trunk.weights, ...head.trunk.weights].map(({ name, frozen }) => [name, frozen]),
    history: [...history],
    labels: [...labels],
    trained: head.trained,
    disposed: [base.trunk.disposed, head.trunk.disposed],
  };
}

/** Asserts that something is refused with a code and a text, and that a model is as before. */
async function refused(
  act: () => unknown,
  code: string,
  text: string | RegExp,
  target: TransferModel = model,
): Promise<void> {
  const before = stateOf(target);
  const error = await raisedBy(act);
  if (!isTransferKitError(error)) throw error;
  expect([error.code, error.message]).toEqual([code, expect.stringMatching(toPattern(text))]);
  expect(error.message).toMatch(/^\[transferkit\] \w/);
  expect(stateOf(target)).toEqual(before);
}

function toPattern(text: string | RegExp): RegExp {
  return typeof text === 'string' ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : text;
}

/** The verbs that read samples. */
type Reader = (target: TransferModel, given: Samples) => Promise<unknown>;
const readers: Record<'trainHead' | 'fineTune' | 'evaluate', Reader> = {
  trainHead: (target, given) => trainHead(target, given, { epochs: 1 }),
  fineTune: (target, given) => fineTune(target, given, { epochs: 1 }),
  evaluate: (target, given) => evaluate(target, given),
};

const picture = (label = 'plain') => tinyPicture(label, randomGenerator(3));

/** Good examples, one of them spoilt. */
function withInput(input: unknown, index = 7): Samples {
  return fromArrays({
    inputs: Array.from({ length: samples.size }, (_, i) => (i === index ? input : picture())),
    targets: Array.from({ length: samples.size }, (_, i) => tinyLabels[i % 3] ?? ''),
  });
}

function withTargets(targets: readonly Target[], given?: readonly string[]): Samples {
  const labels = given === undefined ? {} : { labels: given };
  return fromArrays({ inputs: targets.map(() => picture()), targets, ...labels });
}

describe('samples', () => {
  test.each<[string, Samples, string, string | RegExp]>([
    [
      'labels that the head does not know',
      withTargets(['across', 'along', 'plain', 'dotted']),
      'UNKNOWN_LABEL',
      'expected the labels of the head (across, along, plain), got examples of dotted too. Give replaceHead the labels of the samples.',
    ],
    [
      'an index that no label has',
      withTargets([1, 2, 3]),
      'OUT_OF_RANGE',
      'expected a whole number 0 … 2, the index of a label, as target of example 2, got 3.',
    ],
    [
      'several labels for a head of one',
      withTargets([['across', 'along'], ['plain'], ['along']]),
      'INVALID_OPTION',
      'expected one label as target of example 0, got ["across","along"].',
    ],
  ])('%s', async (_, given, code, text) => {
    for (const [verb, read] of Object.entries(readers)) {
      const pattern = typeof text === 'string' ? `${verb}: ${text}` : text;
      await refused(() => read(model, given), code, pattern);
    }
  });

  test.each<[string, Samples, string, string | RegExp]>([
    [
      'fewer examples than classes',
      withTargets(['across', 'along']),
      'TOO_FEW_EXAMPLES',
      'expected at least one example for each of 3 labels, got 2 examples.',
    ],
    [
      'a class missing from the training examples',
      withTargets(['across', 'along', 'along', 'across']),
      'CLASS_WITHOUT_EXAMPLES',
      'expected examples of every label in training, got none of plain. Add some, split by samples.split (which keeps every ' +
        'class in both parts), or leave the labels out of replaceHead.',
    ],
    [
      'a class that is declared and has no example',
      withTargets(['across', 'along', 'along', 'across'], ['across', 'along', 'plain']),
      'CLASS_WITHOUT_EXAMPLES',
      'expected examples of every label in training, got none of plain.',
    ],
  ])('%s: training is refused, evaluation is not', async (_, given, code, text) => {
    await refused(() => readers.trainHead(model, given), code, `trainHead: ${text}`);
    await refused(() => readers.fineTune(model, given), code, `fineTune: ${text}`);
    expect(await evaluate(model, given)).toMatchObject({ examples: given.size });
  });

  test('too few samples for a validation share', async () => {
    const given = withTargets(['across', 'along', 'plain']);
    for (const verb of [trainHead, fineTune]) {
      await refused(
        () => verb(model, given, { validation: 0.5 }),
        'TOO_FEW_EXAMPLES',
        'split: expected at least one class with two examples, so that both parts get one, got one for each of 3 classes. Add examples.',
      );
    }
  });

  test('validation samples with other labels', async () => {
    const validation = withTargets(['across', 'dotted']);
    await refused(() => trainHead(model, samples, { validation }), 'UNKNOWN_LABEL', 'got examples of dotted too');
    await refused(() => fineTune(model, samples, { validation }), 'UNKNOWN_LABEL', 'got examples of dotted too');
  });

  test('an example whose label differs from the listed one', async () => {
    const given = { ...samples, read: () => ({ input: picture(), target: 'plane', id: 'one' }) };
    for (const read of Object.values(readers)) {
      await refused(
        () => read(model, given),
        'UNKNOWN_LABEL',
        "expected a label of the head for one, got 'plane'. Nearest: plain, ",
      );
    }
  });

  test('no samples at all', async () => {
    for (const [verb, read] of Object.entries(readers)) {
      await refused(() => read(model, { ...samples, size: 0 }), 'NO_EXAMPLES', `${verb}: expected examples, got none.`);
      for (const [given, found] of [
        ['photos', "'photos'"],
        [[1, 2], 'a list'],
        [undefined, 'undefined'],
      ] as const) {
        await refused(
          () => read(model, given as unknown as Samples),
          'INVALID_OPTION',
          `${verb}: expected samples, as fromArrays, defineSamples or imageFolder make them, got ${found}.`,
        );
      }
    }
    expect(() => fromArrays({ inputs: [], targets: [] })).toThrow(
      'fromArrays: expected at least one example, got none.',
    );
  });

  test('a negative weight', async () => {
    const given = { ...samples, read: () => ({ input: picture(), target: 'plain', id: 'one', weight: -1 }) };
    await refused(
      () => trainHead(model, given),
      'INVALID_OPTION',
      'trainHead: expected a finite weight of at least 0, got -1 for one.',
    );
  });

  test('targets of a regression that do not fit its outputs', async () => {
    const regression = await tinyTransfer({ task: 'regression', outputs: ['x', 'y'] });
    for (const [targets, text] of [
      [[1, 2, 3], 'expected 2 numbers as target of example 0, got 1.'],
      [['a', 'b', 'a'], 'expected 2 numbers as target of example 0, got "a".'],
    ] as const) {
      await refused(() => trainHead(regression, withTargets(targets)), 'INVALID_OPTION', text, regression);
    }
    const broken = { ...withTargets([[1, 2]]), read: () => ({ input: picture(), target: [1, NaN], id: 'one' }) };
    await refused(
      () => evaluate(regression, broken),
      'NOT_FINITE',
      'evaluate: expected targets that are finite in float32, got 1, NaN for one.',
      regression,
    );
  });
});

describe('inputs', () => {
  const keep = <T>(make: () => T): (() => T) => make;
  test.each<[string, () => unknown, string, string | RegExp]>([
    [
      'another shape',
      keep(() => new Float32Array(12)),
      'WRONG_SHAPE',
      'expected 768 values for shape [16, 16, 3], got a flat list of 12 values. Check the size of one example.',
    ],
    [
      'a tensor of another shape',
      keep(() => tf.zeros([8, 8, 3])),
      'WRONG_SHAPE',
      'expected one example of shape [16, 16, 3], got [8, 8, 3]. Bring it to that shape first.',
    ],
    [
      'a tensor of another type',
      keep(() => tf.zeros([16, 16, 3], 'int32')),
      'WRONG_DTYPE',
      "expected float32 values, got a tensor of type int32. Convert them: tf.cast(tensor, 'float32').",
    ],
    [
      'NaN',
      keep(() => new Float32Array(768).fill(NaN, 700)),
      'NOT_FINITE',
      'expected finite values, got NaN at position 700. Fill in or leave out missing values.',
    ],
    [
      'a path for a base that takes tensors',
      keep(() => 'cat.jpg'),
      'WRONG_DTYPE',
      "got the text 'cat.jpg'. If the base takes pictures, tell it how they are scaled: loadBase(source, { preprocess: 'tf' }).",
    ],
    [
      'a disposed tensor',
      keep(() => {
        const tensor = tf.zeros([16, 16, 3]);
        tensor.dispose();
        return tensor;
      }),
      'DISPOSED',
      'expected a live tensor, got one that is disposed. Dispose it after use.',
    ],
  ])('%s', async (_, make, code, text) => {
    const input = make();
    for (const read of Object.values(readers)) await refused(() => read(model, withInput(input)), code, text);
    await refused(() => predict(model, [picture(), input]), code, text);
    tf.dispose(input as tf.Tensor);
  });

  test.each<[string, () => unknown, string, string]>([
    [
      'another shape',
      () => tf.zeros([8, 8, 3]),
      'WRONG_SHAPE',
      'expected preprocessing to give [16, 16, 3], got [8, 8, 3] for',
    ],
    [
      'another type',
      () => tf.zeros([16, 16, 3], 'int32'),
      'WRONG_DTYPE',
      'expected preprocessing to give float32, got int32 for',
    ],
    ['no tensor', () => [1, 2, 3], 'INVALID_OPTION', 'expected preprocessing to give a tensor, got'],
  ])('custom preprocessing that returns %s', async (_, make, code, text) => {
    const source = tinyModel();
    const preprocess = definePreprocessor({ name: 'own', apply: () => make() as tf.Tensor });
    const own = replaceHead(await loadBase(source, { preprocess }), { labels: tinyLabels });
    own.head.trained = true; // so that fineTune speaks for itself, not trainHead for it
    for (const [verb, read] of Object.entries(readers))
      await refused(() => read(own, samples), code, `${verb}: ${text}`, own);
    await refused(() => predict(own, [1, 2]), code, `predict: ${text}`, own);
  });

  test('NaN from custom preprocessing', async () => {
    const source = tinyModel();
    const preprocess = definePreprocessor({ name: 'nan', apply: () => tf.fill([16, 16, 3], NaN) });
    const own = replaceHead(await loadBase(source, { preprocess }), { labels: tinyLabels });
    const text = (verb: string) =>
      new RegExp(
        `${verb}: expected preprocessing to give finite values, got NaN or infinity for (example|input) \\d+\\.`,
      );
    await refused(() => trainHead(own, samples), 'NOT_FINITE', text('trainHead'), own);
    await refused(() => fineTune(own, samples, { headEpochs: 0, epochs: 1 }), 'NOT_FINITE', text('fineTune'), own);
    await refused(() => evaluate(own, samples), 'NOT_FINITE', text('evaluate'), own);
    await refused(() => predict(own, 1), 'NOT_FINITE', text('predict'), own);
  });

  test('finite inputs with infinite outputs of the base', async () => {
    const own = await tinyTransfer({}, 'conv1');
    const huge = new Float32Array(768).fill(3e38);
    const text =
      'trainHead: expected finite features, got NaN or infinity for example 7. Check that example and its preprocessing.';
    await refused(() => trainHead(own, withInput(huge)), 'NOT_FINITE', text, own);
    await refused(
      () => evaluate(own, withInput(huge)),
      'NOT_FINITE',
      /evaluate: expected finite outputs, got .* for example 7\./,
      own,
    );
    await refused(
      () => predict(own, [picture(), huge]),
      'NOT_FINITE',
      /predict: expected finite outputs, got .* for input 1\./,
      own,
    );
  });

  test('values outside the range that the base was trained on', async () => {
    const source = tinyModel();
    const base = await loadBase(source, { preprocess: { kind: 'tensor', range: [-1, 1] } });
    const own = replaceHead(base, { labels: tinyLabels });
    const text =
      'expected values in the range that the base was trained on, -1..1, got values in 0..255. They look like pixels 0..255: ' +
      'use image preprocessing, or scale them.';
    const bytes = Float32Array.from({ length: 768 }, (_, i) => i % 256);
    await refused(() => trainHead(own, withInput(bytes)), 'OUT_OF_RANGE', text, own);
    await refused(() => predict(own, bytes), 'OUT_OF_RANGE', text, own);
  });
});

describe('folders of pictures', () => {
  let folder = '';
  let pictures: TransferModel<'classes'>;
  beforeAll(async () => {
    folder = join(root, 'photos');
    for (const label of tinyLabels) {
      mkdirSync(join(folder, label), { recursive: true });
      for (const [i, name] of ['1.png', '2.png', '3.png'].entries()) {
        const pixels = Uint8Array.from({ length: 20 * 20 * 3 }, (_, at) => (at * (i + 2) * 11) % 256);
        await sharp(pixels, { raw: { width: 20, height: 20, channels: 3 } })
          .png()
          .toFile(join(folder, label, name));
      }
    }
    const whole = readFileSync(join(folder, 'along', '1.png'));
    writeFileSync(join(folder, 'along', 'cut.png'), whole.subarray(0, 300));
    writeFileSync(join(folder, 'plain', 'page.jpg'), '<html>404</html>');
    const source = tinyModel();
    pictures = replaceHead(await loadBase(source, { preprocess: 'tf' }), { labels: tinyLabels });
    source.dispose();
  });

  test('with one class only', async () => {
    mkdirSync(join(root, 'one', 'cat'), { recursive: true });
    writeFileSync(join(root, 'one', 'cat', '1.png'), '');
    const one = await imageFolder(join(root, 'one'));
    await refused(
      () => replaceHead(model.base, { labels: one.labels }),
      'TOO_FEW_CLASSES',
      "replaceHead: expected two or more labels for task 'classes', got 1 (cat). A classifier needs something to tell apart: " +
        'add examples of another class.',
    );
  });

  test('with unreadable pictures: one error lists all of them, before anything is trained', async () => {
    const photos = await imageFolder(folder);
    const text = (verb: string) =>
      new RegExp(
        `${verb}: expected every example to be readable, got 2 that are not: along/cut\\.png \\(.*cut\\.png, but .*\\); ` +
          "plain/page\\.jpg \\(.*\\)\\. Remove them, or read the samples with onUnreadable: 'skip'\\.",
      );
    await refused(() => trainHead(pictures, photos, { batchSize: 4 }), 'UNREADABLE', text('trainHead'), pictures);
    await refused(() => evaluate(pictures, photos), 'UNREADABLE', text('evaluate'), pictures);
    const cached: FineTuneOptions = { unfreeze: 'conv2', headEpochs: 0, batchSize: 4 };
    await refused(() => fineTune(pictures, photos, cached), 'UNREADABLE', text('fineTune'), pictures);
  });

  test('with unreadable pictures that are skipped: the log lists them', async () => {
    const photos = await imageFolder(folder, { onUnreadable: 'skip' });
    const log = await expectNoLeak(() => trainHead(pictures, photos, { epochs: 1, batchSize: 4 }));
    expect(log.examples).toBe(9);
    expect(log.skipped.map(({ id }) => id)).toEqual(['along/cut.png', 'plain/page.jpg']);
  });

  test('with unreadable pictures only', async () => {
    const none = defineSamples({
      size: 3,
      target: (i) => tinyLabels[i] ?? '',
      read: (i) => ({ input: join(folder, 'plain', 'page.jpg'), target: tinyLabels[i] ?? '', id: `page ${String(i)}` }),
      onUnreadable: 'skip',
    });
    const text = 'expected examples that can be read, got none among 3.';
    await refused(() => trainHead(pictures, none), 'NO_EXAMPLES', `trainHead: ${text}`, pictures);
    await refused(() => trainHead(pictures, none, { cache: false }), 'NO_EXAMPLES', `trainHead: ${text}`, pictures);
    await refused(() => evaluate(pictures, none), 'NO_EXAMPLES', `evaluate: ${text}`, pictures);
  });

  test('a picture that was removed after it was listed', async () => {
    mkdirSync(join(root, 'gone', 'across'), { recursive: true });
    mkdirSync(join(root, 'gone', 'plain'), { recursive: true });
    for (const label of ['across', 'plain'])
      writeFileSync(join(root, 'gone', label, 'a.png'), readFileSync(join(folder, label, '1.png')));
    const gone = await imageFolder(join(root, 'gone'));
    rmSync(join(root, 'gone', 'plain', 'a.png'));
    await refused(
      () => evaluate(pictures, gone),
      'UNREADABLE',
      /got 1 that are not: plain\/a\.png \(expected a readable file at .*, but: ENOENT/,
      pictures,
    );
  });
});

describe('nothing to train', () => {
  test('everything frozen, and headEpochs 0', async () => {
    const target = await tinyTransfer();
    freeze(target, 'all');
    for (const headEpochs of [0, 1]) {
      await refused(
        () => fineTune(target, samples, { headEpochs }),
        'NOTHING_TO_TRAIN',
        "fineTune: expected weights to train, got a model in which everything is frozen. Call unfreeze(model, 'head') or unfreeze(model).",
        target,
      );
    }
  });

  test('only layers without weights are unfrozen', async () => {
    const target = await tinyTransfer();
    freeze(target, 'all');
    await refused(
      () => fineTune(target, samples, { unfreeze: 'relu1', headEpochs: 0 }),
      'INVALID_OPTION',
      'expected layers that hold weights, got "relu1", which means none.',
      target,
    );
  });

  test('a frozen head, for trainHead', async () => {
    const target = await tinyTransfer();
    unfreeze(target);
    freeze(target, 'head');
    await refused(
      () => trainHead(target, samples),
      'NOTHING_TO_TRAIN',
      "trainHead: expected weights to train, got a head that is frozen. Call unfreeze(model, 'head').",
      target,
    );
  });
});

describe('options that are not objects', () => {
  const none = [null, 'fast', 3, [1]] as const;
  const verbs: Record<string, (options: never) => unknown> = {
    trainHead: (options) => trainHead(model, samples, options),
    fineTune: (options) => fineTune(model, samples, options),
    evaluate: (options) => evaluate(model, samples, options),
    predict: (options) => predict(model, picture(), options),
    blend: (options) => blend(model, model, options),
    calibrate: (options) => calibrate(model, samples, options),
    findLearningRate: (options) => findLearningRate(model, samples, options),
    suggestCut: (options) => suggestCut(model.base, samples, options),
    compare: (options) => compare({ model }, samples, options),
    knn: (options) => knn(model.base, options),
    nearestCentroid: (options) => nearestCentroid(model.base, options),
    previewAugmentation: (options) => previewAugmentation(model, [], options),
    loadBase: (options) => loadBase('nowhere', options),
    load: (options) => load('nowhere', options),
    replaceHead: (options) => replaceHead(model.base, options),
    split: (options) => samples.split(options),
  };
  test.each(Object.entries(verbs))('%s', async (name, verb) => {
    const least = name === 'replaceHead' || name === 'split' ? [undefined] : [];
    for (const options of [...none, ...least]) {
      await refused(() => verb(options as never), 'INVALID_OPTION', `${name}: expected options such as {`);
    }
  });

  test('restoreBest', async () => {
    const act = () => fineTune(model, samples, { restoreBest: 'yes' as never });
    await refused(act, 'INVALID_OPTION', 'fineTune: expected restoreBest to be true or false');
  });
});

describe('options', () => {
  const whole = (name: string, least: number, got: string) =>
    `expected ${name} to be a whole number from ${String(least)}, got ${got}.`;
  const rate = (name: string, got: string) => `expected ${name} to be a finite number above 0, got ${got}.`;
  const share = (got: string) =>
    `expected validation to be samples, a share above 0 and below 1, 'auto' or false, got ${got}.`;
  const both: [object, string][] = [
    [{ epochs: 0 }, whole('epochs', 1, '0')],
    [{ epochs: -1 }, whole('epochs', 1, '-1')],
    [{ epochs: 2.5 }, whole('epochs', 1, '2.5')],
    [{ epochs: NaN }, whole('epochs', 1, 'NaN')],
    [{ epochs: Infinity }, whole('epochs', 1, 'Infinity')],
    [{ epochs: '3' }, whole('epochs', 1, "'3'")],
    [{ epochs: 3, initialEpoch: 3 }, whole('epochs', 4, '3')],
    [{ initialEpoch: -1 }, whole('initialEpoch', 0, '-1')],
    [{ batchSize: 0 }, whole('batchSize', 1, '0')],
    [{ batchSize: 1.5 }, whole('batchSize', 1, '1.5')],
    [{ seed: 1.5 }, whole('seed', 0, '1.5')],
    [{ seed: -1 }, whole('seed', 0, '-1')],
    [{ validation: 0 }, share('0')],
    [{ validation: 1 }, share('1')],
    [{ validation: 1.2 }, share('1.2')],
    [{ validation: NaN }, share('NaN')],
    [
      { validation: '0.2' },
      "expected validation to be samples, a share above 0 and below 1, 'auto' or false, got '0.2'.",
    ],
    [{ optimizer: 'adamw' }, " or one made by adam(), sgd() …, got 'adamw'."],
    [{ schedule: 'sine' }, "expected schedule to be 'constant', 'cosine', "],
    [{ optimizer: 'constructor' }, "got 'constructor'."],
    [{ optimizer: {} }, 'got {}.'],
    [{ optimizer: sgd }, "got a function 'sgd'."],
  ];

  test.each<[object, string]>([
    ...both,
    [{ learningRate: 0 }, rate('learningRate', '0')],
    [{ learningRate: -1e-3 }, rate('learningRate', '-0.001')],
    [{ learningRate: NaN }, rate('learningRate', 'NaN')],
    [{ learningRate: Infinity }, rate('learningRate', 'Infinity')],
  ])('trainHead %j', async (options, text) => {
    await refused(() => trainHead(model, samples, options), 'INVALID_OPTION', text);
  });

  test.each<[object, string]>([
    ...both,
    [{ learningRate: 0 }, rate('learningRate', '0')],
    [{ learningRate: NaN }, rate('learningRate', 'NaN')],
    [{ learningRate: { base: -1, head: 1 } }, rate('learningRate.base', '-1')],
    [{ learningRate: { base: 1, head: NaN } }, rate('learningRate.head', 'NaN')],
    [{ learningRate: { base: 1e-3 } }, rate('learningRate.head', 'undefined')],
    [{ headEpochs: -1 }, whole('headEpochs', 0, '-1')],
    [{ headEpochs: 0.5 }, whole('headEpochs', 0, '0.5')],
    [{ unfreeze: { lastStages: 9 } }, 'fineTune: expected lastStages from 1 to 3, got 9.'],
  ])('fineTune %j', async (options, text) => {
    await refused(() => fineTune(model, samples, options), 'INVALID_OPTION', text);
  });

  test.each<[object, string]>([
    [{ batchSize: 0 }, whole('batchSize', 1, '0')],
    [{ batchSize: NaN }, whole('batchSize', 1, 'NaN')],
    [{ topK: 0 }, whole('topK', 1, '0')],
    [{ topK: 1.5 }, whole('topK', 1, '1.5')],
    [{ worst: -1 }, whole('worst', 0, '-1')],
  ])('evaluate %j', async (options, text) => {
    await refused(() => evaluate(model, samples, options as EvaluateOptions), 'INVALID_OPTION', `evaluate: ${text}`);
  });

  test.each<[object, string]>([
    [{ batchSize: 0 }, whole('batchSize', 1, '0')],
    [{ topK: 0 }, whole('topK', 1, '0')],
    [{ topK: -1 }, whole('topK', 1, '-1')],
    [{ topK: '2' }, whole('topK', 1, "'2'")],
  ])('predict %j', async (options, text) => {
    await refused(() => predict(model, picture(), options as PredictOptions), 'INVALID_OPTION', `predict: ${text}`);
  });

  test.each<[object, string, string]>([
    [{ hidden: [0] }, 'INVALID_OPTION', 'expected hidden to list whole numbers above 0, got [0].'],
    [{ hidden: [64, 1.5] }, 'INVALID_OPTION', 'expected hidden to list whole numbers above 0, got [64,1.5].'],
    [{ hidden: 64 }, 'INVALID_OPTION', 'expected hidden to list whole numbers above 0, got 64.'],
    [{ dropout: 1 }, 'INVALID_OPTION', 'expected dropout to be at least 0 and below 1, got 1.'],
    [{ dropout: -0.1 }, 'INVALID_OPTION', 'expected dropout to be at least 0 and below 1, got -0.1.'],
    [{ dropout: NaN }, 'INVALID_OPTION', 'expected dropout to be at least 0 and below 1, got '],
    [{ seed: 1.5 }, 'INVALID_OPTION', 'expected seed to be a whole number, got 1.5.'],
    [{ pooling: 'mean' }, 'INVALID_OPTION', 'expected pooling to be one of average, max, both, flatten, got "mean".'],
    [
      { task: 'clases' },
      'INVALID_OPTION',
      'expected task to be one of classes, binary, multiLabel, ordinal, regression, got clases.',
    ],
    [{ labels: undefined }, 'INVALID_OPTION', "expected labels, such as { labels: ['cat', 'dog'] }, got nothing."],
    [{ labels: 'cat' }, 'INVALID_OPTION', 'expected a list of names, got cat.'],
    [{ labels: ['cat', 'dog', 'cat'] }, 'INVALID_OPTION', "expected names that differ, got 'cat' twice."],
    [{ labels: ['cat', ''] }, 'INVALID_OPTION', 'expected names that are not empty, got ["cat",""].'],
    [{ labels: [1, 2] }, 'INVALID_OPTION', 'expected names that are not empty, got [1,2].'],
    [{ labels: [] }, 'TOO_FEW_CLASSES', "expected two or more labels for task 'classes', got 0 (none)."],
    [{ labels: ['cat'] }, 'TOO_FEW_CLASSES', "expected two or more labels for task 'classes', got 1 (cat)."],
    [
      { task: 'binary', labels: ['a', 'b', 'c'] },
      'TOO_FEW_CLASSES',
      "expected exactly two labels for task 'binary', got 3 (a, b, c).",
    ],
    [
      { task: 'multiLabel', labels: [] },
      'TOO_FEW_CLASSES',
      "expected one or more labels for task 'multiLabel', got 0 (none).",
    ],
    [{ outputs: 2 }, 'INVALID_OPTION', "expected labels instead of outputs for task 'classes', got 2."],
    [
      { task: 'regression', labels: ['a', 'b'] },
      'INVALID_OPTION',
      'expected outputs instead of labels for regression, got ["a","b"].',
    ],
    [
      { task: 'regression', labels: undefined, outputs: 0 },
      'INVALID_OPTION',
      'expected outputs to be a whole number above 0, got 0.',
    ],
    [{ task: 'regression', labels: undefined, outputs: [] }, 'INVALID_OPTION', 'expected at least one output, got [].'],
    [
      { task: 'regression', labels: undefined, outputs: ['x', 'x'] },
      'INVALID_OPTION',
      "expected names that differ, got 'x' twice.",
    ],
  ])('replaceHead %j', async (options, code, text) => {
    const all = { labels: ['cat', 'dog'], ...options } as HeadOptions;
    await refused(() => replaceHead(model.base, all), code, `replaceHead: ${text}`);
  });

  test('pooling of features that are vectors', async () => {
    const source = tinyModel();
    const base = await loadBase(source, { cut: 'gap' });
    const text = "replaceHead: expected no pooling for features of shape [any, 12], got 'max'.";
    await refused(() => replaceHead(base, { labels: ['cat', 'dog'], pooling: 'max' }), 'INVALID_OPTION', text);
  });

  test.each<[string, () => LayersModel, object, string, string]>([
    [
      'a softmax',
      () =>
        sequential({
          layers: [
            layers.globalAveragePooling2d({ inputShape: [4, 4, 12] }),
            layers.dense({ units: 2, activation: 'softmax', name: 'last' }),
          ],
        }),
      {},
      'HEAD_WITHOUT_LOGITS',
      "replaceHead: expected a head that gives logits, got one that ends in softmax ('last'). Leave the activation out: losses and predictions apply it themselves.",
    ],
    [
      'another input',
      () => sequential({ layers: [layers.dense({ units: 2, inputShape: [7] })] }),
      {},
      'WRONG_SHAPE',
      "replaceHead: expected a head whose input fits the base's features [any, 4, 4, 12], got [any, 7]. Give it that inputShape, and begin it with a pooling layer where features are maps.",
    ],
    [
      'another number of logits',
      () =>
        sequential({ layers: [layers.globalAveragePooling2d({ inputShape: [4, 4, 12] }), layers.dense({ units: 5 })] }),
      {},
      'WRONG_SHAPE',
      'replaceHead: expected a head that gives [any, 2] for these labels, got [any, 5].',
    ],
    [
      'options of layers beside it',
      () =>
        sequential({ layers: [layers.globalAveragePooling2d({ inputShape: [4, 4, 12] }), layers.dense({ units: 2 })] }),
      { hidden: [3], dropout: 0.1 },
      'INVALID_OPTION',
      'replaceHead: expected no layer options together with model, got "hidden, dropout".',
    ],
  ])('a custom head with %s; the caller still owns it', async (_, make, options, code, text) => {
    const own = make();
    await refused(() => replaceHead(model.base, { labels: ['cat', 'dog'], model: own, ...options }), code, text);
    const shape = own.inputs[0]?.shape ?? [];
    expect((own.predict(tf.zeros([1, ...shape.slice(1).map(Number)])) as tf.Tensor).shape[0]).toBe(1);
    own.dispose();
  });

  const calls: [() => unknown, string][] = [
    [() => adam({ beta1: 1 }), 'adam: expected beta1 at least 0 and below 1, got 1.'],
    [() => adam({ beta2: -0.1 }), 'adam: expected beta2 at least 0 and below 1, got -0.1.'],
    [() => adam({ epsilon: 0 }), 'adam: expected epsilon above 0, got 0.'],
    [() => sgd({ momentum: NaN }), 'sgd: expected momentum at least 0 and below 1, got NaN.'],
    [
      () => samples.split({ validation: 0 }),
      'split: expected validation to be a share above 0 and below 1, such as 0.2, got 0.',
    ],
    [() => samples.split({ validation: 0.5, seed: 0.5 }), 'split: expected seed to be a whole number, got 0.5.'],
    [() => samples.split({} as SplitOptions), 'got undefined.'],
    [
      () => samples.split({ validation: 0.5, atLeast: 0 }),
      'split: expected atLeast to be a whole number from 1, got 0.',
    ],
    [() => samples.read(99), 'samples.read: expected an index 0 … 11, got 99.'],
    [
      () => definePreprocessor({ name: '', apply: () => tf.scalar(1) }),
      'definePreprocessor: expected a name that is not empty, got none.',
    ],
    [
      () => save(model, { load: () => Promise.resolve({}) }),
      'save: expected an IOHandler that can save, got one without save().',
    ],
    [
      () => useBackend(''),
      "useBackend: expected the name of a backend or a list of names ('wasm', 'cpu', 'webgpu'), got \"\".",
    ],
  ];
  test.each(calls.map(([act, text]) => [text, act] as const))('%s', async (text, act) => {
    await refused(act, 'INVALID_OPTION', text);
  });

  test('load', async () => {
    await refused(
      () => load({ save: () => Promise.reject(new Error('no')) }),
      'UNSUPPORTED_SOURCE',
      'expected an IOHandler that can load, got one without load().',
    );
    const plain = tinyModel();
    let artifacts: tf.io.ModelArtifacts = {};
    await plain.save(
      tf.io.withSaveHandler((each) => {
        artifacts = each;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
      }),
    );
    await refused(
      () => load({ load: () => Promise.resolve(artifacts) }),
      'INVALID_OPTION',
      "load: expected 5 labels for 5 outputs of task 'classes', got none. Give their names in the order of the outputs: " +
        "load(source, { labels: ['cat', …] }).",
    );
  });
});

describe('saving', () => {
  test.each<[string, () => string]>([
    ['a name that no disk takes', () => join(root, 'x'.repeat(300))],
    ['a place below a device', () => '/dev/null/model'],
    [
      'a place where model.json is a folder',
      () => {
        mkdirSync(join(root, 'taken', 'model.json', 'inside'), { recursive: true });
        return join(root, 'taken');
      },
    ],
  ])('to %s creates no file, and does not change the model', async (_, place) => {
    const directory = place();
    const before = readdirSync(root);
    await refused(
      () => save(model, fileSystem(directory)),
      'SAVE_FAILED',
      /expected to write a model to .*, but: E[A-Z]+: .*\. What was there before is unchanged/,
    );
    expect(readdirSync(root)).toEqual(before);
    if (directory.endsWith('taken')) expect(readdirSync(directory)).toEqual(['model.json']);
    // And it can be saved elsewhere.
    await save(model, fileSystem(join(root, 'good')));
    rmSync(join(root, 'good'), { recursive: true });
  });

  test('with a handler that fails in the middle', async () => {
    const handler = tf.io.withSaveHandler(() => Promise.reject(new Error('quota')));
    await refused(() => save(model, handler), 'SAVE_FAILED', 'save: could not write the model: quota');
  });
});

describe('after dispose', () => {
  test.each<[string, (target: TransferModel) => unknown]>([
    ['trainHead', (target) => trainHead(target, samples)],
    ['fineTune', (target) => fineTune(target, samples)],
    ['evaluate', (target) => evaluate(target, samples)],
    ['predict', (target) => predict(target, picture())],
    ['freeze', (target) => freeze(target)],
    ['unfreeze', (target) => unfreeze(target)],
    ['save', (target) => save(target, fileSystem(join(root, 'never')))],
    ['replaceHead', (target) => replaceHead(target.base, { labels: ['cat', 'dog'] })],
  ])('%s raises DISPOSED', async (verb, act) => {
    const target = await tinyTransfer();
    target.dispose();
    target.dispose();
    const states = [...target.base.trunk.weights].map(({ frozen }) => frozen);
    await expectNoLeak(() =>
      expect(Promise.resolve().then(() => act(target))).rejects.toMatchObject({ code: 'DISPOSED' }),
    );
    await expect(Promise.resolve().then(() => act(target))).rejects.toThrow(
      new RegExp(`${verb}: expected a usable (model|base), got 'tiny' after its dispose\\(\\)\\.`),
    );
    expect(target.base.trunk.weights.map(({ frozen }) => frozen)).toEqual(states);
    expect(target.history).toEqual([]);
    expect(readdirSync(root)).not.toContain('never');
  });

  test('of the base alone: the model raises DISPOSED too', async () => {
    const target = await tinyTransfer();
    target.base.dispose();
    await expect(predict(target, picture())).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(trainHead(target, samples)).rejects.toMatchObject({ code: 'DISPOSED' });
    target.dispose();
  });
});

describe('callbacks that raise', () => {
  const mine = new Error('mine');
  test.each<[string, (target: TransferModel, onProgress: () => void) => Promise<unknown>]>([
    ['trainHead, while features are computed', (t, onProgress) => trainHead(t, samples, { batchSize: 4, onProgress })],
    [
      'trainHead, without the cache',
      (t, onProgress) => trainHead(t, samples, { batchSize: 4, cache: false, onProgress }),
    ],
    ['fineTune of everything', (t, onProgress) => fineTune(t, samples, { batchSize: 4, headEpochs: 0, onProgress })],
    ['evaluate', (t, onProgress) => evaluate(t, samples, { batchSize: 4, onProgress })],
  ])('%s: the same error is raised, and no tensor leaks', async (_, act) => {
    const target = await tinyTransfer();
    let calls = 0;
    const onProgress = () => {
      if (++calls === 2) throw mine;
    };
    await expectNoLeak(() => expect(act(target, onProgress)).rejects.toBe(mine));
    expect(target.history).toEqual([]);
  });

  test('in the middle of an epoch, and after one', async () => {
    const target = await tinyTransfer();
    await expectNoLeak(() =>
      expect(
        trainHead(target, samples, {
          batchSize: 4,
          onProgress: ({ phase, done }) => {
            if (phase === 'head' && done === 4) throw mine;
          },
        }),
      ).rejects.toBe(mine),
    );
    const onEpoch = () => {
      throw mine;
    };
    await expectNoLeak(() => expect(trainHead(target, samples, { onEpoch })).rejects.toBe(mine));
  });
});

test('after all this the model still predicts and trains', async () => {
  expect(await predict(model, picture())).toHaveLength(3);
  expect(model.history).toHaveLength(1);
  await fineTune(model, samples, { epochs: 1 });
  expect(model.history).toHaveLength(2);
});
