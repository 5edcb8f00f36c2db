// What programs without types forget or mistype most: the error says what it was.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import {
  defineSamples,
  fromArrays,
  fromTensors,
  knn,
  loadBase,
  predict,
  replaceHead,
  trainHead,
  useBackend,
  type TransferModel,
} from '../src/index.ts';
import { raisedBy } from './support/tensors.ts';
import { tinyLabels, tinySamples, tinyTransfer } from './support/tinyTask.ts';

let model: TransferModel<'classes'>;
const samples = tinySamples(4);
const unawaited = Promise.resolve('a value');

beforeAll(async () => {
  await useBackend('cpu');
  model = await tinyTransfer();
});

const forgotten: Record<string, (promise: never) => unknown> = {
  'a model': (promise) => trainHead(promise, samples),
  samples: (promise) => trainHead(model, promise),
  'options of a verb': (promise) => trainHead(model, samples, promise),
  'an option': (promise) => trainHead(model, samples, { epochs: promise }),
  'a source': (promise) => loadBase(promise),
  'a base': (promise) => knn(promise),
  'a base with a head': (promise) => replaceHead(promise, { labels: tinyLabels }),
  'an input': (promise) => predict(model, promise),
};

test.each(Object.entries(forgotten))('an await forgotten before %s', async (_, call) => {
  const error = await raisedBy(async () => call(unawaited as never));
  expect(String(error)).toContain('got a promise: put await before it.');
});

test('a text where a number belongs is shown in quotes', async () => {
  const error = await raisedBy(() => trainHead(model, samples, { epochs: '5' as never }));
  expect(String(error)).toContain("expected epochs to be a whole number from 1, got '5'.");
});

test('arguments where options belong: the error shows what the options are called', async () => {
  const error = await raisedBy(async () => fromArrays(['cat.jpg'] as never));
  expect(String(error)).toContain('expected options such as { inputs, targets, labels, … }, got ["cat.jpg"].');
  const inputs = tf.zeros([2, 3]);
  const other = await raisedBy(() => fromTensors('rows' as never));
  expect(String(other)).toContain("expected options such as { inputs, targets, labels, … }, got 'rows'.");
  inputs.dispose();
});

test('a reader that gives an input instead of an example', async () => {
  const read = (): never => 'cat.jpg' as never;
  const bare = defineSamples({ size: 4, target: (index) => tinyLabels[index % tinyLabels.length] ?? '', read });
  const error = await raisedBy(() => trainHead(model, bare));
  expect(String(error)).toContain("expected samples.read(0) to give { input, target, id }, got 'cat.jpg'.");
});

test('a module that has a load of its own is no handler: nothing of it is called', async () => {
  const other = await import('../src/index.ts');
  const error = await raisedBy(() => loadBase(other as never));
  expect(error).toMatchObject({ code: 'UNSUPPORTED_SOURCE' });
});
