// How much memory cached features take, in a process of their own: the figures of bench/featureMemory.js in small.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { FeatureCacheOptions } from '../../src/index.ts';
import { runFresh } from '../support/freshProcess.ts';
import { isThorough } from '../support/thorough.ts';

const script = readFileSync(new URL('../../bench/measureFeatures.js', import.meta.url), 'utf8');

/** Bytes that examples of 1280 values add to the resident size, garbage aside. */
async function kept(examples: number, cache: FeatureCacheOptions): Promise<number> {
  const printed = await runFresh(script, [String(examples), JSON.stringify(cache)]);
  return (JSON.parse(printed.trim().split('\n').at(-1) ?? '') as { kept: number }).kept;
}

test.runIf(isThorough)('10,000 examples of 1280 values take at most 60 MB', async () => {
  expect(await kept(10_000, {})).toBeLessThan(60e6);
});

test.runIf(isThorough)('in float16, at most 35 MB', async () => {
  expect(await kept(10_000, { precision: 'float16' })).toBeLessThan(35e6);
});

test('beyond a budget, little more than the budget: 12,000 examples of 61 MB in 10 MB', async () => {
  expect(await kept(12_000, { memory: 10e6 })).toBeLessThan(30e6);
});
