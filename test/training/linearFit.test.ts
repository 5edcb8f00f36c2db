// Linear models fitted side by side: the optima of scikit-learn (golden/logisticRegression.py), in single precision.
import { beforeAll, describe, expect, test } from 'vitest';
import { DesignMatrix } from '../../src/training/solve/designMatrix.ts';
import { fitSideBySide, logitsOf, type FittedModel, type LinearFit } from '../../src/training/solve/linearFit.ts';
import { tasks } from '../../src/model/tasks/tasks.ts';
import golden from '../golden/logisticRegression.json' with { type: 'json' };
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** The values of `wave` in logisticRegression.py. */
function wave(rows: number, columns: number, scale: number, phase: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => scale * Math.sin(phase + 0.7 * i * i));
}

interface Data {
  readonly features: Float32Array;
  readonly classes: readonly number[];
  readonly weights?: readonly number[];
}

const rows = Array.from({ length: 30 }, (_, i) => i);
const features = wave(30, 5, 1.5, 0.4);
const classes = rows.map((row) => (row * 7) % 4);
const halves = rows.map((row) => Number((row * 7) % 10 < 4));
const weights = rows.map((row) => 1 + (row % 3));
const wide: Data = { features: wave(12, 40, 1, 0.9), classes: rows.slice(0, 12).map((row) => row % 3) };
const exact = { gap: 1e-8, maxIterations: 1000 };

/** Fits all classes, or one logit for two, with each penalty, all at once. */
async function fit(data: Data, units: number, fits: readonly Omit<LinearFit, 'shares'>[], precision = exact) {
  const { classes: labels } = data;
  const counts = data.weights ?? labels.map(() => 1);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const shares = Float64Array.from(counts, (count) => count / total);
  const targets = labels.map((label) =>
    Float32Array.from({ length: units }, (_, unit) => (units === 1 ? label : Number(label === unit))),
  );
  const matrix = DesignMatrix.of(data.features, data.features.length / labels.length, {
    columns: units * fits.length,
    rest: () => Promise.resolve(),
  });
  try {
    const loss = tasks[units === 1 ? 'binary' : 'classes'].rowLoss;
    const models = await fitSideBySide(
      { features: matrix, targets, units, loss },
      fits.map((each) => ({ ...each, shares })),
      precision,
    );
    return { models, logits: await logitsOf(matrix, models, units) };
  } finally {
    matrix.dispose();
  }
}

describe('optima are those of scikit-learn', () => {
  test.each([
    ['several classes', { features, classes }, 4, golden.classes],
    ['examples that count differently', { features, classes, weights }, 4, golden.weighted],
    ['two classes by one logit', { features, classes: halves }, 1, golden.binary],
    ['more features than examples', wide, 3, golden.wide],
  ])('%s', async (_, data, units, expected) => {
    const { models } = await expectNoLeak(() => fit(data, units, expected));
    expect(models).toHaveLength(expected.length);
    for (const [place, { loss, coefficients, intercepts }] of expected.entries()) {
      const { kernel, bias, objective, converged } = models[place] ?? nothing;
      expect(converged).toBe(true);
      expect(Math.abs(objective - loss)).toBeLessThan(1e-6);
      // scikit-learn's coefficients are [units, width].
      expectClose(kernel, coefficients[0]?.flatMap((__, i) => coefficients.map((row) => row[i] ?? NaN)) ?? [], 2e-2);
      // A softmax does not notice what is added to every bias.
      if (units === 1) expectClose(bias, intercepts, 1e-2);
      else expectClose(centred(bias), centred(intercepts), 1e-2);
    }
  });
});

test('models that are fitted together equal those that are fitted separately', async () => {
  const penalties = [1, 0.1, 0.01].map((l2) => ({ l2 }));
  const together = await fit({ features, classes }, 4, penalties);
  for (const [place, penalty] of penalties.entries()) {
    const alone = await fit({ features, classes }, 4, [penalty]);
    expect(Math.abs((alone.models[0]?.objective ?? NaN) - (together.models[place]?.objective ?? NaN))).toBeLessThan(
      1e-7,
    );
    expectClose(alone.logits[0] ?? [], Array.from(together.logits[place] ?? []), 1e-2);
  }
});

test('a start near the optimum needs fewer iterations for the same result', async () => {
  const [near] = (await fit({ features, classes }, 4, [{ l2: 0.012 }])).models;
  const [cold, warm] = (await fit({ features, classes }, 4, [{ l2: 0.01 }, { l2: 0.01, start: near }])).models;
  expect(warm?.iterations).toBeLessThan(cold?.iterations ?? 0);
  expect(Math.abs((warm?.objective ?? NaN) - (cold?.objective ?? NaN))).toBeLessThan(1e-6);
});

test('reports the limit of iterations', async () => {
  const { models } = await fit({ features, classes }, 4, [{ l2: 0.01 }], { gap: 1e-8, maxIterations: 2 });
  expect(models[0]).toMatchObject({ converged: false, iterations: 2 });
});

test('logits are the products with the kernel plus the bias', async () => {
  const { models, logits } = await fit(wide, 3, [{ l2: 0.1 }, { l2: 1 }]);
  models.forEach(({ kernel, bias }, model) => {
    const expected = wide.classes.flatMap((_, row) =>
      Array.from(bias, (own, unit) =>
        wide.features
          .subarray(row * 40, (row + 1) * 40)
          .reduce((sum, value, i) => sum + value * (kernel[i * 3 + unit] ?? 0), own),
      ),
    );
    expectClose(logits[model] ?? [], expected, 1e-5);
  });
});

test('picked rows, also of several blocks, are those of the matrix', async () => {
  const values = wave(300, 4, 1, 0.2);
  const kernel = wave(4, 2, 1, 0.7);
  for (const columns of [2, 36_000]) {
    await expectNoLeak(async () => {
      const matrix = DesignMatrix.of(values, 4, { columns, rest: () => Promise.resolve() });
      const wanted = [0, 5, 115, 116, 117, 299];
      const picked = matrix.pick(wanted);
      const [all, own] = [await matrix.logits(kernel, 2), await picked.logits(kernel, 2)];
      expect(picked.rows).toBe(6);
      wanted.forEach((row, place) => {
        expectClose(own.subarray(place * 2, place * 2 + 2), Array.from(all.subarray(row * 2, row * 2 + 2)), 1e-5);
      });
      matrix.dispose();
      picked.dispose();
    });
  }
});

test('several blocks of rows give the same result as one', async () => {
  const many = { features: wave(300, 4, 1, 0.2), classes: Array.from({ length: 300 }, (_, row) => (row * 7) % 3) };
  const targets = many.classes.map((label) => Float32Array.from([0, 1, 2], (unit) => Number(label === unit)));
  const shares = new Float64Array(300).fill(1 / 300);
  const objectives: number[] = [];
  // For so many columns a block has the fewest rows.
  for (const columns of [3, 36_000]) {
    const matrix = DesignMatrix.of(many.features, 4, { columns, rest: () => Promise.resolve() });
    const [model] = await fitSideBySide(
      { features: matrix, targets, units: 3, loss: tasks.classes.rowLoss },
      [{ l2: 0.1, shares }],
      exact,
    );
    matrix.dispose();
    objectives.push(model?.objective ?? NaN);
  }
  expect(Math.abs((objectives[0] ?? NaN) - (objectives[1] ?? NaN))).toBeLessThan(1e-7);
});

test('logits far out of range give finite losses', async () => {
  const far = wave(12, 2, 1e4, 0.2);
  for (const units of [1, 2]) {
    const labels = rows.slice(0, 12).map((row) => row % 2);
    const { models } = await fit({ features: far, classes: labels }, units, [{ l2: 1e-3 }]);
    expect(Number.isFinite(models[0]?.objective)).toBe(true);
  }
});

const nothing: FittedModel = {
  kernel: new Float64Array(0),
  bias: new Float64Array(0),
  objective: NaN,
  iterations: NaN,
  converged: false,
};

function expectClose(actual: ArrayLike<number>, expected: readonly number[], within: number): void {
  expect(actual).toHaveLength(expected.length);
  const off = expected.map((value, i) => Math.abs((actual[i] ?? NaN) - value));
  expect(Math.max(...off)).toBeLessThan(within);
}

function centred(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  return list.map((value) => value - mean);
}
