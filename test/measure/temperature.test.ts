// Temperatures and calibration errors against scikit-learn's and numpy's (golden/calibration.py), and what has no
// temperature.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { monotoneRoot } from '../../src/measure/monotoneRoot.ts';
import { calibrationFigures, fitTemperature } from '../../src/measure/logitTemperature.ts';
import golden from '../golden/calibration.json' with { type: 'json' };
import { wave } from '../support/tinyModel.ts';

beforeAll(async () => {
  tf.env().set('PROD', true);
  await tf.setBackend('cpu');
});

interface Said {
  readonly logits: Float32Array;
  readonly target: Float32Array;
  readonly weight: number;
}

const rows = Array.from({ length: 60 }, (_, row) => row);

/** What golden/calibration.py asks about. */
function saidOf(task: 'classes' | 'binary'): Said[] {
  const columns = task === 'classes' ? 4 : 1;
  const values = wave([60, columns], task === 'classes' ? 9 : 3, task === 'classes' ? 0.3 : 0.7).dataSync();
  return rows.map((row) => {
    const logits = Float32Array.from(values.slice(row * columns, (row + 1) * columns));
    if (task === 'binary') {
      return { logits, target: Float32Array.of(Number(logits[0]! > 0 !== (row % 4 === 0))), weight: 1 };
    }
    const own = (logits.indexOf(Math.max(...logits)) + (row % 3 === 0 ? 1 : 0)) % 4;
    return { logits, target: Float32Array.from(logits, (_, label) => Number(label === own)), weight: 1 };
  });
}

describe.each(['classes', 'binary'] as const)('%s', (task) => {
  const said = saidOf;

  test('the temperature is scikit-learn’s', () => {
    const found = fitTemperature(task, said(task));
    expect(found / golden[task].temperature).toBeCloseTo(1, 5);
  });

  test("the figures are scikit-learn's", () => {
    const { temperature, before, after } = golden[task];
    const figures = [calibrationFigures(task, said(task)), calibrationFigures(task, said(task), temperature)];
    for (const [place, expected] of [before, after].entries()) {
      expect(figures[place]?.loss).toBeCloseTo(expected.loss, 5);
      expect(figures[place]?.expectedCalibrationError).toBeCloseTo(expected.expectedCalibrationError, 6);
    }
  });

  test('logits of another size have a temperature of that size', () => {
    const base = fitTemperature(task, said(task));
    for (const factor of [1e-4, 0.1, 7, 1e4]) {
      const scaled = said(task).map((each) => ({ ...each, logits: each.logits.map((logit) => logit * factor) }));
      expect(fitTemperature(task, scaled) / base / factor).toBeCloseTo(1, 5);
    }
  });

  test('an example counts with its weight', () => {
    const [first, ...others] = said(task);
    const twice = [first!, first!, ...others];
    const weighed = [{ ...first!, weight: 2 }, ...others];
    const wrong = { ...first!, target: first!.target.map((share) => 1 - share), weight: 0 };
    const expected = fitTemperature(task, twice);
    expect(fitTemperature(task, weighed)).toBeCloseTo(expected, 6);
    expect(fitTemperature(task, [wrong, ...weighed])).toBeCloseTo(expected, 6);
  });

  test('examples without a wrong prediction have none', () => {
    const right = said(task).filter((_, row) => row % 3 !== 0 && row % 4 !== 0);
    expect(() => fitTemperature(task, right)).toThrow(
      expect.objectContaining({
        code: 'TOO_FEW_EXAMPLES',
        message: expect.stringContaining(`got ${String(right.length)} that are all right`) as string,
      }),
    );
  });

  test('a model that is no better than chance has none', () => {
    const nothing = said(task).map((each) => ({ ...each, logits: each.logits.map(() => 0) }));
    const reversed = said(task).map((each) => ({ ...each, logits: each.logits.map((logit) => -logit) }));
    for (const given of [nothing, reversed]) {
      expect(() => fitTemperature(task, given)).toThrow(
        expect.objectContaining({
          code: 'INVALID_OPTION',
          message: expect.stringContaining('better than chance') as string,
        }),
      );
    }
  });
});

test('labels of a multi-label head are decisions, and their loss the mean', () => {
  const said = [
    { logits: Float32Array.of(2, -2), target: Float32Array.of(1, 1), weight: 1 },
    { logits: Float32Array.of(2, -2), target: Float32Array.of(1, 0), weight: 1 },
  ];
  const p = 1 / (1 + Math.exp(-2));
  const { loss, expectedCalibrationError } = calibrationFigures('multiLabel', said);
  expect(loss).toBeCloseTo(-(3 * Math.log(p) + Math.log(1 - p)) / 4, 6);
  expect(expectedCalibrationError).toBeCloseTo(Math.abs(0.75 - p), 6);
  // Three of four are right: that is what they should say.
  const found = fitTemperature('multiLabel', said);
  expect(1 / (1 + Math.exp(-2 / found))).toBeCloseTo(0.75, 6);
  expect(calibrationFigures('multiLabel', said, found).expectedCalibrationError).toBeLessThan(1e-6);
});

test.each([
  [(x: number) => x - 3.25, 3.25],
  [(x: number) => x - 1e-6, 1e-6],
  [(x: number) => x - 5e7, 5e7],
  [(x: number) => x - 1, 1],
  [(x: number) => 1 / (1 + Math.exp(20 - 4 * x)) - 1e-3, (20 + Math.log(1e-3 / (1 - 1e-3))) / 4],
  [(x: number) => x ** 9 - 1e-9, 0.1],
])('a root is found with an error of a millionth: %s', (rising, expected) => {
  let calls = 0;
  const found = monotoneRoot((x) => {
    calls++;
    return rising(x);
  });
  expect(Math.abs(found / expected - 1)).toBeLessThan(1e-5);
  expect(calls).toBeLessThan(60);
});

test('an example of weight 2 is as two in the calibration error, one of weight 0 as none', () => {
  const logits = wave([12, 3], 2, 0.4).dataSync<'float32'>();
  const row = (place: number, weight: number) => ({
    logits: logits.slice(place * 3, place * 3 + 3),
    target: Float32Array.from([0, 1, 2], (unit) => Number(unit === (place * 5) % 3)),
    weight,
  });
  const places = Array.from({ length: 12 }, (_, place) => place);
  for (const task of ['classes', 'multiLabel'] as const) {
    const weighed = calibrationFigures(
      task,
      places.map((place) => row(place, place % 3)),
    );
    const repeated = calibrationFigures(
      task,
      places.flatMap((place) => Array.from({ length: place % 3 }, () => row(place, 1))),
    );
    expect(weighed.expectedCalibrationError).toBeCloseTo(repeated.expectedCalibrationError, 10);
    const even = calibrationFigures(
      task,
      places.map((place) => row(place, 1)),
    );
    expect(Math.abs(even.expectedCalibrationError - weighed.expectedCalibrationError)).toBeGreaterThan(1e-3);
  }
});
