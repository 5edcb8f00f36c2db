// The package in a real page: every verb, on the graphics card's backend and on WebAssembly.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPage, type OpenPage } from './harness.ts';
import type { Journey } from './page.ts';

let opened: OpenPage;
/** Cross-origin isolated. */
let isolated: OpenPage;

beforeAll(async () => {
  [opened, isolated] = await Promise.all([open(false), open(true)]);
});

afterAll(() => Promise.all([opened.close(), isolated.close()]));

async function open(isolation: boolean): Promise<OpenPage> {
  const page = await openPage(fileURLToPath(new URL('page.ts', import.meta.url)), isolation);
  await page.page.waitForFunction('window.journey !== undefined');
  return page;
}

test('a page trains, saves to IndexedDB and loads, on webgl and on wasm', async () => {
  const [webgl, wasm] = [await travel(opened, 'webgl'), await travel(opened, 'wasm')];
  expect(opened.problems).toEqual([]);
  expect(wasm.threads).toBe(1);
  for (const [epoch, loss] of webgl.fineTuneLosses.entries()) expect(wasm.fineTuneLosses[epoch]).toBeCloseTo(loss, 3);
});

test('an isolated page uses several threads, with the same results', async () => {
  const [alone, shared] = [await travel(opened, 'wasm'), await travel(isolated, 'wasm')];
  expect(isolated.problems).toEqual([]);
  expect(shared.threads).toBeGreaterThan(1);
  expect(shared.fineTuneLosses).toEqual(alone.fineTuneLosses);
});

async function travel({ page }: OpenPage, backend: string): Promise<Journey> {
  const journey = await page.evaluate<Journey>(`window.journey('${backend}')`);
  expect(journey.backend).toBe(backend);
  expect(journey.headLosses.at(-1)).toBeLessThan(journey.headLosses[0]!);
  expect(journey.fineTuneLosses.at(-1)).toBeLessThan(0.3);
  expect(journey.predicted[0]).toMatchObject({ label: 'square' });
  expect(journey.predictedFromBlob).toBe('square');
  expect(journey.predictedAgain).toEqual(journey.predicted);
  expect(journey.tensorsLeft).toBe(0);
  return journey;
}
