// suggestCut: finds the stage that knows the classes, the same way every time, and leaves nothing behind.
import * as tf from '@tensorflow/tfjs-core';
import { layers, model, sequential, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  fromArrays,
  loadBase,
  suggestCut,
  useBackend,
  type Base,
  type ErrorCode,
  type Progress,
  type Samples,
  type SuggestCutOptions,
} from '../src/index.ts';
import { randomGenerator } from '../src/core/random.ts';
import { crossValidate } from '../src/training/solve/crossValidate.ts';
import { assignFolds, drawExamples } from '../src/training/solve/validationFolds.ts';
import { tinyGraph } from './support/tinyGraph.ts';
import { tinyModel } from './support/tinyModel.ts';
import { expectNoLeak } from './support/tensors.ts';
import { tinySamples } from './support/tinyTask.ts';

/** Sees colours first ('colours'), then how bright they are in all ('brightness'), then that again. */
async function forgetfulBase(): Promise<Base> {
  const apply = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) => layer.apply(x) as SymbolicTensor;
  const point = (name: string, values: number[][]) =>
    layers.conv2d({
      name,
      filters: values[0]?.length ?? 0,
      kernelSize: 1,
      useBias: false,
      weights: [tf.tensor([[values]])],
    });
  const input = layers.input({ shape: [4, 4, 3], name: 'picture' });
  let x = apply(
    point('colours', [
      [1, 0, 0, 1],
      [0, 1, 0, 1],
      [0, 0, 1, 1],
    ]),
    input,
  );
  x = apply(
    point('brightness', [
      [0, 0],
      [0, 0],
      [0, 0],
      [1, -1],
    ]),
    x,
  );
  x = apply(layers.activation({ name: 'bright', activation: 'relu' }), x);
  x = apply(
    point('again', [
      [1, 2],
      [1, 2],
    ]),
    x,
  );
  x = apply(layers.globalAveragePooling2d({ name: 'pool' }), x);
  x = apply(layers.dense({ name: 'classifier', units: 3, activation: 'softmax' }), x);
  const source = model({ inputs: input, outputs: x, name: 'forgetful' });
  const base = await loadBase(source);
  source.dispose();
  return base;
}

const colours = ['blue', 'green', 'red'];

/** Pictures of one colour each, as bright as chance has it. */
function colourSamples(each = 12, read: (position: number) => void = () => undefined): Samples {
  const random = randomGenerator(5);
  const targets = Array.from({ length: 3 * each }, (_, i) => colours[i % 3] ?? '');
  const samples = fromArrays({
    targets,
    inputs: targets.map((colour) => {
      const level = 0.3 + random();
      return Float32Array.from(
        { length: 48 },
        (_, i) => (colours[2 - (i % 3)] === colour ? level : 0) + 0.05 * random(),
      );
    }),
  });
  return {
    ...samples,
    read: (index) => {
      read(index);
      return samples.read(index);
    },
  };
}

let base: Base;

beforeAll(async () => {
  await useBackend('cpu');
  base = await forgetfulBase();
});

afterAll(() => {
  base.dispose();
});

describe('the result', () => {
  test('the stage that separates the classes is first, and suggested', async () => {
    const report = await expectNoLeak(() => suggestCut(base, colourSamples()));
    expect(report).toMatchObject({ suggested: 'colours', examples: 36, omitted: [], skipped: [] });
    expect(report.cuts).toHaveLength(base.trunk.stages.length);
    const [best, ...others] = report.cuts;
    expect(best).toMatchObject({ cut: 'colours', width: 4, accuracy: 1, standardError: 0, parameters: 12 });
    expect(Math.max(...others.map(({ accuracy }) => accuracy))).toBeLessThan(0.7);
    expect(report.cuts.find(({ cut }) => cut === base.cut)).toMatchObject({ cost: 1, width: 2, parameters: 24 });
    expect(best?.cost).toBeGreaterThan(0);
    expect(best?.cost).toBeLessThan(1);
    expect(report.secondsPerExample).toBeGreaterThan(0);
  });

  test('every cut is valid for loadBase', async () => {
    const source = tinyModel();
    const whole = await loadBase(source);
    const { cuts } = await expectNoLeak(() => suggestCut(whole, tinySamples(4), { folds: 2 }));
    expect(cuts.map(({ cut }) => cut).sort()).toEqual(whole.trunk.stages.map(({ name }) => name).sort());
    for (const { cut, width, parameters } of cuts) {
      const other = await loadBase(source, { cut });
      expect(other.trunk.output.shape.at(-1)).toBe(width);
      expect(other.trunk.weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(
        parameters,
      );
      other.dispose();
    }
    whole.dispose();
    source.dispose();
  });

  test('in a GraphModel too', async () => {
    const graph = await loadBase(tinyGraph());
    const random = randomGenerator(3);
    const inputs = Array.from({ length: 12 }, (_, i) =>
      Float32Array.from({ length: 192 }, () => (i % 2) * 0.5 + 0.3 * random()),
    );
    const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'dark' : 'light')) });
    const { cuts } = await expectNoLeak(() => suggestCut(graph, samples, { folds: 3, pooling: 'both' }));
    expect(cuts[0]?.accuracy).toBe(1);
    const again = await loadBase(tinyGraph(), { cut: cuts[0]?.cut ?? '' });
    expect(2 * (again.trunk.output.shape.at(-1) ?? 0)).toBe(cuts[0]?.width);
    again.dispose();
    graph.dispose();
  });

  test('the cheapest of equal cuts', async () => {
    const random = randomGenerator(9);
    const inputs = Array.from({ length: 20 }, (_, i) =>
      Float32Array.from({ length: 48 }, () => (i % 2) + 0.1 * random()),
    );
    const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'dark' : 'light')) });
    const { suggested, cuts } = await suggestCut(base, samples);
    expect(cuts.map(({ accuracy }) => accuracy)).toEqual(cuts.map(() => 1));
    expect(suggested).toBe(base.trunk.stages[0]?.name);
    expect(cuts.map(({ cut }) => cut)).toEqual(base.trunk.stages.map(({ name }) => name));
  });
});

describe('how it works', () => {
  test('the same seed gives the same figures for all batch sizes', async () => {
    const figures = async (options: SuggestCutOptions) =>
      (await suggestCut(base, colourSamples(), options)).cuts.map(({ cut, accuracy, standardError, l2 }) => ({
        cut,
        accuracy,
        standardError,
        l2,
      }));
    const first = await figures({ seed: 3 });
    expect(await figures({ seed: 3 })).toEqual(first);
    expect(await figures({ seed: 3, batchSize: 7 })).toEqual(first);
    expect(await figures({ seed: 4 })).not.toEqual(first);
  });

  test('reads every example once, and at most the requested number', async () => {
    const read: number[] = [];
    const { examples } = await suggestCut(
      base,
      colourSamples(12, (index) => read.push(index)),
      { batchSize: 5 },
    );
    expect(read).toEqual(Array.from({ length: 36 }, (_, i) => i));
    expect(examples).toBe(36);
    read.length = 0;
    await suggestCut(
      base,
      colourSamples(12, (index) => read.push(index)),
      { maxExamples: 15 },
    );
    expect(read).toHaveLength(15);
    expect(colours.map((_, label) => read.filter((index) => index % 3 === label).length)).toEqual([5, 5, 5]);
  });

  test.each([
    ['average', 4],
    ['max', 4],
    ['both', 8],
  ] as const)('pooling by %s gives %i values', async (pooling, width) => {
    const { cuts } = await suggestCut(base, colourSamples(), { pooling });
    expect(cuts[0]).toMatchObject({ cut: 'colours', width, accuracy: 1 });
  });

  test('every stage runs once for each batch', async () => {
    const runs: (number | undefined)[] = [];
    const own = base.trunk.fold.bind(base.trunk);
    const fold = vi.spyOn(base.trunk, 'fold').mockImplementation(async (range) => {
      const part = await own(range);
      const run = (x: tf.Tensor) => {
        runs.push(range?.from);
        return part.run(x);
      };
      return { ...part, run };
    });
    await suggestCut(base, colourSamples(), { batchSize: 18 });
    const stages = base.trunk.stages.map((_, index) => index);
    expect(runs).toEqual([...stages, ...stages]);
    fold.mockRestore();
  });

  test('sequences are pooled over time, vectors are taken as they are', async () => {
    const source = sequential();
    source.add(layers.conv1d({ name: 'convolution', inputShape: [6, 2], filters: 4, kernelSize: 3 }));
    source.add(layers.globalAveragePooling1d({ name: 'over_time' }));
    source.add(layers.dense({ name: 'hidden', units: 8, activation: 'relu' }));
    source.add(layers.dense({ name: 'classifier', units: 3, activation: 'softmax' }));
    const ofTime = await loadBase(source, { cut: 'hidden' });
    const random = randomGenerator(2);
    const inputs = Array.from({ length: 12 }, () => Float32Array.from({ length: 12 }, random));
    const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'a' : 'b')) });
    const { cuts } = await expectNoLeak(() => suggestCut(ofTime, samples, { folds: 2, pooling: 'both' }));
    const widths = ofTime.trunk.stages.map(({ name, output }) => [
      cuts.find(({ cut }) => cut === name)?.width,
      (output.shape.length === 2 ? 1 : 2) * (output.shape.at(-1) ?? NaN),
    ]);
    for (const [width, expected] of widths) expect(width).toBe(expected);
    expect(widths.at(-1)).toEqual([8, 8]);
    ofTime.dispose();
    source.dispose();
  });

  test('reports progress of both parts', async () => {
    const seen: Progress[] = [];
    await suggestCut(base, colourSamples(), {
      folds: 3,
      l2: [0.1, 0.01],
      onProgress: (progress) => seen.push(progress),
    });
    const last = (phase: string) => seen.filter((each) => each.phase === phase).at(-1);
    expect(last('features')).toMatchObject({ done: 36, total: 36 });
    const fits = base.trunk.stages.length * 6;
    expect(last('head')).toMatchObject({ done: fits, total: fits });
  });

  test('a signal stops it in either part, and no tensor leaks', async () => {
    for (const phase of ['features', 'head']) {
      const stop = new AbortController();
      const options: SuggestCutOptions = {
        batchSize: 8,
        signal: stop.signal,
        onProgress: (progress) => {
          if (progress.phase === phase && progress.done > 0) stop.abort();
        },
      };
      await expectNoLeak(() =>
        expect(suggestCut(base, colourSamples(), options)).rejects.toMatchObject({
          code: 'ABORTED',
          message: '[transferkit] suggestCut: was stopped by its signal.',
        }),
      );
    }
  });

  test('unreadable examples are listed or skipped, as the samples define', async () => {
    const broken = (onUnreadable: 'error' | 'skip') => ({
      ...colourSamples(12, (index) => {
        if (index === 4 || index === 20) throw new Error('torn');
      }),
      onUnreadable,
    });
    await expectNoLeak(() =>
      expect(suggestCut(base, broken('error'))).rejects.toMatchObject({
        code: 'UNREADABLE',
        message: expect.stringContaining('example 4 (torn); example 20 (torn)') as string,
      }),
    );
    const { examples, skipped, suggested } = await suggestCut(base, broken('skip'));
    expect(examples).toBe(34);
    expect(skipped.map(({ id }) => id)).toEqual(['example 4', 'example 20']);
    expect(suggested).toBe('colours');
  });

  test('cuts without features are listed with the reason', async () => {
    const shared = layers.dense({ name: 'shared', units: 3 });
    const input = layers.input({ shape: [3] });
    const once = shared.apply(input) as SymbolicTensor;
    const between = layers.dense({ name: 'between', units: 3 }).apply(once) as SymbolicTensor;
    const twice = shared.apply(between) as SymbolicTensor;
    const end = layers.dense({ name: 'end', units: 2 }).apply(twice) as SymbolicTensor;
    const source = model({ inputs: input, outputs: end });
    const whole = await loadBase(source, { cut: 'end' });
    const random = randomGenerator(2);
    const inputs = Array.from({ length: 8 }, () => [random(), random(), random()]);
    const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'a' : 'b')) });
    const { cuts, omitted } = await suggestCut(whole, samples, { folds: 2 });
    expect(omitted).toEqual([{ cut: 'shared', reason: 'runs again further on' }]);
    expect(cuts.map(({ cut }) => cut).sort()).toEqual(['between', 'end', 'shared']);
    whole.dispose();
    source.dispose();
  });
});

describe('bad input', () => {
  const pair = (targets: readonly (string | string[] | number)[]) =>
    fromArrays({ inputs: targets.map(() => new Float32Array(48)), targets });

  test.each<[string, Samples, SuggestCutOptions, ErrorCode, string]>([
    [
      'folds',
      colourSamples(),
      { folds: 1 },
      'INVALID_OPTION',
      'suggestCut: expected folds to be a whole number from 2, got 1.',
    ],
    [
      'batchSize',
      colourSamples(),
      { batchSize: 0 },
      'INVALID_OPTION',
      'expected batchSize to be a whole number from 1, got 0.',
    ],
    ['seed', colourSamples(), { seed: 0.5 }, 'INVALID_OPTION', 'expected seed to be a whole number from 0, got 0.5.'],
    [
      'no penalty',
      colourSamples(),
      { l2: [] },
      'INVALID_OPTION',
      'expected l2 to be a list of finite numbers above 0, got [].',
    ],
    ['zero penalty', colourSamples(), { l2: [0.1, 0] }, 'INVALID_OPTION', 'finite numbers above 0, got [0.1,0].'],
    [
      'pooling',
      colourSamples(),
      { pooling: 'flatten' as 'max' },
      'INVALID_OPTION',
      'pooling to be one of average, max, both, got flatten.',
    ],
    ['a path', 'photos' as unknown as Samples, {}, 'INVALID_OPTION', 'expected samples, as fromArrays'],
    [
      'several labels',
      pair([['a', 'b'], ['a'], ['b'], ['b']]),
      {},
      'INVALID_OPTION',
      'expected one label for each example, got ["a","b"] for example 0.',
    ],
    ['numbers', pair([1, 2, 3, 4]), {}, 'INVALID_OPTION', 'expected one label for each example, got 1 for example 0.'],
    ['one class', pair(['a', 'a', 'a']), {}, 'TOO_FEW_CLASSES', 'expected examples of two or more labels, got 1 (a).'],
    [
      'a class of one',
      pair(['a', 'a', 'a', 'a', 'b']),
      {},
      'TOO_FEW_EXAMPLES',
      'at least two examples of every label and 5 in all, one for each fold, got fewer of b.',
    ],
    ['fewer than folds', pair(['a', 'a', 'b', 'b']), {}, 'TOO_FEW_EXAMPLES', 'and 5 in all, one for each fold, got 4.'],
    ['cut down too far', colourSamples(), { maxExamples: 5 }, 'TOO_FEW_EXAMPLES', 'got fewer of'],
  ])('%s', async (_, samples, options, code, text) => {
    await expectNoLeak(() =>
      expect(suggestCut(base, samples, options)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(text) as string,
      }),
    );
  });

  test('a disposed base', async () => {
    const gone = await forgetfulBase();
    gone.dispose();
    await expect(suggestCut(gone, colourSamples())).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  test('features that are not finite: the error names example and cut', async () => {
    const samples = colourSamples();
    const large = {
      ...samples,
      read: (index: number) => ({
        id: `picture ${String(index)}`,
        target: samples.target(index),
        input: new Float32Array(48).fill(index === 9 ? 3e38 : 1),
      }),
    };
    await expectNoLeak(() =>
      expect(suggestCut(base, large, { batchSize: 4 })).rejects.toMatchObject({
        code: 'NOT_FINITE',
        message: expect.stringContaining("at 'colours' for picture 9") as string,
      }),
    );
  });
});

describe('folds', () => {
  const classes = Array.from({ length: 53 }, (_, i) => (i < 30 ? 0 : i < 51 ? 1 : 2));
  const count = (values: readonly number[], value: number) => values.filter((each) => each === value).length;

  test('are even, in total and in every class', () => {
    const folds = assignFolds(classes, 5, 1);
    expect([0, 1, 2, 3, 4].map((fold) => count(folds, fold)).sort()).toEqual([10, 10, 11, 11, 11]);
    for (const label of [0, 1, 2]) {
      const sizes = [0, 1, 2, 3, 4].map((fold) =>
        count(
          folds.filter((_, i) => classes[i] === label),
          fold,
        ),
      );
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
    expect(assignFolds(classes, 5, 1)).toEqual(folds);
    expect(assignFolds(classes, 5, 2)).not.toEqual(folds);
  });

  test('a subset keeps the shares of classes, and two examples of each', () => {
    const drawn = drawExamples(classes, 20, 1);
    expect(drawn).toEqual([...new Set(drawn)].sort((a, b) => a - b));
    const shares = [0, 1, 2].map((label) =>
      count(
        drawn.map((i) => classes[i] ?? -1),
        label,
      ),
    );
    expect(shares).toEqual([11, 7, 2]);
    expect(drawExamples(classes, 100, 1)).toHaveLength(53);
  });

  test('use scaled columns: the unit of one does not matter, and a constant one is ignored', async () => {
    const random = randomGenerator(4);
    const labels = Array.from({ length: 40 }, (_, i) => i % 2);
    const rows = labels.map((label) => [label + 1.5 * random(), random()]);
    const folds = assignFolds(labels, 4, 0);
    const judge = (factor: number) =>
      crossValidate(
        {
          features: Float32Array.from(rows.flatMap(([a = 0, b = 0]) => [a * factor, b, 7])),
          classes: labels,
          weights: labels.map(() => 1),
          folds,
          l2: [0.01, 0.1],
        },
        { rest: () => Promise.resolve(), onFitted: () => Promise.resolve() },
      );
    const plain = await judge(1);
    expect(plain.accuracy).toBeGreaterThan(0.7);
    expect(plain.standardError).toBeGreaterThan(0);
    expect(await judge(1024)).toEqual(plain);
  });
});
