// `using`: what has dispose() is freed at the end of a block.
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { disposal } from '../src/core/disposal.ts';
import { knn, predict, replaceHead } from '../src/index.ts';
import { expectNoLeak } from './support/tensors.ts';
import { useTestBackend } from './support/testBackend.ts';
import { tinyTransfer } from './support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** What `using value = …` does at the end of its block. */
function endBlock(value: Disposable): void {
  value[Symbol.dispose]();
}

test('a model, its base and its head', async () => {
  await expectNoLeak(async () => {
    const model = await tinyTransfer();
    endBlock(model);
    expect(model.head.trunk.disposed).toBe(true);
    expect(model.base.trunk.disposed).toBe(true);
    await expect(predict(model, [])).rejects.toMatchObject({ code: 'DISPOSED' });
    endBlock(model);
  });
});

test('a base, a trunk, and a copy that was spread', async () => {
  await expectNoLeak(async () => {
    const model = await tinyTransfer();
    endBlock({ ...model.base });
    expect(model.base.trunk.disposed).toBe(true);
    endBlock(model.head.trunk);
    expect(model.head.trunk.disposed).toBe(true);
  });
});

test('a folded part and a classifier', async () => {
  const model = await tinyTransfer();
  const before = memory().numTensors;
  const part = await model.base.trunk.fold();
  endBlock(part);
  const classifier = await knn(model.base);
  endBlock(classifier);
  await expect(classifier.predict([])).rejects.toMatchObject({ code: 'DISPOSED' });
  expect(memory().numTensors).toBe(before);
  const other = replaceHead(model.base, { labels: ['a', 'b'] });
  endBlock(other);
  expect(model.base.trunk.disposed).toBe(false);
  endBlock(model);
});

test('an engine without Symbol.dispose gets no method, and no other property', () => {
  expect(Reflect.ownKeys(disposal())).toEqual([Symbol.dispose]);
  vi.stubGlobal('Symbol', {});
  const keys = Reflect.ownKeys(disposal());
  vi.unstubAllGlobals();
  expect(keys).toEqual([]);
});
