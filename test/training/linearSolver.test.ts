// Heads that are solved for: the optima of scikit-learn (golden/linearSolver.py), and what counts how much.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import {
  fromArrays,
  loadBase,
  replaceHead,
  save,
  trainHead,
  useBackend,
  type TaskName,
  type TransferModel,
} from '../../src/index.ts';
import { featureScaleOf } from '../../src/training/solve/standardise.ts';
import golden from '../golden/linearSolver.json' with { type: 'json' };
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { vectorModel } from '../support/vectorModel.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** The values of `wave` in linearSolver.py. */
function wave(rows: number, columns: number, scale: number, phase: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => scale * Math.sin(phase + 0.7 * i * i));
}

const rows = Array.from({ length: 40 }, (_, i) => i);
const factors = [1, 100, 0.01, 5, 1, 0];
const offsets = [0, 50, 0, -30, 2, 7];
const waves = wave(40, 6, 1, 0.4);
const inputs = rows.map((row) =>
  Float32Array.from(factors, (factor, i) => (waves[row * 6 + i] ?? 0) * factor + (offsets[i] ?? 0)),
);
const labels = ['a', 'b', 'c'];
const classes = rows.map((row) => (row * 7) % 3);
const ones = rows.map(() => 1);
const weights = rows.map((row) => 1 + (row % 3));
const tags = rows.map((row) => [(row * 7) % 10 < 4, row % 3 === 0, (row * 11) % 7 < 3].map(Number));
const numbers = rows.map((row) => [
  Math.fround(100 + 20 * Math.sin(0.3 * row)),
  Math.fround(0.01 * Math.cos(0.5 * row)),
]);
const halves = rows.map((row) => Number((row * 7) % 10 < 4));
const oneHot = classes.map((label) => labels.map((_, k) => Number(k === label)));
const soft = classes.map((label) => labels.map((_, k) => 0.15 + 0.55 * Number(k === label)));

/** Weighted mean and deviation. */
function spread(values: readonly number[], shares: readonly number[]): { mean: number; deviation: number } {
  const total = shares.reduce((a, b) => a + b, 0);
  const mean = values.reduce((sum, value, i) => sum + (value * (shares[i] ?? 0)) / total, 0);
  const variance = values.reduce((sum, value, i) => sum + ((value - mean) ** 2 * (shares[i] ?? 0)) / total, 0);
  return { mean, deviation: Math.sqrt(variance) };
}

const kernelOf = ({ head }: TransferModel): number[][] => {
  const [kernel] = head.trunk.weights;
  const [width = 0, units = 0] = kernel?.shape ?? [];
  const values = kernel?.variable.dataSync() ?? [];
  return Array.from({ length: width }, (_, i) => Array.from(values.slice(i * units, (i + 1) * units)));
};

const outputsOf = ({ head }: TransferModel, given: readonly Float32Array[]): number[][] =>
  tf.tidy(() => head.trunk.run(tf.stack(given.map((each) => tf.tensor1d(each)))).arraySync() as number[][]);

/** Loss of a row of outputs. */
type Loss = (outputs: readonly number[], targets: readonly number[]) => number;
const sumOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const softmaxLoss: Loss = (outputs, targets) => {
  const total = Math.log(sumOf(outputs.map(Math.exp)));
  return sumOf(outputs.map((output, k) => (targets[k] ?? 0) * (total - output)));
};
const sigmoidLoss: Loss = (outputs, targets) =>
  sumOf(outputs.map((output, k) => Math.log1p(Math.exp(output)) - (targets[k] ?? 0) * output));

interface Case {
  readonly task: TaskName;
  readonly labels: readonly string[];
  readonly targets: readonly (readonly number[])[];
  readonly weights: readonly number[];
  readonly loss: Loss;
  readonly optima: readonly { l2: number; objective: number; outputs: number[][] }[];
}

const cases: Readonly<Record<string, Case>> = {
  'several classes': {
    task: 'classes',
    labels,
    targets: oneHot,
    weights: ones,
    loss: softmaxLoss,
    optima: golden.classes,
  },
  'examples that count differently': {
    task: 'classes',
    labels,
    targets: oneHot,
    weights,
    loss: softmaxLoss,
    optima: golden.weighted,
  },
  'shares of classes': {
    task: 'classes',
    labels,
    targets: soft,
    weights: ones,
    loss: softmaxLoss,
    optima: golden.soft,
  },
  'two classes by one logit': {
    task: 'binary',
    labels: ['no', 'yes'],
    targets: halves.map((half) => [half]),
    weights: ones,
    loss: sigmoidLoss,
    optima: golden.binary,
  },
  'any of the labels': {
    task: 'multiLabel',
    labels,
    targets: tags,
    weights,
    loss: sigmoidLoss,
    optima: golden.multiLabel,
  },
  numbers: {
    task: 'regression',
    labels: ['large', 'small'],
    targets: numbers,
    weights,
    // On standardised targets.
    loss: (outputs, targets) =>
      sumOf(
        outputs.map((output, k) => {
          const { deviation } = spread(
            numbers.map((each) => each[k] ?? 0),
            weights,
          );
          return ((output - (targets[k] ?? 0)) / deviation) ** 2 / 2;
        }),
      ),
    optima: golden.regression,
  },
};

describe('optima are those of scikit-learn', () => {
  test.each(Object.entries(cases))('%s', async (_, { task, labels: own, targets, weights: counts, loss, optima }) => {
    for (const { l2, objective, outputs } of optima) {
      const isRegression = task === 'regression';
      const model = await vectorModel<TaskName>(6, { task, ...(isRegression ? { outputs: own } : { labels: own }) });
      const given = task === 'binary' ? targets.flat() : targets;
      const samples = fromArrays({ inputs, targets: given, weights: counts, ...(isRegression ? {} : { labels: own }) });
      const log = await trainHead(model, samples, { l2 });
      expect([log.solver, log.stoppedBy]).toMatchObject([{ l2, converged: true }, 'converged']);
      const found = outputsOf(model, inputs);
      const total = sumOf(counts);
      const mean = sumOf(found.map((row, i) => (loss(row, targets[i] ?? []) * (counts[i] ?? 0)) / total));
      expect(Math.abs(mean + (l2 / 2) * sumOfSquares(model, task, counts) - objective)).toBeLessThan(1e-5);
      found.forEach((row, i) => {
        const centre = task === 'classes' ? sumOf(row) / row.length : 0;
        row.forEach((output, k) => {
          const expected = outputs[i]?.[k] ?? NaN;
          expect(Math.abs(output - centre - expected)).toBeLessThan(5e-3 * Math.max(1, Math.abs(expected)));
        });
      });
      // A column that does not vary has no part in it.
      expect(kernelOf(model)[5]?.every((value) => value === 0)).toBe(true);
    }
  });

  /** Of the kernel on standardised features and, of a regression, for standardised targets. */
  function sumOfSquares(model: TransferModel, task: TaskName, counts: readonly number[]): number {
    return sumOf(
      kernelOf(model).flatMap((row, i) => {
        const { deviation } = spread(
          inputs.map((each) => each[i] ?? 0),
          counts,
        );
        return row.map((value, k) => {
          const column = numbers.map((each) => each[k] ?? 0);
          const unit = task === 'regression' ? spread(column, counts).deviation : 1;
          return ((value * deviation) / unit) ** 2;
        });
      }),
    );
  }
});

describe('weights', () => {
  interface Given {
    readonly inputs: readonly Float32Array[];
    readonly targets: readonly string[];
    readonly weights?: readonly number[];
  }
  const targets = classes.map((label) => labels[label] ?? '');

  /** Outputs for all examples of a head that was fitted to some of them. */
  async function fitTo(given: Given, options: Parameters<typeof trainHead>[2] = { l2: 0.01 }): Promise<number[]> {
    const model = await vectorModel(6, { labels });
    await expectNoLeak(() => trainHead(model, fromArrays({ labels, ...given }), options));
    return outputsOf(model, inputs).flat();
  }

  function expectSame(found: readonly number[], expected: readonly number[]): void {
    found.forEach((value, i) => {
      expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThan(5e-3);
    });
  }

  const twice = {
    inputs: [...inputs, ...inputs.slice(0, 10)],
    targets: [...targets, ...targets.slice(0, 10)],
  };

  test('an example of weight 2 counts as two', async () => {
    const weighted = await fitTo({ inputs, targets, weights: rows.map((row) => (row < 10 ? 2 : 1)) });
    expectSame(weighted, await fitTo(twice));
    expect(Math.abs((weighted[0] ?? 0) - ((await fitTo({ inputs, targets }))[0] ?? 0))).toBeGreaterThan(5e-3);
  });

  test('an example of weight 0 is ignored, also in the choice of the penalty', async () => {
    const spoilt = {
      inputs: [...inputs, ...inputs.slice(0, 10).map((input) => input.map((value) => value * 1e3))],
      targets: [...targets, ...rows.slice(0, 10).map(() => 'a')],
      weights: [...ones, ...rows.slice(0, 10).map(() => 0)],
    };
    expect(await fitTo(spoilt)).toEqual(await fitTo({ inputs, targets }));
    expectSame(await fitTo(spoilt, {}), await fitTo({ inputs, targets }, {}));
  });

  test('class weights are the same as weights of the examples', async () => {
    const byClass = await fitTo({ inputs, targets }, { l2: 0.01, classWeights: { b: 3, c: 0.5 } });
    expectSame(byClass, await fitTo({ inputs, targets, weights: classes.map((label) => [1, 3, 0.5][label] ?? 1) }));
  });

  test('the order of the examples does not matter', async () => {
    const turned = { inputs: inputs.toReversed(), targets: targets.toReversed() };
    expectSame(await fitTo(turned), await fitTo({ inputs, targets }));
  });

  test('the same seed gives the same bits', async () => {
    expect(await fitTo({ inputs, targets }, { seed: 3 })).toEqual(await fitTo({ inputs, targets }, { seed: 3 }));
  });

  test('examples that all have weight 0 are refused', async () => {
    const model = await vectorModel(6, { labels });
    const samples = fromArrays({ inputs, targets, labels, weights: rows.map(() => 0) });
    await expectNoLeak(() => expect(trainHead(model, samples)).rejects.toThrow('weight above 0, got none among 40'));
    expect(model.head.trained).toBe(false);
  });
});

describe('small and odd data', () => {
  test('a constant target is predicted', async () => {
    const model = await vectorModel(6, { task: 'regression', outputs: 1 });
    await trainHead(model, fromArrays({ inputs, targets: rows.map(() => 42) }));
    for (const [value = NaN] of outputsOf(model, inputs)) expect(value).toBeCloseTo(42, 4);
  });

  test('a single example is enough for a regression', async () => {
    const model = await vectorModel(6, { task: 'regression', outputs: 1 });
    const log = await trainHead(model, fromArrays({ inputs: inputs.slice(0, 1), targets: [5] }));
    expect(log.solver).toMatchObject({ l2: 1, converged: true });
    expect(outputsOf(model, inputs.slice(0, 1))).toEqual([[5]]);
  });

  test('more features than examples', async () => {
    const wide = rows.slice(0, 12).map((row) => wave(1, 60, 1, 0.3 + row));
    const model = await vectorModel(60, { labels });
    const log = await trainHead(model, fromArrays({ inputs: wide, targets: wide.map((_, i) => labels[i % 3] ?? '') }));
    expect(log.stoppedBy).toBe('converged');
    expect(Number.isFinite(log.epochs[0]?.loss)).toBe(true);
  });

  test('the penalty is chosen on one fold where there are thousands of examples', async () => {
    const iterations: number[] = [];
    for (const size of [5000, 5001]) {
      const many = Array.from({ length: size }, (_, row) => wave(1, 2, 1, 0.3 * row));
      const model = await vectorModel(2, { task: 'binary', labels: ['low', 'high'] });
      const samples = fromArrays({
        inputs: many,
        targets: many.map(([a = 0, b = 0], row) => (a + b + Math.sin(row * row) > 0 ? 'high' : 'low')),
      });
      const log = await trainHead(model, samples, { batchSize: 500 });
      expect(log.epochs[0]?.accuracy).toBeGreaterThan(0.7);
      iterations.push(log.solver?.iterations ?? NaN);
    }
    expect(iterations[0]).toBeGreaterThan(2 * (iterations[1] ?? NaN));
  });

  test('numbers that are linear in the features are found', async () => {
    const model = await vectorModel(6, { task: 'regression', outputs: 1 });
    const truth = (input: Float32Array) => 3 + 2 * (input[0] ?? 0) - 0.05 * (input[1] ?? 0);
    const log = await trainHead(model, fromArrays({ inputs, targets: inputs.map(truth) }));
    expect(log.solver).toMatchObject({ l2: 1e-5 });
    outputsOf(model, inputs).forEach(([value = NaN], row) => {
      expect(Math.abs(value - truth(inputs[row] ?? new Float32Array(6)))).toBeLessThan(1e-3);
    });
  });
});

describe('columns with low precision in float32', () => {
  const given = Array.from({ length: 48 }, (_, k) =>
    Float32Array.of(Math.sin(k), Math.cos(k * 3), Math.sin(k * 7) + (k % 2) * 2.5),
  );
  const samples = fromArrays({ inputs: given, targets: given.map((_, k) => 'ab'[k % 2] ?? '') });

  /** A head on features that a layer of the base makes: two of usual size, and the one that tells the classes apart. */
  async function trained(scale: number, offset: number) {
    const source = layers.dense({ units: 3, name: 'made', inputShape: [3] });
    const network = sequential({ layers: [source] });
    source.setWeights(tf.tidy(() => [tf.diag(tf.tensor1d([1, 1, scale])), tf.tensor1d([0, 0, offset])] as tf.Tensor[]));
    const model = replaceHead(await loadBase(network, { cut: 'made' }), { labels: ['a', 'b'] });
    network.dispose();
    const log = await expectNoLeak(() => trainHead(model, samples));
    return { model, accuracy: log.epochs[0]?.accuracy, largest: Math.max(...kernelOf(model).flat().map(Math.abs)) };
  }

  /** Probabilities of all examples by ours on each backend, and by what tfjs alone loads. */
  async function everywhere(model: TransferModel): Promise<Float32Array[]> {
    const x = tf.stack(given.map((each) => tf.tensor1d(each)));
    const found: Float32Array[] = [];
    const add = (run: () => tf.Tensor) => {
      tf.tidy(() => found.push(run().dataSync<'float32'>().slice()));
    };
    const saved: tf.io.ModelArtifacts[] = [];
    const modelArtifactsInfo = { dateSaved: new Date(), modelTopologyType: 'JSON' } as const;
    await save(
      model,
      tf.io.withSaveHandler((artifacts) => {
        saved.push(artifacts);
        return Promise.resolve({ modelArtifactsInfo });
      }),
    );
    for (const [backend, kernels] of [
      ['wasm', true],
      ['wasm', false],
      ['cpu', false],
    ] as const) {
      await useBackend(backend, { threads: 1, kernels });
      add(() => tf.softmax(model.head.trunk.run(model.base.trunk.run(x))));
      if (kernels) continue;
      const plain = await loadLayersModel(tf.io.fromMemory(saved[0] ?? {}));
      add(() => plain.predict(x) as tf.Tensor);
      plain.dispose();
    }
    await useTestBackend();
    return found;
  }

  test.each([
    [1, 0],
    [1e-6, 0],
    [1e-12, 0],
    [1e-20, 0],
    [1e-30, 0],
    [1e-38, 0],
    [1e-44, 0],
    [1e30, 0],
    [5e37, 0],
    [5e-2, 0.13],
    [5e-4, 13],
    [5e-6, 0.13],
    [2e-5, 0.5],
    [1e-4, -1],
    [5e-9, 0.13],
  ])('%d around %d: every backend and tfjs alone give the same probabilities', async (scale, offset) => {
    const { model, largest } = await trained(scale, offset);
    if (scale !== 1e-6) expect(largest).toBeLessThan(1e4);
    const [first = new Float32Array(0), ...others] = await everywhere(model);
    expect(others).toHaveLength(4);
    for (const other of others) {
      expect(Math.max(...other.map((value, i) => Math.abs(value - (first[i] ?? NaN))))).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  test.each([1, 1e-3, 1e-6, 1e30])('a column of size %d keeps its weight', async (scale) => {
    const { model, accuracy, largest } = await trained(scale, 0);
    expect(accuracy).toBe(1);
    expect(largest * scale).toBeGreaterThan(1);
    model.dispose();
  });

  test('the size of a column is not compared with a single huge one, nor with columns of zeros', async () => {
    const columns = given.map(([a = 0, b = 0, c = 0]) => [a * 1e30, b * 1e-42, 0, 1e-42, 7, c, c]);
    const values = Float32Array.from(columns.flat());
    const shares = new Float64Array(given.length).fill(1 / given.length);
    const { factor, rounding } = await featureScaleOf(values, 7, shares, () => Promise.resolve());
    expect(Array.from(factor, (each) => each > 0)).toEqual([true, false, false, false, false, true, true]);
    expect(Array.from(rounding)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(factor[5]).toBe(factor[6]);
  });

  test('a column with a single value that is not zero is scaled like any other', async () => {
    const values = Float32Array.from(given.flatMap(([a = 0], row) => [a, row === 5 ? 1 : 0]));
    const shares = new Float64Array(given.length).fill(1 / given.length);
    const { mean, factor, rounding } = await featureScaleOf(values, 2, shares, () => Promise.resolve());
    expect(mean[1]).toBeCloseTo(1 / 48, 12);
    expect(factor[1]).toBeCloseTo(48 / Math.sqrt(47), 9);
    expect(rounding[1]).toBe(0);
  });
});
