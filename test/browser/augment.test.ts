// Augmentation on a GPU: the pictures that the cpu backend makes.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPage, type OpenPage } from './harness.ts';

let opened: OpenPage;

beforeAll(async () => {
  opened = await openPage(fileURLToPath(new URL('augmentPage.ts', import.meta.url)));
  await opened.page.waitForFunction('window.augmented !== undefined');
});

afterAll(async () => {
  expect(opened.problems).toEqual([]);
  await opened.close();
});

const augmented = async (backend: string) =>
  (await opened.page.evaluate(async (name) => window.augmented?.(name), backend)) ?? [];

test('webgl gives the same pictures as cpu', async () => {
  const expected = await augmented('cpu');
  const received = await augmented('webgl');
  expect(received).toHaveLength(8 * 9 * 11 * 3);
  const differences = received.map((value, i) => Math.abs(value - (expected[i] ?? NaN)));
  expect(Math.max(...differences)).toBeLessThan(1e-3);
});
