// Layers computed together on a GPU: values and gradients of the same layers one by one.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isThorough } from '../support/thorough.ts';
import { openPage, type OpenPage } from './harness.ts';

let opened: OpenPage;

beforeAll(async () => {
  opened = await openPage(fileURLToPath(new URL('fusedPage.ts', import.meta.url)));
  await opened.page.waitForFunction('window.fused !== undefined');
});

afterAll(async () => {
  expect(opened.problems).toEqual([]);
  await opened.close();
});

// Of every fused kernel of a GPU one, and BatchNorm that goes into weights behind it. What the layers in front and
// behind add is the same on every backend (trunk/fusedConvolution.test.ts); compiling the programs of a GPU takes its
// time.
const names = [
  'convolution, BatchNorm, relu6',
  'BatchNorm in front of a convolution',
  'depthwise convolution with several outputs a channel',
  'dense layer',
];

test.runIf(isThorough)('fused layers give the values of single layers on webgl', async () => {
  const found = await opened.page.evaluate(async (some) => window.fused?.('webgl', some), names);
  expect(Object.keys(found ?? {})).toEqual(names);
  for (const [chain, values] of Object.entries(found ?? {})) {
    for (const [name, value] of Object.entries(values)) expect(value, `${chain}: ${name}`).toBeLessThan(1e-4);
  }
});
