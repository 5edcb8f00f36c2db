// Bases in a real page: Keras files, presets, and a GraphModel that trains.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadBase, useBackend } from '../../src/index.ts';
import { graphArtifacts, tinyConstants, tinyLayers, tinyNodes } from '../support/tinyGraph.ts';
import type { Bases } from './basesPage.ts';
import { isThorough } from '../support/thorough.ts';
import { openPage, type OpenPage } from './harness.ts';

let opened: OpenPage;

beforeAll(async () => {
  await useBackend('cpu');
  opened = await openPage(fileURLToPath(new URL('basesPage.ts', import.meta.url)));
  await opened.page.waitForFunction('window.bases !== undefined');
});

afterAll(async () => {
  expect(opened.problems).toEqual([]);
  await opened.close();
});

function ask<Verb extends keyof Bases>(verb: Verb, ...given: unknown[]): ReturnType<Bases[Verb]> {
  const answer = opened.page.evaluate(`window.bases.${verb}(...${JSON.stringify(given)})`);
  return answer as ReturnType<Bases[Verb]>;
}

test.each(['functional_weights.h5', 'sequential.h5', 'sequential.keras'])(
  'a page reads %s as Node does',
  async (name) => {
    const bytes = readFileSync(new URL(`../golden/keras/${name}`, import.meta.url));
    if (name.includes('weights')) {
      await expect(ask('kerasFile', 'wasm', bytes.toString('base64'), 'dense')).rejects.toThrow(/weights alone/);
      return;
    }
    const { trunk } = await loadBase(bytes, { cut: 'dense' });
    const input = tf.ones([1, ...trunk.input.shape.slice(1).map((axis) => axis ?? 1)]);
    const expected = trunk.run(input);
    const found = await ask('kerasFile', 'wasm', bytes.toString('base64'), 'dense');
    expect(found.shape).toEqual(expected.shape);
    const values = Array.from(expected.dataSync());
    found.values.forEach((value, i) => {
      expect(value).toBeCloseTo(values[i]!, 5);
    });
  },
);

test('a page draws a preset', async () => {
  expect(await ask('preset', 'wasm')).toEqual([null, 1, 1, 432]);
});

test.each(isThorough ? ['webgl', 'wasm'] : ['wasm'])('a page trains a GraphModel on %s', async (backend) => {
  const { weightData, ...artifacts } = graphArtifacts(tinyNodes(), tinyConstants(tinyLayers()));
  const data = Buffer.from(weightData as ArrayBuffer).toString('base64');
  const { losses, tensorsLeft } = await ask('graph', backend, artifacts, data);
  expect(losses.at(-1)).toBeLessThan(losses[0]!);
  expect(tensorsLeft).toBe(0);
});
