// Checkpoints in a real page: IndexedDB, pages that crash while they train or write, and no room.
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CheckpointsInPage } from './checkpointsPage.ts';
import { openPage, type OpenPage } from './harness.ts';

const program = fileURLToPath(new URL('checkpointsPage.ts', import.meta.url));
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
  await page.waitForFunction('window.checkpoints !== undefined');
  return page;
}

/** Another page of the same site. */
async function anotherPage(): Promise<Page> {
  const page = await opened.page.context().newPage();
  await page.goto(opened.page.url());
  return ready(page);
}

function ask<Verb extends keyof CheckpointsInPage>(
  page: Page,
  verb: Verb,
  ...given: Parameters<CheckpointsInPage[Verb]>
): Promise<Awaited<ReturnType<CheckpointsInPage[Verb]>>> {
  return page.evaluate(`window.checkpoints.${verb}(...${JSON.stringify(given)})`);
}

async function crash(page: Page): Promise<void> {
  await page.goto('chrome://crash').catch(() => undefined);
  await page.close();
}

test('stores files by name, also larger than one record may be', async () => {
  const { page } = opened;
  expect(await ask(page, 'open', 'indexeddb://files')).toEqual([]);
  const large = 40_000_001;
  await ask(page, 'write', 'b', large, 1);
  await ask(page, 'write', 'a', 3, 2);
  await ask(page, 'write', 'none', 0, 0);
  expect(await ask(page, 'read', 'b', 1)).toEqual({ length: large, same: true });
  await ask(page, 'write', 'b', 5, 3);
  expect(await ask(page, 'read', 'b', 3)).toEqual({ length: 5, same: true });
  expect(await ask(page, 'read', 'a', 2)).toEqual({ length: 3, same: true });
  expect([...(await ask(page, 'open', 'indexeddb://files'))].sort()).toEqual(['a', 'b']);
  await ask(page, 'remove', 'b');
  await ask(page, 'remove', 'b');
  expect(await ask(page, 'list')).toEqual(['a']);
  await expect(ask(page, 'read', 'b', 3)).rejects.toThrow('there is no b');
  expect(await ask(page, 'open', 'indexeddb://others')).toEqual([]);
});

test('keeps no database open: it can be removed, and the next file creates it again', async () => {
  const { page } = opened;
  await ask(page, 'open', 'indexeddb://files');
  await ask(page, 'write', 'a', 3, 2);
  expect(await ask(page, 'databases')).toContain('transferkit-checkpoints-files');
  expect(await ask(page, 'drop', 'transferkit-checkpoints-files')).toBe(true);
  expect(await ask(page, 'list')).toEqual([]);
  await ask(page, 'write', 'a', 3, 2);
  expect(await ask(page, 'list')).toEqual(['a']);
});

test.each(['checkpoints', 'indexeddb://', 'file:///here'])('%o is not a valid store in a page', async (location) => {
  await expect(ask(opened.page, 'open', location)).rejects.toThrow(
    `INVALID_OPTION [transferkit] expected checkpoint.to to be 'indexeddb://name', got '${location}'. For checkpoints elsewhere`,
  );
});

test('a page that crashes while writing leaves only whole files', async () => {
  const length = 8_000_000;
  const names = () => ask(opened.page, 'open', 'indexeddb://crash');
  for (const isLate of [false, true]) {
    const other = await anotherPage();
    await ask(other, 'open', 'indexeddb://crash');
    await ask(other, 'writeOn', length);
    await other.waitForTimeout(200);
    // A busy machine may need longer for the first whole file.
    if (isLate) await expect.poll(async () => (await names()).length, { timeout: 30_000 }).toBeGreaterThan(0);
    await crash(other);
    for (const name of await names()) {
      expect(await ask(opened.page, 'readEven', name)).toEqual({ length, same: true });
    }
  }
  expect((await ask(opened.page, 'list')).length).toBeGreaterThan(0);
});

test('a training run whose page crashes resumes in another page, and ends with the same bits', async () => {
  const { page } = opened;
  const plain = await ask(page, 'train');
  const other = await anotherPage();
  // Four steps in each of five epochs.
  void ask(other, 'train', 'indexeddb://run', 7).catch(() => undefined);
  const names = async () => [...(await ask(page, 'open', 'indexeddb://run'))].sort();
  await expect
    .poll(names, { timeout: 30_000 })
    .toEqual([5, 6, 7].map((number) => `fineTune-00000${number}.safetensors`));
  await crash(other);
  const resumed = await ask(page, 'train', 'indexeddb://run');
  expect(plain.first).toBe(0);
  expect(resumed).toEqual({ ...plain, first: 45 });
  expect(plain.tensorsLeft).toBe(0);
});

const taken = (name: string) =>
  `BUSY [transferkit] fineTune: expected checkpoints that no other training writes to, got 'indexeddb://${name}', which a tab`;

test.each([
  ['success', 'epochs'],
  ['signal', 'signal'],
  ['error', 'Error: the callback failed'],
] as const)('a second tab gets BUSY, and the checkpoints once the first ends by %s', async (how, end) => {
  const { page } = opened;
  const other = await anotherPage();
  const [name, to] = [how, `indexeddb://${how}`];
  await ask(other, 'begin', to);
  const files = [...(await ask(page, 'open', to))];
  await expect(ask(page, 'train', to)).rejects.toThrow(taken(name));
  // The same page too, and other checkpoints are free.
  await expect(ask(other, 'train', to)).rejects.toThrow(taken(name));
  await ask(page, 'begin', `${to}-other`);
  expect(await ask(page, 'open', to)).toEqual(files);
  expect(await ask(other, 'finish', how)).toBe(end);
  await ask(page, 'begin', to);
  await other.close();
});

test('a tab that is closed or a worker that is terminated leaves its checkpoints to others', async () => {
  const { page } = opened;
  const to = 'indexeddb://left';
  const other = await anotherPage();
  await ask(other, 'begin', to);
  await expect(ask(page, 'train', to)).rejects.toThrow(taken('left'));
  await other.close();
  const begin = () =>
    ask(page, 'beginInWorker', to).then(
      () => 'begun',
      (error: unknown) => String(error),
    );
  // The browser releases the locks of a tab a moment after it was closed.
  await expect.poll(begin).toBe('begun');
  await expect(ask(page, 'train', to)).rejects.toThrow(taken('left'));
  await ask(page, 'endWorker');
  await expect.poll(begin).toBe('begun');
  await ask(page, 'endWorker');
});

test('a page without locks (http, not localhost) trains with checkpoints as well', async () => {
  const page = await opened.page.context().newPage();
  await page.route('http://plain.test/**', async (route) => {
    const { pathname } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: new URL(pathname, opened.page.url()).href }) });
  });
  await page.goto('http://plain.test/');
  await ready(page);
  expect(await page.evaluate("'locks' in navigator")).toBe(false);
  await ask(page, 'begin', 'indexeddb://plain');
  expect(await ask(page, 'finish', 'success')).toBe('epochs');
  expect(await ask(page, 'open', 'indexeddb://plain')).toEqual([
    'fineTune-000001.safetensors',
    'fineTune-000002.safetensors',
  ]);
  await page.close();
});

test('storage that is cleared during a training: it goes on, and the next checkpoint is there', async () => {
  const { page } = opened;
  const to = 'indexeddb://cleared';
  await ask(page, 'begin', to);
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
  expect(await ask(page, 'open', to)).toEqual([]);
  expect(await ask(page, 'finish', 'success')).toBe('epochs');
  expect(await ask(page, 'open', to)).toContain('fineTune-000002.safetensors');
});

/** A page of an origin of its own with so much room: browsers remember for a while how much there was. */
async function pageWithRoom(quotaSize: number): Promise<OpenPage> {
  const small = await openPage(program);
  const session = await small.page.context().newCDPSession(small.page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(small.page.url()).origin, quotaSize });
  await ready(small.page);
  return small;
}

test('full storage: existing files remain', async () => {
  const small = await pageWithRoom(1_000_000);
  const { page } = small;
  await ask(page, 'open', 'indexeddb://full');
  await ask(page, 'write', 'small', 1000, 1);
  await expect(ask(page, 'write', 'small', 3_000_000, 2)).rejects.toThrow(
    /SAVE_FAILED .*expected to keep checkpoints in indexeddb:\/\/full, but: QuotaExceededError\. What was there before is unchanged\./,
  );
  expect(await ask(page, 'read', 'small', 1)).toEqual({ length: 1000, same: true });
  expect(small.problems).toEqual([]);
  await small.close();
});

test('full storage: training continues, and warns once', async () => {
  const small = await pageWithRoom(1);
  const { page } = small;
  const plain = await ask(page, 'train');
  const { warnings, ...rest } = await ask(page, 'train', 'indexeddb://full');
  expect(warnings.slice(0, 1)).toEqual([
    expect.stringMatching(/^Expected to keep a checkpoint after step 1 \(epoch 0\), but: .*QuotaExceededError/),
  ]);
  expect({ ...rest, warnings: warnings.slice(1) }).toEqual(plain);
  expect(small.problems).toEqual([]);
  await small.close();
});
