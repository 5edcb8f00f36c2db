// Every function that takes options refuses a misspelt one before it reads or changes anything, and names the right
// one.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import * as augment from '../src/augment.ts';
import * as browser from '../src/browser.ts';
import * as main from '../src/index.ts';
import * as layers from '../src/layers.ts';
import * as node from '../src/node.ts';
import * as optimizers from '../src/optimizers.ts';
import * as schedules from '../src/schedules.ts';
import * as testing from '../src/testing.ts';
import * as worker from '../src/worker.ts';
import { raisedBy } from './support/tensors.ts';
import { tinyLabels, tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';

type Call = (options: never) => unknown;
type Row = readonly [call: Call, misspelt: object, nearest: string];

let model: main.TransferModel<'classes'>;
const samples = tinySamples(4);
beforeAll(async () => {
  await main.useBackend('cpu');
  model = await tinyTransfer();
  await main.trainHead(model, samples, { epochs: 1 });
  main.unfreeze(model, 'conv2');
});

/** A source that would raise another error, were it read. */
const unread = 'no-such-folder';
const noWorker = { postMessage: () => undefined, terminate: () => undefined };

/** One row for each function of the doors that takes options. */
const functions: Record<string, Row> = {
  adagrad: [optimizers.adagrad, { initalSum: 1 }, 'initialSum'],
  adam: [optimizers.adam, { beta3: 1 }, 'beta1'],
  adamW: [optimizers.adamW, { wd: 0.1 }, 'weightDecay'],
  blend: [(options) => main.blend(model, model, options), { alpah: 0.5 }, 'alpha'],
  blur: [augment.blur, { sigmas: [1, 2] }, 'sigma'],
  brightness: [augment.brightness, { amuont: 0.1 }, 'amount'],
  calibrate: [(options) => main.calibrate(model, samples, options), { batch_size: 4 }, 'batchSize'],
  compare: [(options) => main.compare({ one: model }, samples, options), { epoch: 1 }, 'epochs'],
  contrast: [augment.contrast, { probabilty: 1 }, 'probability'],
  cosine: [schedules.cosine, { ends: 0.1 }, 'end'],
  cosineRestarts: [schedules.cosineRestarts, { fist: 0.1 }, 'first'],
  cutout: [augment.cutout, { aspekt: [1, 1] }, 'aspect'],
  defineSamples: [
    main.defineSamples,
    { size: 1, target: () => 'a', read: () => ({ input: 1, target: 'a', id: '' }), label: ['a'] },
    'labels',
  ],
  defineBase: [main.defineBase, { name: 'own', trnk: {} }, 'trunk'],
  defineTrunk: [main.defineTrunk, { name: 'own', stagess: [] }, 'stages'],
  definePreprocessor: [main.definePreprocessor, { name: 'own', aply: () => tf.scalar(1) }, 'apply'],
  evaluate: [(options) => main.evaluate(model, samples, options), { topk: 1 }, 'topK'],
  exportModel: [
    (options) => main.exportModel(model, unread, options),
    { format: 'keras', quantise: 'uint8' },
    'quantize',
  ],
  exponential: [schedules.exponential, { faktor: 0.1 }, 'factor'],
  findLearningRate: [(options) => main.findLearningRate(model, samples, options), { step: 10 }, 'steps'],
  fineTune: [(options) => main.fineTune(model, samples, options), { unfrezze: 'head' }, 'unfreeze'],
  flip: [augment.flip, { directoin: 'vertical' }, 'direction'],
  focalLoss: [main.focalLoss, { gama: 1 }, 'gamma'],
  fromArrays: [main.fromArrays, { inputs: [1], targets: ['a'], weight: [1] }, 'weights'],
  fromIterable: [(options) => main.fromIterable([{ input: 1, target: 'a' }], options), { lables: ['a'] }, 'labels'],
  fromTensors: [main.fromTensors, { inputs: 1, targets: ['a'], id: ['a'] }, 'ids'],
  grayscale: [augment.grayscale, { probabilty: 1 }, 'probability'],
  hue: [augment.hue, { ammount: 0.1 }, 'amount'],
  huberLoss: [main.huberLoss, { delte: 1 }, 'delta'],
  webcam: [(options) => browser.webcam(options), { facin: 'user' }, 'facing'],
  imageFiles: [(options) => browser.imageFiles([], options), { labelof: () => '' }, 'labelOf'],
  imageFolder: [(options) => node.imageFolder(unread, options), { extension: ['jpg'] }, 'extensions'],
  imagePreprocessor: [main.imagePreprocessor, { mode: 'tf', sice: [1, 1] }, 'size'],
  knn: [(options) => main.knn(model.base, options), { distence: 'cosine' }, 'distance'],
  warmUp: [(options) => schedules.warmUp(schedules.cosine(), options), { step: 10 }, 'steps'],
  linear: [schedules.linear, { ends: 0.1 }, 'end'],
  lion: [optimizers.lion, { weightdecay: 0.1 }, 'weightDecay'],
  load: [(options) => main.load(unread, options), { lables: ['a', 'b'] }, 'labels'],
  loadBase: [(options) => main.loadBase(unread, options), { inputShape: [32, 32] }, 'inputSize'],
  nearestCentroid: [(options) => main.nearestCentroid(model.base, options), { poolling: 'max' }, 'pooling'],
  noise: [augment.noise, { deviations: 0.1 }, 'deviation'],
  oneCycle: [schedules.oneCycle, { divfinal: 10 }, 'divFinal'],
  perspective: [augment.perspective, { fil: 0 }, 'fill'],
  polynomial: [schedules.polynomial, { pover: 2 }, 'power'],
  autocontrast: [augment.autocontrast, { probabilty: 1 }, 'probability'],
  equalize: [augment.equalize, { probabilty: 1 }, 'probability'],
  sharpness: [augment.sharpness, { amuont: 0.1 }, 'amount'],
  solarize: [augment.solarize, { treshold: 0.1 }, 'threshold'],
  trivial: [augment.trivial, { fil: 0 }, 'fill'],
  posterize: [augment.posterize, { bit: 4 }, 'bits'],
  predict: [(options) => main.predict(model, unread, options), { topk: 1 }, 'topK'],
  previewAugmentation: [(options) => main.previewAugmentation(model, [unread], options), { view: 1 }, 'views'],
  randomResizedCrop: [augment.randomResizedCrop, { areas: [0.1, 1] }, 'area'],
  plateau: [schedules.plateau, { patiance: 1 }, 'patience'],
  replaceHead: [(options) => main.replaceHead(model.base, options), { labels: tinyLabels, droput: 0.1 }, 'dropout'],
  rmsprop: [optimizers.rmsprop, { alpha: 0.99 }, 'decay'],
  rotate: [augment.rotate, { degree: 10 }, 'degrees'],
  saturation: [augment.saturation, { amuont: 0.1 }, 'amount'],
  sgd: [optimizers.sgd, { nestrov: true }, 'nesterov'],
  shear: [augment.shear, { horizontel: 10 }, 'horizontal'],
  shift: [augment.shift, { vertikal: 0.1 }, 'vertical'],
  step: [schedules.step, { evry: 10 }, 'every'],
  suggestCut: [(options) => main.suggestCut(model.base, samples, options), { fold: 3 }, 'folds'],
  tensorPreprocessor: [main.tensorPreprocessor, { shape: [1], dtyp: 'float32' }, 'dtype'],
  trainHead: [(options) => main.trainHead(model, samples, options), { lr: 1 }, 'learningRate'],
  tuneThresholds: [(options) => main.tuneThresholds(model, samples, options), { metrics: 'f1' }, 'metric'],
  useBackend: [(options) => main.useBackend('cpu', options), { thread: 1 }, 'threads'],
  writeBase: [(options) => main.writeBase(model.base, unread, options), { quantise: 'float16' }, 'quantize'],
  connectTransferKit: [(options) => worker.connectTransferKit(noWorker, options), { second: 1 }, 'seconds'],
  serveModel: [(options) => node.serveModel(model, options), { prot: 80 }, 'port'],
  serveTransferKit: [worker.serveTransferKit, { function: {} }, 'functions'],
  zoom: [augment.zoom, { ranges: [1, 2] }, 'range'],
};

const withoutOptions = [
  'droppedFiles',
  'TransferKitError',
  'checkTrunk',
  'constant',
  'fileSystem',
  'freeze',
  'isTransferKitError',
  'keepStorage',
  'registerLayers',
  'save',
  'toGraphModel',
  'unfreeze',
  'zipBlob',
  'zipDownload',
];

const fineTune: Call = (options) => main.fineTune(model, samples, options);
const loadBase: Call = (options) => main.loadBase(unread, options);
const several: Call = (options) => main.replaceHead(model.base, options);

/** Options inside of options, and of methods. */
const nested: Record<string, Row> = {
  augment: [fineTune, { augment: [{ name: 'flip', directoin: 'vertical' }] }, 'direction'],
  batchNorm: [fineTune, { batchNorm: { momentun: 0.9 } }, 'momentum'],
  cache: [fineTune, { cache: { precission: 'float16' } }, 'precision'],
  checkpoint: [fineTune, { checkpoint: { to: 'there', evry: 1 } }, 'every'],
  'checkpoint.every': [fineTune, { checkpoint: { to: 'there', every: { step: 1 } } }, 'steps'],
  clip: [fineTune, { clip: { norms: 1 } }, 'norm'],
  'compare: of a contestant': [
    (options) => main.compare({ one: { model, options } }, samples, { epochs: 1 }),
    { unfrezze: 'head' },
    'unfreeze',
  ],
  'compare: in a contestant': [
    (given: object) => main.compare({ one: { model, ...given } }, samples),
    { option: {} },
    'options',
  ],
  'compare: of an option of a later contestant': [
    async (ema) => {
      const other = await tinyTransfer();
      return main.compare({ one: other, two: { model, options: { ema } } }, samples).finally(() => {
        const { trained } = other.head;
        other.dispose();
        expect(trained).toBe(false);
      });
    },
    { decai: 0.9 },
    'decay',
  ],
  earlyStopping: [fineTune, { earlyStopping: { patiance: 3 }, validation: 0.3 }, 'patience'],
  ema: [fineTune, { ema: { decai: 0.9 } }, 'decay'],
  'freeze: of a place': [(given) => main.freeze(model, given), { form: 'conv1' }, 'from'],
  heads: [several, { heads: { kind: { label: tinyLabels } } }, 'labels'],
  'learningRate of fineTune': [fineTune, { learningRate: { haed: 1, base: 1 } }, 'head'],
  'limits of imagePreprocessor': [
    (limits) => main.imagePreprocessor({ mode: 'tf' }, limits),
    { maxPixel: 1 },
    'maxPixels',
  ],
  'mode of imagePreprocessor': [main.imagePreprocessor, { mode: { mean: 0, std: 1, sdt: 1 } }, 'std'],
  'pictures of load': [(options) => main.load(unread, options), { pictures: { svgs: true } }, 'svg'],
  'pictures of loadBase': [loadBase, { pictures: { maxPixel: 1 } }, 'maxPixels'],
  'preprocess: its mode': [loadBase, { preprocess: { kind: 'image', mode: { mean: 0, st: 1 } } }, 'std'],
  'preprocess: mean and std': [loadBase, { preprocess: { mean: 0, st: 1 } }, 'std'],
  'preprocess: of pictures': [loadBase, { preprocess: { kind: 'image', mode: 'tf', resise: 'nearest' } }, 'resize'],
  'preprocess: of tensors': [loadBase, { preprocess: { kind: 'tensor', ranges: [0, 1] } }, 'range'],
  schedule: [fineTune, { schedule: { name: 'cosine', warmup: {} } }, 'warmUp'],
  'schedule: options of a schedule': [fineTune, { schedule: { name: 'cosine', options: { ends: 0 } } }, 'end'],
  'schedule: options of its warm-up': [fineTune, { schedule: { name: 'cosine', warmUp: { step: 1 } } }, 'steps'],
  'split of samples': [(options) => samples.split(options), { test: 0.2 }, 'validation'],
  'unfreeze of fineTune': [fineTune, { unfreeze: [{ epoch: 0, lastStage: 1 }] }, 'lastStages'],
  'unfreeze of findLearningRate': [
    (options) => main.findLearningRate(model, samples, options),
    { unfreeze: { lastStage: 1 } },
    'lastStages',
  ],
};

/** Everything that must not change. */
function stateOf({ base, head, history }: main.TransferModel): object {
  return {
    values: weightValues(model),
    frozen: [...base.trunk.weights, ...head.trunk.weights].map(({ name, frozen }) => [name, frozen]),
    history: [...history],
    disposed: [base.trunk.disposed, head.trunk.disposed],
  };
}

async function refusal(call: Call, given: unknown): Promise<main.TransferKitError> {
  const before = stateOf(model);
  const error = await raisedBy(() => call(given as never));
  if (!main.isTransferKitError(error)) throw error;
  expect(error.code).toBe('INVALID_OPTION');
  expect(stateOf(model)).toEqual(before);
  return error;
}

async function expectRefused([call, misspelt, nearest]: Row): Promise<main.TransferKitError> {
  const error = await refusal(call, misspelt);
  expect(error.details).toMatchObject({ nearest: [nearest] });
  expect(error.message).toContain(`, got '${String(error.details.option)}'. Nearest: ${nearest}.`);
  return error;
}

describe('a misspelt option is refused with its nearest name', () => {
  test.each(Object.entries(functions))('%s', async (name, row) => {
    const { message } = await expectRefused(row);
    expect(message).toMatch(new RegExp(`^\\[transferkit\\] ${name}: expected known options, got `));
  });

  test.each(Object.entries(nested))('%s', async (_, row) => {
    await expectRefused(row);
  });

  test('of the methods of knn', async () => {
    const classifier = await main.knn(model.base);
    await expectRefused([(options) => classifier.addAll(samples, options), { batchsice: 1 }, 'batchSize']);
    await expectRefused([(options) => classifier.predict(unread, options), { k: 1 }, 'topK']);
    classifier.dispose();
  });

  test('of the samples that a split gives', async () => {
    const { train } = samples.split({ validation: 0.25 });
    await expectRefused([(options) => train.split(options), { sed: 1 }, 'seed']);
  });
});

describe('options that are no object are refused', () => {
  test.each(Object.entries(functions))('%s', async (_, [call]) => {
    for (const given of [5, 'text', ['a'], null, () => 1]) {
      expect((await refusal(call, given)).message).toContain('expected options such as {');
    }
  });
});

test('a name without a similar one lists some; a long one is shortened', async () => {
  const error = await refusal((options) => main.predict(model, unread, options), { ['x'.repeat(5000)]: 1 });
  expect(error.details.nearest).toEqual(['topK', 'batchSize', 'views']);
  expect(error.message.length).toBeLessThan(400);
});

test('an undefined option is ignored', async () => {
  expect(main.imagePreprocessor({ mode: 'tf', size: undefined } as never).spec.size).toEqual([224, 224]);
  const head = { labels: tinyLabels, heads: undefined, hidden: undefined } as never;
  const other = main.replaceHead((await tinyTransfer()).base, head);
  expect(other.labels).toEqual(tinyLabels);
  const asked = { heads: { kind: { labels: tinyLabels } }, labels: undefined } as never;
  expect(main.replaceHead(other.base, asked).labels).toEqual({ kind: tinyLabels });
  other.dispose();
});

test('every exported function has a row, or takes no options', () => {
  const doors = {
    ...main,
    ...augment,
    ...optimizers,
    ...schedules,
    ...node,
    ...browser,
    ...layers,
    ...testing,
    ...worker,
  };
  const exported = Object.entries(doors).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  expect([...Object.keys(functions), ...withoutOptions].sort()).toEqual(exported.sort());
});
