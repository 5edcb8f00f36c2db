// The whole job in pages and workers of Chromium and Firefox, isolated and not: the numbers are Node's.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeFirefox, openInFirefox } from './firefox.ts';
import { openPage } from './harness.ts';
import { wholeJob, type JobResult } from './wholeJob.ts';

const program = fileURLToPath(new URL('wholeJobPage.ts', import.meta.url));

/** What both browsers have. */
interface Opened {
  readonly page: Record<'evaluate' | 'waitForFunction', (expression: string) => Promise<unknown>>;
  readonly problems: readonly string[];
  close(): Promise<void>;
}

const browsers: Readonly<Record<string, (program: string, isolated: boolean) => Promise<Opened>>> = {
  Chromium: openPage,
  Firefox: openInFirefox,
};

let node: JobResult;

beforeAll(async () => {
  node = await wholeJob();
}, 120_000);

afterAll(closeFirefox);

describe.each(Object.entries(browsers))('in %s', (_, open) => {
  test.each([
    ['page', false],
    ['page', true],
    ['worker', false],
    ['worker', true],
  ] as const)('in a %s, isolated: %s', async (where, isolated) => {
    const opened = await open(program, isolated);
    const { page, problems } = opened;
    try {
      await page.waitForFunction('window.job !== undefined');
      const call = where === 'page' ? 'job' : 'jobInWorker';
      const result = (await page.evaluate(`window.${call}('indexeddb://job')`)) as JobResult;
      expect(problems).toEqual([]);
      expect(result).toMatchObject({ backend: 'wasm', accuracy: node.accuracy, tensorsLeft: 0 });
      if (isolated) expect(result.threads, result.notes.join()).toBeGreaterThan(1);
      else expect(result.threads).toBe(1);
      expectNear(result.losses, node.losses);
      expectNear(result.probabilities, node.probabilities);
      expect(result.loaded).toEqual(result.probabilities);
    } finally {
      await opened.close();
    }
  });
});

test('the job is not so easy that its numbers say nothing', () => {
  expect(node.losses.at(-1)).toBeLessThan(node.losses[0]!);
  expect(Math.max(...node.probabilities)).toBeLessThan(0.99999);
  expect(node.losses.at(-1)).toBeGreaterThan(1e-3);
});

function expectNear(numbers: readonly number[], others: readonly number[]): void {
  expect(numbers).toHaveLength(others.length);
  for (const [i, number] of numbers.entries()) expect(Math.abs(number - others[i]!)).toBeLessThan(1e-5);
}

/** What Chrome 109, Firefox 115 or Safari 16.4 lack, and a page may have. */
const newer = `
  for (const { prototype } of [Array, Object.getPrototypeOf(Uint8Array)])
    for (const name of ['toReversed', 'toSorted', 'toSpliced', 'with']) delete prototype[name];
  for (const name of ['canParse', 'parse']) delete URL[name];
  for (const name of ['withResolvers', 'try']) delete Promise[name];
  for (const name of ['isWellFormed', 'toWellFormed']) delete String.prototype[name];
  for (const name of ['union', 'intersection', 'difference', 'isSubsetOf']) delete Set.prototype[name];
  for (const name of ['fromBase64', 'fromHex']) delete Uint8Array[name];
  for (const name of ['map', 'filter', 'take', 'toArray']) delete Iterator.prototype[name];
  for (const kind of [Object, Map]) delete kind.groupBy;
  for (const name of ['Iterator', 'VideoFrame', 'Float16Array', 'scheduler', 'requestIdleCallback']) delete globalThis[name];
  delete Array.fromAsync;
  delete AbortSignal.any;
  delete Atomics.waitAsync;
  delete ArrayBuffer.prototype.transfer;
  delete RegExp.escape;`;

test('in a page without what the oldest browsers lack', async () => {
  const opened = await openPage(program);
  const { page, problems } = opened;
  try {
    await page.addInitScript(newer);
    await page.reload();
    expect(await page.evaluate('"canParse" in URL || "toReversed" in Array.prototype')).toBe(false);
    await page.waitForFunction('window.job !== undefined');
    const result = await page.evaluate<JobResult>(`window.job('indexeddb://job')`);
    expect(problems).toEqual([]);
    expectNear(result.probabilities, node.probabilities);
    expect(result.loaded).toEqual(result.probabilities);
  } finally {
    await opened.close();
  }
});
