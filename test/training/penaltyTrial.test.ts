// Which examples the strength of a penalty is chosen on, and how limits bound the work of a solver.
import { beforeAll, describe, expect, test } from 'vitest';
import { fromArrays, trainHead } from '../../src/index.ts';
import { gradientsOfChoice, isSolvable, precisionOf, rowsOfTrial } from '../../src/training/options/solverLimits.ts';
import { tasks } from '../../src/model/tasks/tasks.ts';
import type { LinearEnd } from '../../src/model/linearHead.ts';
import { DesignMatrix } from '../../src/training/solve/designMatrix.ts';
import { prepareTrial } from '../../src/training/solve/penaltyTrial.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { vectorModel } from '../support/vectorModel.ts';

beforeAll(async () => {
  await useTestBackend();
});

describe('limits', () => {
  test('a thousand labels of twenty examples are solved for, ten thousand are not', () => {
    expect(isSolvable({ rows: 20_000, width: 1280, units: 1000 })).toBe(true);
    expect(isSolvable({ rows: 20_000, width: 1280, units: 10_000 })).toBe(false);
    expect(isSolvable({ rows: 10_000, width: 16, units: 10_000 })).toBe(false);
  });

  test('all gradients of a large head together take limited work', () => {
    for (const [rows, units] of [
      [20_000, 1000],
      [5000, 100],
      [40_000, 1000],
    ] as const) {
      const size = { rows, width: 1280, units };
      const trial = { ...size, rows: Math.min(rows, rowsOfTrial(size, 1)) };
      const choice = 2 * trial.rows * 1280 * units * gradientsOfChoice(trial);
      const fit = 2 * rows * 1280 * units * precisionOf(size).maxIterations;
      expect(choice + fit).toBeLessThan(1.5e12);
    }
  });

  test('small heads are fitted to full precision', () => {
    expect(precisionOf({ rows: 500, width: 1280, units: 100 })).toEqual({ gap: 1e-6, maxIterations: 1000 });
  });
});

/** Examples of many labels, each near a corner of its own. */
function corners(labels: number, each: number) {
  const names = Array.from({ length: labels }, (_, label) => `label ${String(label)}`);
  const rows = Array.from({ length: labels * each }, (_, row) => row);
  return fromArrays({
    inputs: rows.map((row) =>
      Float32Array.from(
        { length: 64 },
        (_, i) => Math.sin((row % labels) * (i + 1) * 0.37) + 0.3 * Math.sin(row * row + i),
      ),
    ),
    targets: rows.map((row) => names[row % labels] ?? ''),
    labels: names,
  });
}

test('where all examples would take too long, some of each label are drawn', async () => {
  const rows = Array.from({ length: 24 }, (_, row) => row);
  await expectNoLeak(() => {
    const features = DesignMatrix.of(new Float32Array(24 * 4).fill(1), 4, {
      columns: 3,
      rest: () => Promise.resolve(),
    });
    const targets = rows.map((row) => Float32Array.from([0, 1, 2], (unit) => Number(unit === row % 3)));
    const part = { name: '', task: 'classes', labels: ['a', 'b', 'c'], units: 3, from: 0, to: 3 } as const;
    const train = { features, targets, weights: rows.map(Number), views: 2 };
    // As many units as a head can have only five examples for.
    const problem = { ...train, units: 2 ** 30, loss: tasks.classes.rowLoss };
    const end = { part } as unknown as LinearEnd; // Only its part is read.
    const trial = prepareTrial({ end, problem, train, validation: undefined, seed: 0 });
    // The first of the twelve examples has no weight.
    expect(trial).toMatchObject({ examples: 5, folds: 1, share: 5 / 11 });
    trial?.dispose();
    features.dispose();
    return Promise.resolve();
  });
});

test('the log reports the examples and the folds that the penalty was chosen on', async () => {
  const samples = corners(4, 5);
  const { labels } = samples;
  const log = await trainHead(await vectorModel(64, { labels }), samples);
  expect(log.solver).toMatchObject({ chosenOn: { examples: 20, folds: 5 } });
  expect(log.solver).not.toHaveProperty('bounded');
  const held = await trainHead(await vectorModel(64, { labels }), samples, { validation: corners(4, 2) });
  expect(held.solver).toMatchObject({ chosenOn: { examples: 20, folds: 0 } });
  const given = await trainHead(await vectorModel(64, { labels }), samples, { l2: 0.1 });
  expect(given.solver).not.toHaveProperty('chosenOn');
});
