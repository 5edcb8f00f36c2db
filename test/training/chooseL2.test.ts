// The strength of a penalty: cross-validated losses are those of scikit-learn (golden/linearSolver.py), and the search
// ends at the lowest.
import { beforeAll, describe, expect, test } from 'vitest';
import { byFolds, byValidation, chooseL2, type Judge } from '../../src/training/solve/chooseL2.ts';
import { DesignMatrix } from '../../src/training/solve/designMatrix.ts';
import { sharesOf } from '../../src/training/solve/fitValidationFolds.ts';
import { tasks } from '../../src/model/tasks/tasks.ts';
import golden from '../golden/linearSolver.json' with { type: 'json' };
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';

beforeAll(async () => {
  await useTestBackend();
});

const rows = Array.from({ length: 40 }, (_, i) => i);
const values = Float32Array.from({ length: 240 }, (_, i) => Math.sin(0.4 + 0.7 * i * i));
const targets = rows.map((row) => Float32Array.from([0, 1, 2], (k) => Number(k === (row * 7) % 3)));
const rest = () => Promise.resolve();

/** Does something with the features of some rows. */
async function withRows<T>(wanted: readonly number[], use: (features: DesignMatrix) => Promise<T>): Promise<T> {
  const own = Float32Array.from(wanted.flatMap((row) => Array.from(values.subarray(row * 6, row * 6 + 6))));
  const features = DesignMatrix.of(own, 6, { columns: 12, rest });
  try {
    return await use(features);
  } finally {
    features.dispose();
  }
}

test('losses of folds that are fitted together are those of scikit-learn', async () => {
  await expectNoLeak(() =>
    withRows(rows, async (features) => {
      const problem = { features, targets, units: 3, loss: tasks.classes.rowLoss };
      const weights = rows.map(() => 1);
      const judge = byFolds(problem, { weights, measured: weights, folds: rows.map((row) => row % 4) });
      for (const { l2, loss } of golden.crossValidated) {
        const judged = await judge(l2, []);
        expect(judged.models).toHaveLength(4);
        expect(Math.abs(judged.loss - loss)).toBeLessThan(5e-3);
      }
    }),
  );
});

test('a fold has the loss of the same rows as validation samples', async () => {
  const inside = rows.filter((row) => row % 4 === 1);
  const outside = rows.filter((row) => row % 4 !== 1);
  const pick = (wanted: readonly number[]) => wanted.flatMap((row) => targets[row] ?? []);
  const weights = inside.map((row) => 1 + (row % 3));
  const alone = await withRows(inside, (held) =>
    withRows(outside, (features) => {
      const problem = { features, targets: pick(outside), units: 3, loss: tasks.classes.rowLoss };
      const shares = sharesOf(outside.map(() => 1));
      return byValidation(problem, shares, { features: held, targets: pick(inside), weights })(0.1, []);
    }),
  );
  const together = await withRows(rows, (features) => {
    const problem = { features, targets, units: 3, loss: tasks.classes.rowLoss };
    const shares = sharesOf(rows.map((row) => (inside.includes(row) ? 0 : 1)));
    return byValidation(problem, shares, {
      features,
      targets,
      weights: rows.map((row) => (inside.includes(row) ? 1 + (row % 3) : 0)),
    })(0.1, []);
  });
  expect(Math.abs(alone.loss - together.loss)).toBeLessThan(1e-5);
});

describe('the search', () => {
  /** Judges by how far a strength is from the best one; notes what was tried. */
  function watched(best: number): { judge: Judge; tried: number[] } {
    const tried: number[] = [];
    return {
      tried,
      judge: (l2) => {
        tried.push(Number(l2.toPrecision(3)));
        return Promise.resolve({ l2, loss: Math.abs(Math.log(l2 / best)), models: [] });
      },
    };
  }

  test.each([
    [0.1, [0.1, 0.0316, 0.316]],
    [0.01, [0.1, 0.0316, 0.01, 0.00316]],
    [1, [0.1, 0.0316, 0.316, 1, 3.16]],
  ])('ends at %s', async (best, expected) => {
    const { judge, tried } = watched(best);
    expect((await chooseL2(judge)).l2).toBeCloseTo(best, 9);
    expect(tried).toEqual(expected);
  });

  test.each([
    [1e-9, 1e-5],
    [1e9, 1e3],
  ])('stays within bounds: %s', async (best, expected) => {
    expect((await chooseL2(watched(best).judge)).l2).toBeCloseTo(expected, 9);
  });

  test('starts from the models of the best strength so far', async () => {
    const started: (readonly unknown[])[] = [];
    const models = [0.1, 0.01, 0.001].map((objective) => ({
      kernel: new Float64Array(1),
      bias: new Float64Array(1),
      objective,
      iterations: 1,
      converged: true,
    }));
    const losses = [3, 2, 4];
    await chooseL2((l2, start) => {
      started.push(start);
      const place = started.length - 1;
      return Promise.resolve({ l2, loss: losses[place] ?? 9, models: models.slice(place, place + 1) });
    });
    expect(started).toEqual([[], [models[0]], [models[1]]]);
  });

  test('keeps the first strength if no loss is finite', async () => {
    const chosen = await chooseL2((l2) => Promise.resolve({ l2, loss: NaN, models: [] }));
    expect(chosen.l2).toBeCloseTo(0.1, 9);
  });
});

test('the search ends after a number of gradients, but compares two strengths at least', async () => {
  const tried: number[] = [];
  const model = {
    kernel: new Float64Array(1),
    bias: new Float64Array(1),
    objective: 1,
    iterations: 4,
    converged: true,
  };
  const judge: Judge = (l2) => {
    tried.push(l2);
    return Promise.resolve({ l2, loss: l2, models: [model, model] });
  };
  expect(await chooseL2(judge, 1)).toMatchObject({ l2: 0.0316, iterations: 16, isCut: true });
  expect(await chooseL2(judge, 30)).toMatchObject({ l2: 0.01, iterations: 24, isCut: true });
  expect(tried).toEqual([0.1, 0.0316, 0.1, 0.0316, 0.01]);
  expect(await chooseL2(judge, 1000)).toMatchObject({ l2: 1e-5, isCut: false });
});
