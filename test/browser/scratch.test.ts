// The feature cache in a real page: IndexedDB beyond the budget, and what is left of pages that crashed.
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPage, type OpenPage } from './harness.ts';
import type { Scratch } from './scratchPage.ts';

let opened: OpenPage;

beforeAll(async () => {
  opened = await openPage(fileURLToPath(new URL('scratchPage.ts', import.meta.url)));
  await ready(opened.page);
});

afterAll(async () => {
  expect(opened.problems).toEqual([]);
  await opened.close();
});

async function ready(page: Page): Promise<Page> {
  await page.waitForFunction('window.scratch !== undefined');
  return page;
}

/** Another page of the same site. */
async function anotherPage(): Promise<Page> {
  const page = await opened.page.context().newPage();
  await page.goto(opened.page.url());
  return ready(page);
}

function ask<Verb extends keyof Scratch>(
  page: Page,
  verb: Verb,
  ...given: unknown[]
): Promise<Awaited<ReturnType<Scratch[Verb]>>> {
  return page.evaluate(`window.scratch.${verb}(...${JSON.stringify(given)})`);
}

/** Databases that are there when the page has done something. */
async function namesAfter(verb: keyof Scratch, ...given: unknown[]): Promise<string[]> {
  await ask(opened.page, verb, ...given);
  return ask(opened.page, 'names');
}

test('training in IndexedDB gives the same weights, bit for bit, and leaves no database', async () => {
  const { page } = opened;
  const inMemory = await ask(page, 'train', true);
  const stored = await ask(page, 'train', { memory: 0 });
  expect(inMemory.during).toBe(0);
  expect(stored).toEqual({ ...inMemory, during: 2 });
  expect(stored.tensorsLeft).toBe(0);
  const both = await ask(page, 'train', { memory: 500 });
  expect(both.kernel).toEqual(inMemory.kernel);
  expect(both.during).toBeGreaterThan(0);
  const half = await ask(page, 'train', { memory: 0, precision: 'float16' });
  half.kernel.forEach((value, i) => {
    expect(value).toBeCloseTo(inMemory.kernel[i]!, 3);
  });
  expect(await ask(page, 'names')).toEqual([]);
});

test('rows can be read in any order', async () => {
  const { page } = opened;
  await ask(page, 'open', 100);
  for (const count of [30, 1, 69]) await ask(page, 'append', count);
  const question = [99, 0, 31, 30, 29, 0, 50];
  expect(await ask(page, 'read', question)).toEqual(question);
  expect(await ask(page, 'read', [])).toEqual([]);
  await ask(page, 'close');
  expect(await ask(page, 'names')).toEqual([]);
});

test('the next start removes the database of a crashed page, not that of a running one', async () => {
  const { page } = opened;
  const other = await anotherPage();
  await ask(other, 'open', 10);
  await ask(other, 'append', 10);
  await ask(page, 'open', 10);
  expect(await ask(page, 'names')).toHaveLength(2);
  await ask(page, 'clear');
  expect(await ask(page, 'names')).toHaveLength(2);
  expect(await ask(other, 'read', [7, 3])).toEqual([7, 3]);

  await other.goto('chrome://crash').catch(() => undefined);
  expect(await ask(page, 'names')).toHaveLength(2);
  // The browser takes a lock away a moment after its page is gone.
  await expect.poll(() => namesAfter('train', true)).toHaveLength(1);
  await ask(page, 'close');
  await other.close();

  const closed = await anotherPage();
  await ask(closed, 'open', 10);
  await closed.close();
  await expect.poll(() => namesAfter('clear')).toEqual([]);
});

test('full storage: the error contains the quota and advice', async () => {
  const { page } = opened;
  await expect(ask(page, 'open', 2 ** 50)).rejects.toThrow(
    /SAVE_FAILED .*expected to keep features in the browser's storage, but: features take \d+ MB, and the browser allows \d+ MB more\. Halve/,
  );
  expect(await ask(page, 'names')).toEqual([]);
});

test('storage that is cleared during the run is an error, not zeros', async () => {
  const { page } = opened;
  await ask(page, 'open', 20);
  await ask(page, 'append', 10);
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
  await expect(ask(page, 'read', [3])).rejects.toThrow(/SAVE_FAILED .*expected to keep features .*, but: .*clos/);
  await expect(ask(page, 'append', 10)).rejects.toThrow(/SAVE_FAILED/);
  await ask(page, 'close');
  expect(await ask(page, 'names')).toEqual([]);
});

test('storage that is cleared while a verb trains: its error says so, and the next training works', async () => {
  const { page } = opened;
  await ask(page, 'begin');
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
  expect(await ask(page, 'finish')).toMatch(
    /SAVE_FAILED .*trainHead: expected to keep features in the browser's storage/,
  );
  expect((await ask(page, 'train', { memory: 0 })).during).toBe(2);
});

test.each([
  ['absent', 'this browser has no IndexedDB'],
  ['denied', 'The operation is insecure'],
])('IndexedDB %s: features that do not fit are an error, others train', async (how, reason) => {
  const page = await anotherPage();
  await ask(page, 'refuse', how);
  await expect(ask(page, 'train', { memory: 0 })).rejects.toThrow(
    new RegExp(`SAVE_FAILED .*trainHead: expected to keep features in the browser's storage, but: ${reason}`),
  );
  expect((await ask(page, 'train', true)).losses.length).toBe(8);
  await page.close();
});

test('a folder is refused in a page', async () => {
  await expect(ask(opened.page, 'train', { directory: 'features' })).rejects.toThrow(
    /INVALID_OPTION .*expected cache\.directory to be a folder, in Node, got 'features'/,
  );
});

test('a page returns an estimate of its memory', async () => {
  const bytes = await ask(opened.page, 'freeMemory');
  expect(bytes).toBeGreaterThanOrEqual(2 ** 27);
  expect(bytes).toBeLessThanOrEqual(2 ** 35);
});
