// What the compiler knows of models: their labels, and which options go together.
import { io } from '@tensorflow/tfjs-core';
import { beforeAll, expect, expectTypeOf, test } from 'vitest';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import {
  evaluate,
  fromArrays,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  useBackend,
  type Base,
  type LoadedModel,
  type TransferModel,
} from '../src/index.ts';

let base: Base;

beforeAll(async () => {
  await useBackend('cpu');
  base = await loadBase(sequential({ layers: [layers.dense({ units: 3, inputShape: [2] })] }));
  return () => {
    base.dispose();
  };
});

test('labels are inferred, and predictions name one of them', async () => {
  const model = replaceHead(base, { labels: ['cat', 'dog'] });
  expectTypeOf(model).toEqualTypeOf<TransferModel<'classes', 'cat' | 'dog'>>();
  const [best] = await predict(model, [1, 2], { topK: 1 });
  expectTypeOf(best!.label).toEqualTypeOf<'cat' | 'dog'>();
  expect(model.labels).toContain(best?.label);
  const anyModel: TransferModel = model;
  expect(anyModel.labels).toEqual(['cat', 'dog']);
  const read: readonly string[] = ['a', 'b'];
  expectTypeOf(replaceHead(base, { labels: read })).toEqualTypeOf<TransferModel<'classes'>>();
});

test('names of outputs are inferred', async () => {
  const model = replaceHead(base, { task: 'regression', outputs: ['width', 'height'] });
  const [first] = await predict(model, [1, 2]);
  expectTypeOf(first!.output).toEqualTypeOf<'width' | 'height'>();
  expect(first?.output).toBe('width');
});

test('labels and outputs cannot be combined', () => {
  // @ts-expect-error -- outputs are for regression.
  expect(() => replaceHead(base, { labels: ['cat', 'dog'], outputs: 2 })).toThrow('outputs');
  // @ts-expect-error -- a regression has no labels.
  expect(() => replaceHead(base, { task: 'regression', labels: ['cat', 'dog'] })).toThrow('labels');
});

test('the task of a loaded model narrows its type', async () => {
  const model = replaceHead(base, { labels: ['cat', 'dog'] });
  let saved: io.ModelArtifacts = {};
  const handler = io.withSaveHandler((artefacts) => {
    saved = artefacts;
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
  });
  await save(model, handler);
  const loaded = await load(io.fromMemory(saved));
  expectTypeOf(loaded).toEqualTypeOf<LoadedModel>();
  const predicted = await predict(loaded, [1, 2]);
  expect(predicted).toHaveLength(2);
  expect(loaded.task).toBe('classes');
  if (loaded.task !== 'classes') return;
  expectTypeOf(loaded).toEqualTypeOf<TransferModel<'classes'>>();
  const [best] = await predict(loaded, [1, 2]);
  expectTypeOf(best!.label).toEqualTypeOf<string>();
  const { accuracy } = await evaluate(loaded, fromArrays({ inputs: [[1, 2]], targets: ['cat'] }));
  expectTypeOf(accuracy).toEqualTypeOf<number>();
  loaded.dispose();

  const known = await load(io.fromMemory(saved), { task: 'classes' });
  expectTypeOf(known).toEqualTypeOf<TransferModel<'classes'>>();
  known.dispose();
});
