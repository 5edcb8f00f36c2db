// Reading ahead: in order, bounded, and nothing left behind when the caller leaves or a read fails.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { evaluate, fineTune, fromArrays, suggestCut, trainHead, TransferKitError } from '../../../src/index.ts';
import type { Samples } from '../../../src/index.ts';
import { allInBatches, batchesOf, readAhead } from '../../../src/data/reading/readAhead.ts';
import { expectNoLeak } from '../../support/tensors.ts';
import { tinyPicture, tinySamples, tinyTransfer } from '../../support/tinyTask.ts';
import { randomGenerator } from '../../../src/core/random.ts';

beforeAll(() => tf.setBackend('cpu'));

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  await turn();
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

/** Lets everything that is ready run. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A reader whose batches are numbers, and what is known about them. */
function counted(fails: (row: number) => boolean = () => false) {
  const log = { started: 0, most: 0, held: 0, read: [] as number[], freed: [] as number[] };
  return {
    log,
    read: async ([row = NaN]: readonly number[]) => {
      log.started++;
      log.held++;
      log.most = Math.max(log.most, log.held);
      await new Promise((resolve) => setTimeout(resolve, row % 3)); // later ones may be ready sooner
      log.read.push(row);
      if (fails(row)) throw new Error(`row ${String(row)}`);
      return row;
    },
    free: (row: number) => {
      log.freed.push(row);
    },
  };
}

describe('readAhead', () => {
  test.each([
    ['32 examples in small batches', 100, 4, 8],
    ['one batch that holds them all', 300, 32, 1],
    ['at least one batch', 300, 50, 1],
    ['parts of a batch count as a whole one', 300, 20, 2],
  ])('reads at most %s ahead of the current batch', async (_, size, batchSize, ahead) => {
    const { log, ...reading } = counted();
    const batches = allInBatches(size, batchSize);
    const seen: number[] = [];
    for await (const batch of readAhead({ batches, ...reading })) {
      expect(log.started).toBeLessThanOrEqual(seen.length + 1 + ahead);
      await turn();
      // the next ones have come meanwhile
      expect(log.read.length).toBe(Math.min(seen.length + 1 + ahead, batches.length));
      seen.push(batch);
      log.held--;
    }
    expect(seen).toEqual(batches.map(([first]) => first));
    expect(log.most).toBe(1 + ahead);
    expect(log.freed).toEqual([]);
  });

  test('raises a failure in order, and frees the batches that were read after it', async () => {
    const { log, ...reading } = counted((row) => row === 4 || row === 6);
    const seen: number[] = [];
    const all = async () => {
      for await (const batch of readAhead({ batches: allInBatches(100, 1), ...reading })) seen.push(batch);
    };
    await expect(all()).rejects.toThrow('row 4');
    expect(seen).toEqual([0, 1, 2, 3]);
    const behind = Array.from({ length: log.started }, (_, row) => row).filter((row) => row > 4 && row !== 6);
    expect(behind.length).toBeGreaterThan(20);
    expect(log.freed).toEqual(behind);
  });

  test.each([
    ['breaks off', () => undefined],
    [
      'raises',
      () => {
        throw new Error('mine');
      },
    ],
  ])('waits for running reads and frees their batches when the caller %s', async (_, leave) => {
    const { log, ...reading } = counted();
    const some = async () => {
      for await (const batch of readAhead({ batches: allInBatches(100, 16), ...reading })) {
        if (batch < 16) continue;
        leave();
        break;
      }
    };
    await some().catch((error: unknown) => {
      expect(String(error)).toBe('Error: mine');
    });
    expect(log.started).toBe(4);
    expect(log.freed).toEqual([32, 48]); // 0 and 16 were handed out
  });

  test('does nothing without batches', async () => {
    const { log, ...reading } = counted();
    for await (const batch of readAhead({ batches: [], ...reading })) expect(batch).toBe('none');
    expect(log.started).toBe(0);
  });

  test('cuts rows in order, the last batch smaller', () => {
    expect(batchesOf([5, 3, 9, 1, 0], 2)).toEqual([[5, 3], [9, 1], [0]]);
    expect(batchesOf([], 2)).toEqual([]);
    expect(allInBatches(3, 5)).toEqual([[0, 1, 2]]);
  });
});

describe('verbs that read ahead', () => {
  /** Samples whose example of one number has NaN in it, which preprocessing refuses. */
  function spoiled(at: number): Samples {
    const random = randomGenerator(1);
    const inputs = Array.from({ length: 48 }, (_, i) => tinyPicture(i % 2 === 0 ? 'across' : 'plain', random));
    inputs[at]?.fill(NaN);
    const targets = inputs.map((_, i) => (i % 2 === 0 ? 'across' : 'along'));
    return fromArrays({ inputs, targets });
  }

  test.each([
    ['trainHead with the cache', 'head', { cache: true }],
    ['trainHead without it', 'head', { cache: false }],
    ['fineTune with the cache', 'all', { cache: true }],
    ['fineTune without it', 'all', { cache: false }],
  ] as const)('%s leaks no tensor after a failure', async (_, verb, options) => {
    const model = await tinyTransfer({ labels: ['across', 'along'] });
    const some = { epochs: 1, batchSize: 4, ...options };
    await expectNoLeak(() =>
      expect(
        verb === 'head'
          ? trainHead(model, spoiled(9), some)
          : fineTune(model, spoiled(9), { ...some, unfreeze: 'conv2', headEpochs: 0 }),
      ).rejects.toMatchObject({ code: 'NOT_FINITE' }),
    );
    model.dispose();
  });

  test('evaluate and suggestCut leak none either', async () => {
    const model = await tinyTransfer({ labels: ['across', 'along'] });
    await expectNoLeak(() =>
      expect(evaluate(model, spoiled(9), { batchSize: 4 })).rejects.toMatchObject({ code: 'NOT_FINITE' }),
    );
    await expectNoLeak(() =>
      expect(suggestCut(model.base, spoiled(9), { batchSize: 4 })).rejects.toMatchObject({ code: 'NOT_FINITE' }),
    );
    model.dispose();
  });

  test('evaluate reads the next batches while the network works on one', async () => {
    const model = await tinyTransfer();
    const samples = tinySamples(16);
    let started = 0;
    const slow: Samples = {
      ...samples,
      read: async (index) => {
        started++;
        await turn();
        return samples.read(index);
      },
    };
    const ahead: number[] = [];
    await evaluate(model, slow, { batchSize: 8, onProgress: ({ done }) => ahead.push(started - done) });
    expect(ahead[1]).toBe(32);
    expect(Math.max(...ahead)).toBeLessThanOrEqual(32);
    model.dispose();
  });

  test('a streamed run reads all examples once more, not once per batch, to list the unreadable ones', async () => {
    const model = await tinyTransfer();
    const samples = tinySamples(16);
    let reads = 0;
    const broken: Samples = {
      ...samples,
      read: (index) => {
        reads++;
        if (index % 2 === 0) throw new TransferKitError('UNREADABLE', 'gone');
        return samples.read(index);
      },
    };
    await expect(
      fineTune(model, broken, { headEpochs: 0, batchSize: 2, unfreeze: 'all', validation: false }),
    ).rejects.toThrow(`got ${String(samples.size / 2)} that are not`);
    expect(reads).toBeLessThan(2 * samples.size);
    model.dispose();
  });

  test('a streamed run loses no example that is readable the second time', async () => {
    const model = await tinyTransfer();
    const samples = tinySamples();
    let failed = false;
    const flaky: Samples = {
      ...samples,
      read: (index) => {
        if (index !== 5 || failed) return samples.read(index);
        failed = true;
        throw new TransferKitError('UNREADABLE', 'busy');
      },
    };
    const training = trainHead(model, flaky, { epochs: 1, batchSize: 4, cache: false });
    await expect(training).rejects.toThrow('got 1 that are not: example 5 (busy)');
    model.dispose();
  });
});
