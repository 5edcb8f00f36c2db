// Verbs on the main thread of a page: a batch does not block it from beginning to end.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPage, type OpenPage } from './harness.ts';
import type { Watched } from './responsivePage.ts';

let opened: OpenPage;

beforeAll(async () => {
  opened = await openPage(fileURLToPath(new URL('responsivePage.ts', import.meta.url)));
  await opened.page.waitForFunction('window.responsive !== undefined');
  expect(await opened.page.evaluate('window.responsive.prepare()')).toBe('wasm');
});

afterAll(() => opened.close());

test.each(['trainHead', 'evaluate', 'predict', 'knn'])(
  '%s of one batch lets the page work in between',
  async (verb) => {
    const { milliseconds, longestGap } = await opened.page.evaluate<Watched>(`window.responsive.watch('${verb}')`);
    expect(longestGap).toBeLessThan(milliseconds / 2);
  },
);

test('the division of a batch does not change a bit', async () => {
  const [whole, alone] = await opened.page.evaluate<unknown[]>('window.responsive.predictions()');
  expect(whole).toEqual(alone);
});
