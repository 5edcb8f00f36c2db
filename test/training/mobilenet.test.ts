// The real thing in small: nsfwjs's MobileNetV2 on wasm. No frozen bit moves, the cache changes nothing, nothing leaks.
import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fineTune,
  fromArrays,
  loadBase,
  replaceHead,
  trainHead,
  useBackend,
  type Samples,
  type TransferModel,
} from '../../src/index.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useBackend('wasm');
});

/** Pictures of noise, brighter for one class. */
function pictures(): Samples {
  const random = randomGenerator(1);
  const targets = Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? 'bright' : 'dark'));
  const inputs = targets.map((label) => ({
    width: 32,
    height: 32,
    data: Uint8Array.from({ length: 32 * 32 * 3 }, () => (label === 'bright' ? 128 : 0) + 128 * random()),
  }));
  return fromArrays({ inputs, targets });
}

async function model(): Promise<TransferModel<'classes'>> {
  const base = await loadBase(mobilenet, { inputSize: 32, preprocess: 'tf' });
  return replaceHead(base, { labels: ['bright', 'dark'], dropout: 0 });
}

describe("nsfwjs's MobileNetV2", () => {
  test('is cut before its classifier and keeps its names', async () => {
    const { base } = await model();
    expect(base.cut).toBe('out_relu');
    expect(base.trunk.output.shape).toEqual([null, 1, 1, 1280]);
    expect(base.trunk.weights).toHaveLength(260);
    base.dispose();
  });

  test('keeps every frozen weight and every statistic bit for bit, and changes the others', async () => {
    const transfer = await model();
    const start = weightValues(transfer);
    const samples = pictures();
    await expectNoLeak(() => trainHead(transfer, samples, { epochs: 2 }));
    const afterHead = weightValues(transfer);
    expect(changed(start, afterHead)).toEqual(['head_logits/kernel', 'head_logits/bias']);
    await expectNoLeak(() =>
      fineTune(transfer, samples, { unfreeze: { from: 'block_15_expand' }, epochs: 2, learningRate: 1e-3 }),
    );
    const moving = /^(block_15|block_16|Conv_1|head_logits)\w*\/(kernel|depthwise_kernel|bias|gamma|beta)$/;
    expect(changed(afterHead, weightValues(transfer))).toEqual(Object.keys(start).filter((name) => moving.test(name)));
    transfer.dispose();
  });

  test('gives the same weights with the cache and without', async () => {
    const [cached, streamed] = [await model(), await model()];
    for (const [transfer, cache] of [
      [cached, true],
      [streamed, false],
    ] as const) {
      await fineTune(transfer, pictures(), { unfreeze: { from: 'block_16_project' }, epochs: 2, cache, batchSize: 3 });
    }
    const [a, b] = [weightValues(cached), weightValues(streamed)];
    const largest = Math.max(...Object.keys(a).map((name) => difference(a[name] ?? [], b[name] ?? [])));
    expect(largest).toBeLessThan(1e-5);
    cached.dispose();
    streamed.dispose();
  });
});

function changed(before: Record<string, number[]>, after: Record<string, number[]>): string[] {
  return Object.keys(before).filter((name) => !before[name]?.every((value, i) => Object.is(value, after[name]?.[i])));
}

function difference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? NaN))), 0);
}
