// Workers of a real page: elements as inputs, a responsive page, and workers that end in the middle of their work.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPage, type OpenPage } from './harness.ts';
import type { WorkersInPage } from './workerPage.ts';
import { isThorough } from '../support/thorough.ts';

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
let opened: OpenPage;

beforeAll(async () => {
  opened = await openPage(path('workerPage.ts'), true, { worker: path('../worker/served.ts') });
  await opened.page.waitForFunction('window.workers !== undefined');
});

afterAll(() => opened.close());

function ask<Verb extends keyof WorkersInPage>(
  verb: Verb,
  ...given: Parameters<WorkersInPage[Verb]>
): Promise<Awaited<ReturnType<WorkersInPage[Verb]>>> {
  return opened.page.evaluate(`window.workers.${verb}(...${JSON.stringify(given)})`);
}

test('the worker of an isolated page runs on wasm with threads of its own', async () => {
  expect(await ask('backend')).toEqual(['wasm', 2]);
});

test('elements of the page are sent as they look', async () => {
  const predictions = await ask('predictElements');
  expect(predictions).toHaveLength(7);
  expect(new Set(predictions).size).toBe(1);
  expect(predictions[0]).toMatch(/^\w+ 0\.\d\d, /);
});

test('the page stays responsive while the worker computes', async () => {
  expect(await ask('longestGap')).toBeLessThan(1000);
});

test('a video is predicted again and again', async () => {
  expect(new Set(await ask('live', 5)).size).toBe(1);
});

test('calls whose worker ends reject, and so do workers that do not start', async () => {
  expect(await ask('lost')).toEqual({ terminated: 'WORKER_LOST', missing: 'WORKER_LOST', refused: 'WORKER_LOST' });
});

test('a worker that has no access to locks is not taken for one that has ended', async () => {
  expect(await ask('withoutLocks')).toBe('alive');
});

test('a training goes on in the next worker at once, though browsers end a busy one only after a while', async () => {
  expect(await ask('inherit')).toBe('signal');
});

test('a training goes on in the next worker to the same bits, wherever the one before was ended', async () => {
  const whole = await ask('trainThrough', 0, 0);
  await opened.page.evaluate('indexedDB.deleteDatabase("transferkit-checkpoints-through")');
  expect(await ask('trainThrough', isThorough ? 10 : 2, 1)).toEqual(whole);
});
