// Folded networks on a GPU: values of the same layers one by one.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isThorough } from '../support/thorough.ts';
import { openPage, type OpenPage } from './harness.ts';

let opened: OpenPage;

beforeAll(async () => {
  opened = await openPage(fileURLToPath(new URL('foldedPage.ts', import.meta.url)));
  await opened.page.waitForFunction('window.folded !== undefined');
});

afterAll(async () => {
  expect(opened.problems).toEqual([]);
  await opened.close();
});

test.runIf(isThorough)('folded layers give the values of single layers on webgl', async () => {
  const found = await opened.page.evaluate(async () => window.folded?.('webgl'));
  expect(Object.keys(found ?? {})).toHaveLength(6);
  for (const [chain, difference] of Object.entries(found ?? {})) expect(difference, chain).toBeLessThan(1e-4);
});
