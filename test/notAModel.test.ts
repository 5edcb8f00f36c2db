// What is no model and no base at all, as a program without types hands it in: told what was expected, not that
// undefined has no property.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  blend,
  calibrate,
  evaluate,
  exportModel,
  findLearningRate,
  fineTune,
  freeze,
  knn,
  nearestCentroid,
  predict,
  previewAugmentation,
  replaceHead,
  save,
  suggestCut,
  toGraphModel,
  trainHead,
  tuneThresholds,
  unfreeze,
  useBackend,
  type TransferModel,
} from '../src/index.ts';
import { expectNoLeak } from './support/tensors.ts';
import { tinySamples, tinyTransfer } from './support/tinyTask.ts';

type Call = (given: never) => unknown;

const samples = tinySamples(4);

const ofModels: Readonly<Record<string, Call>> = {
  blend: (model) => blend(model, model),
  calibrate: (model) => calibrate(model, samples),
  evaluate: (model) => evaluate(model, samples),
  exportModel: (model) => exportModel(model, 'nowhere', { format: 'graphModel' }),
  findLearningRate: (model) => findLearningRate(model, samples),
  fineTune: (model) => fineTune(model, samples),
  freeze: (model) => freeze(model),
  predict: (model) => predict(model, [1]),
  save: (model) => save(model, 'nowhere'),
  toGraphModel: (model) => toGraphModel(model),
  trainHead: (model) => trainHead(model, samples),
  tuneThresholds: (model) => tuneThresholds(model, samples),
  unfreeze: (model) => unfreeze(model),
};

const ofBases: Readonly<Record<string, Call>> = {
  knn: (base) => knn(base),
  nearestCentroid: (base) => nearestCentroid(base),
  replaceHead: (base) => replaceHead(base, { labels: ['cat', 'dog'] }),
  suggestCut: (base) => suggestCut(base, samples),
};

let model: TransferModel<'classes'>;
beforeAll(async () => {
  await useBackend('cpu');
  model = await tinyTransfer();
});
afterAll(() => {
  model.dispose();
});

/** What comes of a call, whether it raises or rejects. */
async function outcomeOf(call: Call, given: unknown): Promise<unknown> {
  return new Promise((resolve) => {
    resolve(call(given as never));
  });
}

async function expectRefusal(call: Call, given: unknown, text: string): Promise<void> {
  await expectNoLeak(async () => {
    await expect(outcomeOf(call, given)).rejects.toThrow(text);
  });
}

describe.each(Object.entries(ofModels))('%s', (verb, call) => {
  test('distinguishes a base from a model', async () => {
    const advice = 'Give the base a head: replaceHead(base, { labels })';
    await expectRefusal(
      call,
      model.base,
      `${verb}: expected a model, as replaceHead and load make it, got a base. ${advice}`,
    );
  });

  test.each([
    [null, 'got null'],
    [undefined, 'got undefined'],
    ['my-model', "got 'my-model'"],
    [{}, 'got an object without base and head'],
  ])('refuses %j', async (given, found) => {
    await expectRefusal(call, given, `${verb}: expected a model, as replaceHead and load make it, ${found}.`);
  });
});

describe.each(Object.entries(ofBases))('%s', (verb, call) => {
  test('distinguishes a model from a base', async () => {
    await expectRefusal(
      call,
      model,
      `${verb}: expected a base, as loadBase makes it, got a model. Give its base: model.base.`,
    );
  });

  test.each([
    [null, 'got null'],
    ['mobilenet_v2', "got 'mobilenet_v2'"],
    [{}, 'got an object without a trunk'],
  ])('refuses %j', async (given, found) => {
    await expectRefusal(call, given, `${verb}: expected a base, as loadBase makes it, ${found}.`);
  });
});

describe('previewAugmentation', () => {
  const preview: Call = (source) => previewAugmentation(source, []);

  test('refuses other values', async () => {
    await expectRefusal(preview, null, 'previewAugmentation: expected a base, as loadBase makes it, got null.');
  });

  test.each([
    ['cat.jpg', "got 'cat.jpg'"],
    [null, 'got null'],
  ])('needs a list of inputs, not %j', async (inputs, found) => {
    const call: Call = () => previewAugmentation(model, inputs as never);
    await expectRefusal(
      call,
      null,
      `previewAugmentation: expected a list of inputs, ${found}. Put a single one in a list.`,
    );
  });
});
