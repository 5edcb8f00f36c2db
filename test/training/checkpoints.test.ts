// The checkpoints of a run: when they are due, which are kept, which one a run goes on from, what a full disk does.
import { describe, expect, test, vi } from 'vitest';
import type { CheckpointStore, TransferKitError } from '../../src/index.ts';
import { encodeCheckpoint } from '../../src/training/resume/checkpointFile.ts';
import { assertSameRun } from '../../src/training/resume/checkpointMismatch.ts';
import { settleCheckpoint, type CheckpointOptions } from '../../src/training/options/checkpointOptions.ts';
import { openCheckpoints, type Checkpoint, type Checkpoints } from '../../src/training/resume/checkpoints.ts';

/** A store in memory, whose files a test can see and change. */
function memoryStore(files = new Map<string, Uint8Array>()) {
  const store = {
    files,
    list: vi.fn(async () => [...files.keys()].reverse()),
    read: vi.fn(async (name: string) => files.get(name)!),
    write: vi.fn(async (name: string, bytes: Uint8Array) => void files.set(name, bytes)),
    remove: vi.fn(async (name: string) => void files.delete(name)),
  };
  return store satisfies CheckpointStore;
}

async function open(
  to: CheckpointStore,
  resume = false,
  options: Omit<CheckpointOptions, 'to'> = {},
): Promise<Checkpoints> {
  return openCheckpoints('fineTune', settleCheckpoint({ to, ...options }, resume)!);
}

const save = (checkpoints: Checkpoints, checkpoint: Checkpoint) =>
  checkpoints.save(checkpoint.position, async () => checkpoint);

const at = (epoch: number, step: number): Checkpoint => ({
  fingerprint: { seed: 0 },
  position: { epoch, done: 0, step },
  state: { step },
  tensors: new Map([['a', { shape: [1], values: Float32Array.of(step) }]]),
});

const names = (...numbers: number[]) => numbers.map((number) => `fineTune-00000${number}.safetensors`);

describe('the option', () => {
  const store = memoryStore();

  test('has defaults', () => {
    const settled = { to: 'here', every: { unit: 'epochs', amount: 1 }, keep: 2, onError: undefined, resume: false };
    expect(settleCheckpoint({ to: 'here' }, undefined)).toEqual(settled);
    expect(settleCheckpoint(undefined, undefined)).toBeUndefined();
    expect(settleCheckpoint({ to: store, every: { seconds: 0.5 }, keep: 1 }, true)).toEqual({
      ...settled,
      to: store,
      every: { unit: 'seconds', amount: 0.5 },
      keep: 1,
      resume: true,
    });
  });

  test.each<[unknown, string]>([
    ['here', "checkpoint to be { to, every, keep }, got 'here'"],
    [{}, 'checkpoint.to to be a place or { list, read, write, remove }, got undefined'],
    [{ to: '' }, "checkpoint.to to be a place or { list, read, write, remove }, got ''"],
    [
      { to: { ...store, write: 1 } },
      'checkpoint.to to be a place or { list, read, write, remove }, got {"files":{},"write":1}',
    ],
    [{ to: store, keep: 0 }, 'checkpoint.keep to be a whole number from 1, got 0'],
    [{ to: store, every: 0 }, 'checkpoint.every to be a whole number from 1, got 0'],
    [{ to: store, every: 1.5 }, 'checkpoint.every to be a whole number from 1, got 1.5'],
    [{ to: store, every: 'epoch' }, "checkpoint.every to be a whole number from 1, got 'epoch'"],
    [{ to: store, every: { steps: 0 } }, 'checkpoint.every.steps to be a whole number from 1, got 0'],
    [{ to: store, every: { seconds: 0 } }, 'checkpoint.every.seconds to be a finite number above 0, got 0'],
    [{ to: store, every: { minutes: 1 } }, "known options of checkpoint.every, got 'minutes'. Nearest: steps, seconds"],
  ])('refuses %o', (checkpoint, expected) => {
    const settle = () => settleCheckpoint(checkpoint as CheckpointOptions, false);
    expect(settle).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    expect(settle).toThrow(`expected ${expected}.`);
  });

  test('resume needs the option checkpoint', () => {
    expect(() => settleCheckpoint(undefined, true)).toThrow(
      'expected checkpoint: { to } for resume: true, got no checkpoint.',
    );
    expect(() => settleCheckpoint({ to: 'here' }, 'yes' as never)).toThrow(
      "expected resume to be true or false, got 'yes'.",
    );
  });
});

describe('a checkpoint is due', () => {
  test('after a number of epochs', async () => {
    const checkpoints = await open(memoryStore(), false, { every: 2 });
    checkpoints.begin({ epoch: 3, done: 0, step: 0 });
    expect([3, 4, 5].map((epoch) => checkpoints.isDue({ epoch, done: 0, step: 9 * epoch }))).toEqual([
      false,
      false,
      true,
    ]);
    await save(checkpoints, at(5, 99));
    expect([5, 6, 7].map((epoch) => checkpoints.isDue({ epoch, done: 0, step: 99 }))).toEqual([false, false, true]);
  });

  test('after a number of steps', async () => {
    const checkpoints = await open(memoryStore(), false, { every: { steps: 3 } });
    checkpoints.begin({ epoch: 0, done: 0, step: 4 });
    expect([4, 6, 7, 8].map((step) => checkpoints.isDue({ epoch: 0, done: 0, step }))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  test('after a number of seconds', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const checkpoints = await open(memoryStore(), false, { every: { seconds: 2 } });
      const position = { epoch: 0, done: 0, step: 0 };
      checkpoints.begin(position);
      vi.advanceTimersByTime(1999);
      expect(checkpoints.isDue(position)).toBe(false);
      vi.advanceTimersByTime(1);
      expect(checkpoints.isDue(position)).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('files', () => {
  test('of the newest checkpoints are kept, and so are files that are not checkpoints of the phase', async () => {
    const store = memoryStore(new Map([['head-000009.safetensors', new Uint8Array(1)]]));
    store.files.set('notes.txt', new Uint8Array(2));
    const checkpoints = await open(store, false, { keep: 3 });
    for (const step of [1, 2, 3, 4, 5]) await save(checkpoints, at(0, step));
    expect([...store.files.keys()]).toEqual(['head-000009.safetensors', 'notes.txt', ...names(3, 4, 5)]);
    expect(checkpoints.warnings).toEqual([]);
  });

  test('are written before older ones are removed', async () => {
    const store = memoryStore();
    const checkpoints = await open(store, false, { keep: 1 });
    await save(checkpoints, at(0, 1));
    await save(checkpoints, at(0, 2));
    expect([...store.files.keys()]).toEqual(names(2));
    expect(store.write.mock.invocationCallOrder[1]).toBeLessThan(store.remove.mock.invocationCallOrder[0]!);
  });

  test('of another run are removed after the first new one, without resume', async () => {
    const store = memoryStore();
    const before = await open(store);
    for (const step of [1, 2]) await save(before, at(0, step));
    const checkpoints = await open(store);
    expect(await checkpoints.find()).toBeUndefined();
    expect([...store.files.keys()]).toEqual(names(1, 2));
    await save(checkpoints, at(0, 7));
    expect([...store.files.keys()]).toEqual(names(3));
  });
});

describe('resuming', () => {
  test('returns the newest, unchanged', async () => {
    const store = memoryStore();
    const before = await open(store, true);
    expect(await before.find()).toBeUndefined();
    for (const step of [1, 2, 3]) await save(before, at(0, step));
    const checkpoints = await open(store, true);
    expect(await checkpoints.find()).toEqual({ ...at(0, 3), name: names(3)[0] });
    await save(checkpoints, at(0, 4));
    expect([...store.files.keys()]).toEqual(names(3, 4));
  });

  test('continues the numbers beyond a million checkpoints', async () => {
    const store = memoryStore();
    for (const number of ['999999', '1000000']) {
      const { fingerprint, position, state, tensors } = at(0, Number(number));
      const bytes = encodeCheckpoint({ state: { version: 2, fingerprint, position: { ...position }, state }, tensors });
      store.files.set(`fineTune-${number}.safetensors`, bytes);
    }
    const checkpoints = await open(store, true);
    expect((await checkpoints.find())!.position.step).toBe(1_000_000);
    await save(checkpoints, at(0, 1));
    expect([...store.files.keys()]).toContain('fineTune-1000001.safetensors');
  });

  test('uses the previous one if the newest is damaged, and warns', async () => {
    const store = memoryStore();
    const before = await open(store);
    for (const step of [1, 2]) await save(before, at(0, step));
    store.files.set(names(2)[0]!, store.files.get(names(2)[0]!)!.slice(0, 100));
    const checkpoints = await open(store, true);
    expect((await checkpoints.find())!.name).toBe(names(1)[0]);
    expect(checkpoints.warnings).toEqual([
      expect.stringMatching(
        /^Expected a whole checkpoint in fineTune-000002.safetensors, got a file of 100 bytes: its header takes \d+ bytes\. It is left out\.$/,
      ),
    ]);
    await save(checkpoints, at(0, 2));
    expect([...store.files.keys()]).toEqual(names(1, 3));
  });

  test('uses the previous one if the newest cannot be read', async () => {
    const store = memoryStore();
    const before = await open(store);
    for (const step of [1, 2]) await save(before, at(0, step));
    store.read.mockRejectedValueOnce(new Error('EIO: i/o error'));
    const checkpoints = await open(store, true);
    expect((await checkpoints.find())!.name).toBe(names(1)[0]);
    expect(checkpoints.warnings).toEqual(['EIO: i/o error. It is left out.']);
  });

  test('raises if all are damaged', async () => {
    const store = memoryStore(new Map(names(1, 2).map((name) => [name, Uint8Array.of(1)])));
    const checkpoints = await open(store, true);
    await expect(checkpoints.find()).rejects.toMatchObject({
      code: 'WEIGHTS_DAMAGED',
      details: { names: names(2, 1) },
    });
    await expect((await open(store, true)).find()).rejects.toThrow(
      /expected a checkpoint to resume from, got none that is whole\. .*it is cut short\. It is left out\. .* Leave resume out to begin anew\./,
    );
    expect(store.files.size).toBe(2);
  });

  test('refuses another version, and a file of this version that lacks something', async () => {
    const put = (state: Record<string, never> | Record<string, number>) => {
      const files = new Map([[names(1)[0]!, encodeCheckpoint({ state, tensors: new Map() })]]);
      return open(memoryStore(files), true);
    };
    await expect((await put({ version: 1 })).find()).rejects.toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
      message: expect.stringContaining(
        'expected fineTune-000001.safetensors to be a checkpoint of version 2, got version 1. Resume with the transferkit that wrote it',
      ) as string,
    });
    await expect((await put({ version: 2 })).find()).rejects.toThrow(/lacks its fingerprint, position or state/);
  });
});

describe('a store that is full', () => {
  test('is reported once; the run continues, and earlier checkpoints remain', async () => {
    const store = memoryStore();
    const told: TransferKitError[] = [];
    const checkpoints = await open(store, false, { onError: (error) => told.push(error) });
    await save(checkpoints, at(0, 1));
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    store.write.mockRejectedValueOnce(full).mockRejectedValueOnce(full);
    await save(checkpoints, at(1, 2));
    expect(checkpoints.isDue({ epoch: 1, done: 0, step: 2 })).toBe(false);
    await save(checkpoints, at(2, 3));
    expect([...store.files.keys()]).toEqual(names(1));
    const text =
      'expected to keep a checkpoint after step 2 (epoch 1), but: ENOSPC: no space left on device, write. ' +
      'Training goes on, and tries again when the next one is due.';
    expect(checkpoints.warnings).toEqual([text.replace('expected', 'Expected')]);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ code: 'SAVE_FAILED', message: `[transferkit] ${text}`, cause: full });
    await save(checkpoints, at(3, 4));
    expect((await (await open(store, true)).find())!.position).toEqual({ epoch: 3, done: 0, step: 4 });
  });

  test('an old checkpoint that cannot be removed is removed later', async () => {
    const store = memoryStore();
    const checkpoints = await open(store, false, { keep: 1 });
    await save(checkpoints, at(0, 1));
    store.remove.mockRejectedValueOnce(new Error('EPERM'));
    await save(checkpoints, at(0, 2));
    expect([...store.files.keys()]).toEqual(names(1, 2));
    expect(checkpoints.warnings).toHaveLength(1);
    await save(checkpoints, at(0, 3));
    expect([...store.files.keys()]).toEqual(names(3));
  });
});

describe('another run', () => {
  test('raises an error with the differences', () => {
    const here = { seed: 0, watch: { monitor: 'loss' }, weights: { a: '[2]', b: '[3]' }, epochs: 5 };
    const there = {
      seed: 1,
      watch: { monitor: 'loss', more: null },
      weights: { a: '[2]', c: 'x'.repeat(80) },
      epochs: 5,
    };
    expect(() => {
      assertSameRun('fineTune-000001.safetensors', here, there);
    }).toThrow(
      'expected fineTune-000001.safetensors to be a checkpoint of this run, got one that differs in ' +
        'seed (0 here, 1 there); watch.more (nothing here, null there); weights.b ("[3]" here, nothing there); ' +
        `weights.c (nothing here, "${'x'.repeat(59)}… there). Resume with the same model, samples and options, give ` +
        'another checkpoint.to, or leave resume out to begin anew.',
    );
    assertSameRun('x', here, structuredClone(here));
  });

  test('raises an error with at most ten differences', () => {
    const numbers = (value: number) => Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`n${i}`, value]));
    const compare = () => {
      assertSameRun('x', numbers(1), numbers(2));
    };
    expect(compare).toThrow(/n9 \(1 here, 2 there\); and 4 more\. Resume/);
    expect(compare).toThrow(expect.objectContaining({ code: 'CHECKPOINT_MISMATCH' }));
    expect(compare).toThrow(expect.objectContaining({ details: expect.objectContaining({ count: 14 }) as object }));
  });
});
