// Thresholds against all that scikit-learn's scores allow (golden/calibration.py), and which of equals is taken.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { randomGenerator } from '../../src/core/random.ts';
import { bestThreshold, scoreAt, type SaidOfLabel } from '../../src/measure/thresholds.ts';
import golden from '../golden/calibration.json' with { type: 'json' };
import { wave } from '../support/tinyModel.ts';

beforeAll(async () => {
  tf.env().set('PROD', true);
  await tf.setBackend('cpu');
});

/** What golden/calibration.py asks about one of three labels. */
function saidOf(column: number): SaidOfLabel[] {
  const values = wave([60, 3], 2, 1.9).dataSync();
  return Array.from({ length: 60 }, (_, row) => {
    const logit = values[row * 3 + column] ?? NaN;
    return { logit, applies: logit > 0.4 * column - 1.2 !== ((row + column) % 5 === 0) };
  });
}

describe.each(['f1', 'accuracy'] as const)('%s', (metric) => {
  test.each([0, 1, 2])('of label %d is the best there is', (column) => {
    const said = saidOf(column);
    expect(scoreAt(metric, said, undefined)).toBeCloseTo(golden[metric].before[column] ?? NaN, 10);
    const threshold = bestThreshold(metric, said);
    expect(scoreAt(metric, said, threshold)).toBeCloseTo(golden[metric].after[column] ?? NaN, 10);
  });

  test('is never worse than another threshold, for any predictions', () => {
    const random = randomGenerator(4);
    for (let round = 0; round < 40; round++) {
      const said = Array.from({ length: 1 + Math.floor(random() * 12) }, () => ({
        // Coarse, so that some are equal.
        logit: Math.fround(Math.round((random() - 0.5) * 12) / 2),
        applies: random() < 0.4,
      }));
      const best = scoreAt(metric, said, bestThreshold(metric, said));
      for (let threshold = 0; threshold <= 1; threshold += 0.01) {
        expect(scoreAt(metric, said, threshold)).toBeLessThanOrEqual(best);
      }
    }
  });
});

const said = (...all: [logit: number, applies: boolean][]): SaidOfLabel[] =>
  all.map(([logit, applies]) => ({ logit, applies }));
const probability = (logit: number) => 1 / (1 + Math.exp(-logit));

test('one half is kept if no threshold is better', () => {
  expect(bestThreshold('f1', said([2, true], [-1, false]))).toBe(0.5);
  expect(bestThreshold('accuracy', said([2, true], [-1, false]))).toBe(0.5);
  expect(bestThreshold('f1', said([2, false], [-1, false]))).toBe(0.5);
  expect(bestThreshold('f1', [])).toBe(0.5);
});

test('otherwise it is half-way between two probabilities, or one and the end', () => {
  const low = said([-1, true], [-2, true], [-4, false]);
  expect(bestThreshold('f1', low)).toBeCloseTo((probability(-2) + probability(-4)) / 2, 12);
  const all = said([3, true], [2, false], [1, true]);
  expect(bestThreshold('f1', all)).toBe(0.5);
  expect(bestThreshold('accuracy', said([3, false], [2, false]))).toBeCloseTo((1 + probability(3)) / 2, 12);
  expect(bestThreshold('f1', said([-1, true], [-3, true]))).toBeCloseTo(probability(-3) / 2, 12);
});

test('of equally good ones it is the nearest to one half', () => {
  // Right: the first of four, or the first three of them.
  const two = said([-1, true], [-2, false], [-3, true], [-4, false]);
  expect(bestThreshold('accuracy', two)).toBeCloseTo((probability(-1) + probability(-2)) / 2, 12);
});

describe('probabilities that round to the same number', () => {
  test.each([
    [
      [40, true],
      [37, false],
      [-2, false],
    ],
    [
      [800, true],
      [40, true],
      [37, false],
      [-40, false],
      [-800, true],
    ],
    [
      [-740, true],
      [-745, false],
      [-760, true],
    ],
  ] as [number, boolean][][])('are scored as decided by the threshold: %j, %j, %j', (...all) => {
    const saturated = said(...all);
    for (const metric of ['f1', 'accuracy'] as const) {
      const threshold = bestThreshold(metric, saturated);
      const found = scoreAt(metric, saturated, threshold);
      expect(found).toBeGreaterThanOrEqual(scoreAt(metric, saturated, undefined));
      for (const other of [0, 1e-300, 1e-20, 0.01, 0.5, 0.99, 1 - 2 ** -53, 1]) {
        expect(found).toBeGreaterThanOrEqual(scoreAt(metric, saturated, other));
      }
    }
  });
});
