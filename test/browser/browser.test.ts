// The package in a real page: every verb, on the graphics card's backend and on WebAssembly.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPage, type OpenPage } from './harness.ts';
import type { Journey } from './page.ts';

let opened: OpenPage;

beforeAll(async () => {
  opened = await openPage(fileURLToPath(new URL('page.ts', import.meta.url)));
  await opened.page.waitForFunction('window.journey !== undefined');
});

afterAll(() => opened.close());

test('a page trains, saves to IndexedDB and loads, on webgl and on wasm', async () => {
  const [webgl, wasm] = [await travel('webgl'), await travel('wasm')];
  expect(opened.problems).toEqual([]);
  for (const [epoch, loss] of webgl.fineTuneLosses.entries()) expect(wasm.fineTuneLosses[epoch]).toBeCloseTo(loss, 3);
});

async function travel(backend: string): Promise<Journey> {
  const journey = await opened.page.evaluate<Journey>(`window.journey('${backend}')`);
  expect(journey.backend).toBe(backend);
  expect(journey.headLosses.at(-1)).toBeLessThan(journey.headLosses[0]!);
  expect(journey.fineTuneLosses.at(-1)).toBeLessThan(0.3);
  expect(journey.predicted[0]).toMatchObject({ label: 'square' });
  expect(journey.predictedFromBlob).toBe('square');
  expect(journey.predictedAgain).toEqual(journey.predicted);
  expect(journey.tensorsLeft).toBe(0);
  return journey;
}
