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
