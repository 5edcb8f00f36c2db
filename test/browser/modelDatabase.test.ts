// Models in IndexedDB of a real page: the same records as plain tfjs, no room, and browsers without a store.
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelsInPage } from './modelDatabasePage.ts';
import { openPage, type OpenPage } from './harness.ts';

const program = fileURLToPath(new URL('modelDatabasePage.ts', import.meta.url));
let opened: OpenPage;

beforeAll(async () => {
  opened = await openPage(program);
  await ready(opened.page);
});

afterAll(async () => {
  expect(opened.problems).toEqual([]);
  await opened.close();
});

async function ready(page: Page): Promise<Page> {
  await page.waitForFunction('window.models !== undefined');
  return page;
}

function ask<Verb extends keyof ModelsInPage>(
  page: Page,
  verb: Verb,
  ...given: Parameters<ModelsInPage[Verb]>
): Promise<Awaited<ReturnType<ModelsInPage[Verb]>>> {
  return page.evaluate(`window.models.${verb}(...${JSON.stringify(given)})`);
}

test('plain tfjs loads what save stored, and load what plain tfjs stored', async () => {
  const { page } = opened;
  await ask(page, 'save', 'ours', 4);
  await ask(page, 'savePlain', 'plain');
  for (const name of ['ours', 'plain']) {
    // The softmax is computed in other steps.
    const expected = (await ask(page, 'loadPlain', name)).map((value): unknown => expect.closeTo(value, 6));
    expect(await ask(page, 'load', name, name === 'plain')).toEqual(expected);
  }
  // Two layers: 3 · 4 + 4 and 4 · 2 + 2 numbers.
  expect(await ask(page, 'listPlain')).toEqual({ 'indexeddb://ours': 104, 'indexeddb://plain': 104 });
});

test('a name that is not there: the names that are', async () => {
  const { page } = opened;
  await ask(page, 'save', 'flowers', 4);
  await expect(ask(page, 'load', 'flower')).rejects.toThrow(
    /NOT_FOUND .*load: expected a model in indexeddb:\/\/flower, could not load it: the browser has none of this name, but 'flowers'/,
  );
});

test('storage that was cleared: load says what is missing, and save stores again', async () => {
  const { page } = opened;
  await ask(page, 'save', 'cleared', 4);
  const before = await ask(page, 'load', 'cleared');
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
  await expect(ask(page, 'load', 'cleared')).rejects.toThrow(/NOT_FOUND .*the browser has none of this name/);
  await ask(page, 'save', 'cleared', 4);
  expect(await ask(page, 'load', 'cleared')).toEqual(before);
});

test('full storage: save rejects, and the earlier model remains', async () => {
  const small = await openPage(program);
  const { page, problems } = small;
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000_000 });
  await ready(page);
  await ask(page, 'save', 'mine', 4);
  const before = await ask(page, 'load', 'mine');
  const listed = await ask(page, 'listPlain');
  await expect(ask(page, 'save', 'mine', 200_000)).rejects.toThrow(
    /SAVE_FAILED .*save: expected to keep the model in indexeddb:\/\/mine, but: QuotaExceededError\. What was stored there before is unchanged\. Free space .*keepStorage\(\)/,
  );
  expect(await ask(page, 'load', 'mine')).toEqual(before);
  expect(await ask(page, 'listPlain')).toEqual(listed);
  expect(problems).toEqual([]);
  await small.close();
});

test.each([
  ['absent', 'this browser has no IndexedDB'],
  ['denied', 'The operation is insecure'],
] as const)('IndexedDB %s: each verb says so', async (how, reason) => {
  const page = await ready(
    await opened.page
      .context()
      .newPage()
      .then(async (other) => {
        await other.goto(opened.page.url());
        return other;
      }),
  );
  await ask(page, 'refuse', how);
  await expect(ask(page, 'save', 'mine', 4)).rejects.toThrow(
    new RegExp(`SAVE_FAILED .*save: expected to keep the model in indexeddb://mine, but: ${reason}.* zipDownload`),
  );
  await expect(ask(page, 'load', 'mine')).rejects.toThrow(
    new RegExp(`NOT_FOUND .*load: expected a model in indexeddb://mine, could not load it: ${reason}`),
  );
  await expect(ask(page, 'openCheckpoints', 'indexeddb://run')).rejects.toThrow(
    new RegExp(`SAVE_FAILED .*indexeddb://run, but: ${reason}`),
  );
  await page.close();
});
