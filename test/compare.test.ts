// Several models under the same budget: who is measured, on what, and what the table and the curves hold.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  compare,
  defineSamples,
  evaluate,
  replaceHead,
  TransferKitError,
  type Contestant,
  type ExampleLearner,
  type OnUnreadable,
} from '../src/index.ts';
import { expectNoLeak } from './support/tensors.ts';
import { useTestBackend } from './support/testBackend.ts';
import { tinyLabels, tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** Answers with the label of the most alike picture. */
function nearest(): ExampleLearner & { readonly seen: number } {
  const known: { values: Float32Array; label: string }[] = [];
  const distance = (a: Float32Array, b: Float32Array) =>
    a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0);
  return {
    get seen() {
      return known.length;
    },
    async addAll(samples) {
      for (let i = 0; i < samples.size; i++) {
        const { input, target } = await samples.read(i);
        known.push({ values: input as Float32Array, label: String(target) });
      }
    },
    predict: (inputs) =>
      Promise.resolve(
        inputs.map((input) =>
          [...known].sort(
            (a, b) => distance(a.values, input as Float32Array) - distance(b.values, input as Float32Array),
          ),
        ),
      ),
  };
}

describe('the table', () => {
  test('has a row for each contestant, in order, with the figures of evaluate', async () => {
    const fast = await tinyTransfer();
    const slow = await tinyTransfer();
    const learner = nearest();
    const test = tinySamples(4, 7);
    const told: string[] = [];
    const { rows, curves, logs } = await expectNoLeak(() =>
      compare(
        {
          fast: { model: fast, options: { learningRate: 3e-3, headEpochs: 2 } },
          slow: { model: slow, options: { learningRate: 1e-9, headEpochs: 0 } },
          learner,
        },
        tinySamples(),
        { epochs: 3, test, onEpoch: (name, { epoch }) => told.push(`${name} ${String(epoch)}`) },
      ),
    );
    expect(rows.map(({ name }) => name)).toEqual(['fast', 'slow', 'learner']);
    expect(rows[0]?.accuracy).toBe((await evaluate(fast, test)).accuracy);
    expect(rows[1]?.loss).toBe((await evaluate(slow, test)).loss);
    expect(rows[0]?.loss).toBeLessThan(rows[1]?.loss ?? 0);
    expect(rows[2]).toMatchObject({ accuracy: 1, epochs: 0, trainedParameters: 0 });
    // A fifth is held out of 24.
    expect(learner.seen).toBe(19);
    expect(told).toEqual(['fast 0', 'fast 1', 'fast 0', 'fast 1', 'fast 2', 'slow 0', 'slow 1', 'slow 2']);
    expect(rows.map(({ epochs }) => epochs)).toEqual([3, 3, 0]);
    expect(logs.fast).toEqual(fast.history);
    expect(curves.fast?.loss).toHaveLength(5);
    expect(curves.slow?.validationAccuracy).toHaveLength(3);
    const { seconds = [] } = curves.fast ?? {};
    expect([...seconds].sort((a, b) => a - b)).toEqual(seconds);
    fast.dispose();
    slow.dispose();
  });

  test('seconds count the whole training once', async () => {
    const model = await tinyTransfer();
    const start = performance.now();
    const { rows, curves } = await compare({ model }, tinySamples(), { epochs: 1 });
    const all = (performance.now() - start) / 1000;
    const [head, whole] = model.history.map(({ seconds }) => seconds);
    const seconds = rows[0]?.seconds ?? NaN;
    expect(seconds).toBe(whole);
    expect(seconds).toBeGreaterThan(head ?? NaN);
    expect(seconds).toBeLessThan(all);
    // Reading and features have their time too.
    const [solved = 0, ended = 0] = curves.model?.seconds ?? [];
    const [first] = model.history.flatMap(({ epochs }) => epochs);
    expect(solved).toBeGreaterThan(first?.seconds ?? NaN);
    expect(ended).toBeGreaterThan(solved);
    expect(ended).toBeLessThan(seconds + 0.1);
    model.dispose();
  });

  test('the same seed gives the same table', async () => {
    const run = async () => {
      const model = await tinyTransfer();
      const { rows } = await compare({ model }, tinySamples(), { epochs: 2, seed: 3 });
      const values = weightValues(model);
      model.dispose();
      return { accuracy: rows[0]?.accuracy, loss: rows[0]?.loss, values };
    };
    expect(await run()).toEqual(await run());
  });

  test('seconds can be the budget', async () => {
    const model = await tinyTransfer();
    const { logs } = await compare({ model }, tinySamples(), { epochs: 100_000, maxSeconds: 0.3 });
    expect(logs.model?.at(-1)?.stoppedBy).toBe('time');
    model.dispose();
  });

  test('a signal leaves out contestants that have not finished', async () => {
    const first = await tinyTransfer();
    const second = await tinyTransfer();
    const controller = new AbortController();
    const { rows } = await compare({ first, second }, tinySamples(), {
      epochs: 2,
      signal: controller.signal,
      onEpoch: (name) => {
        if (name === 'second') controller.abort();
      },
    });
    expect(rows.map(({ name }) => name)).toEqual(['first']);
    first.dispose();
    second.dispose();
  });
});

describe('is refused:', () => {
  test.each([
    [{}, /at least one contestant, got none/],
    [{ best: 'mobilenet' }, /'best' to be a model, .*got string/],
  ])('%j', async (contestants, text) => {
    const running = compare(contestants as Readonly<Record<string, Contestant>>, tinySamples());
    await expect(running).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(text) as unknown,
    });
  });
});

describe('a classifier that stores examples', () => {
  test('has its own model and base', async () => {
    const model = await tinyTransfer();
    const other = replaceHead(model.base, { labels: tinyLabels });
    const refused = (contestants: Readonly<Record<string, Contestant>>, text: string) =>
      expect(compare(contestants, tinySamples(), { epochs: 1 })).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(text) as string,
      });
    await refused(
      { calm: model, bold: { model, options: { learningRate: 1 } } },
      "a model for each, as they learn in place, got the same one for 'calm' and 'bold': build another",
    );
    await refused(
      { first: model, second: other },
      "a base for each, or unfreeze 'head' for those that share one, got one for 'first' and 'second'",
    );
    expect([model.history, other.history]).toEqual([[], []]);
    const head = { unfreeze: 'head' } as const;
    await refused({ first: { model, options: head }, second: other }, 'a base for each');
    await expect(compare({ second: other }, tinySamples(), { epochs: 1 })).rejects.toMatchObject({
      code: 'BASE_SHARED',
    });
    const heads = { first: { model, options: head }, second: { model: other, options: head } };
    expect((await compare(heads, tinySamples(), { epochs: 1 })).rows).toHaveLength(2);
    other.head.trunk.dispose();
    model.dispose();
  });
});

test('is measured on readable examples', async () => {
  const unreadable = (onUnreadable: OnUnreadable) =>
    defineSamples({
      size: 40,
      target: (i) => tinyLabels[i % 3] ?? '',
      read: async (i) => {
        if (i % 10 === 7) throw new TransferKitError('UNREADABLE', 'spoilt');
        return tinySamples(14).read(i);
      },
      onUnreadable,
    });
  const table = async (onUnreadable: OnUnreadable) =>
    (await compare({ learner: nearest() }, tinySamples(), { test: unreadable(onUnreadable) })).rows;
  expect(await table('skip')).toMatchObject([{ accuracy: 1 }]);
  await expect(table('error')).rejects.toThrow('spoilt');
});

test('invalid samples raise an error', async () => {
  const learner = nearest();
  await expect(compare({ learner }, [1] as never)).rejects.toThrow('compare: expected samples, as fromArrays');
});
