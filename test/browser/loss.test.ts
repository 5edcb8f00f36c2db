// A WebGL context or WebGPU device that is lost: no verb waits for ever, nothing leaks, and another choice of a backend works.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isThorough } from '../support/thorough.ts';
import { openPage, type OpenPage } from './harness.ts';
import type { Losses } from './lossPage.ts';

let opened: OpenPage;

beforeAll(async () => {
  opened = await openPage(fileURLToPath(new URL('lossPage.ts', import.meta.url)));
  await opened.page.waitForFunction('window.losses !== undefined');
});

afterAll(async () => {
  expect(opened.problems).toEqual([]);
  await opened.close();
});

function ask<Verb extends keyof Losses>(verb: Verb, ...given: unknown[]): ReturnType<Losses[Verb]> {
  const answer = opened.page.evaluate(`window.losses.${verb}(...${JSON.stringify(given)})`);
  return answer as ReturnType<Losses[Verb]>;
}

const verbs = isThorough ? (['fineTune', 'trainHead', 'predict', 'save'] as const) : (['fineTune'] as const);

/** The others read once. */
const trains = (verb: (typeof verbs)[number]): boolean => verb === 'fineTune' || verb === 'trainHead';

// Every program is compiled again after a loss, which takes seconds without a graphics card.
describe.each(isThorough ? ['webgl', 'webgpu'] : ['webgl'])('%s', (backend) => {
  test.each(verbs)('%s rejects with BACKEND_LOST and leaves no tensor', async (verb) => {
    const text = `${verb}: expected the device of the backend '${backend}', but it was lost (its Web`;
    for (const read of isThorough && trains(verb) ? [1, 3] : [1]) {
      expect(await ask('during', backend, verb, read)).toEqual({
        code: 'BACKEND_LOST',
        text: expect.stringContaining(text) as string,
        tensorsLeft: 0,
      });
    }
  });

  test.runIf(isThorough).each(['wasm', backend])('verbs reject until %s is started', async (next) => {
    const { before, name, losses } = await ask('after', backend, next);
    expect({ ...before, text: '' }).toEqual({ code: 'BACKEND_LOST', text: '', tensorsLeft: 0 });
    expect(before.text).toMatch(/predict: expected the device[^]*loadBase: expected the device/);
    expect(name).toBe(next);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  test.runIf(isThorough)('a model that was read by save is still there', async () => {
    const [before, after] = await ask('saved', backend);
    expect(after!.map(({ label }) => label)).toEqual(before!.map(({ label }) => label));
    after!.forEach(({ probability }, i) => {
      expect(probability).toBeCloseTo(before![i]!.probability, 5);
    });
  });

  test.runIf(isThorough)('training goes on from its checkpoint on wasm', async () => {
    const { code, warnings, losses } = await ask('resumed', backend);
    expect(code).toBe('BACKEND_LOST');
    expect(warnings.join()).toContain(`Resumed on wasm what ${backend} began`);
    const [resumed, alone] = losses;
    expect(resumed).toHaveLength(3);
    resumed!.forEach((loss, epoch) => {
      expect(loss).toBeCloseTo(alone![epoch]!, 4);
    });
  });
});
