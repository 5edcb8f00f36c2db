// Logistic regression against scikit-learn's optima (golden/logisticRegression.py), its gradient, and the minimiser alone.
import { describe, expect, test } from 'vitest';
import { minimise, type Objective } from '../../src/train/lbfgs.ts';
import { fitLogisticRegression, linearLogits, predictClasses } from '../../src/train/logisticRegression.ts';
import golden from '../golden/logisticRegression.json' with { type: 'json' };

/** The values of `wave` in logisticRegression.py. */
function wave(rows: number, columns: number, scale: number, phase: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => scale * Math.sin(phase + 0.7 * i * i));
}

const rows = Array.from({ length: 30 }, (_, i) => i);
const features = wave(30, 5, 1.5, 0.4);
const classes = rows.map((row) => (row * 7) % 4);
const halves = rows.map((row) => Number((row * 7) % 10 < 4));
const weights = rows.map((row) => 1 + (row % 3));
const wide = { features: wave(12, 40, 1, 0.9), classes: rows.slice(0, 12).map((row) => row % 3) };

describe('optima are those of scikit-learn', () => {
  test.each([
    ['several classes', { features, classes }, 4, golden.classes],
    ['examples that count differently', { features, classes, weights }, 4, golden.weighted],
    ['two classes by one logit', { features, classes: halves }, 1, golden.binary],
    ['more features than examples', wide, 3, golden.wide],
  ])('%s', (_, data, units, expected) => {
    for (const { l2, loss, coefficients, intercepts } of expected) {
      const fitted = fitLogisticRegression(data, { units, l2, tolerance: 1e-8 });
      expect(fitted.converged).toBe(true);
      expect(Math.abs(fitted.loss - loss)).toBeLessThan(1e-9);
      expectClose(fitted.coefficients, coefficients.flat(), 1e-3);
      // A softmax does not notice what is added to every intercept.
      if (units === 1) expectClose(fitted.intercepts, intercepts, 1e-3);
      else expectClose(centred(fitted.intercepts), centred(intercepts), 1e-3);
    }
  });

  test('the usual tolerance is within 1e-6 of the loss', () => {
    for (const { l2, loss } of golden.classes) {
      expect(Math.abs(fitLogisticRegression({ features, classes }, { units: 4, l2 }).loss - loss)).toBeLessThan(1e-6);
    }
  });
});

test('a start near the optimum saves iterations and leads to the same place', () => {
  const near = fitLogisticRegression({ features, classes }, { units: 4, l2: 0.012 });
  const cold = fitLogisticRegression({ features, classes }, { units: 4, l2: 0.01 });
  const warm = fitLogisticRegression({ features, classes }, { units: 4, l2: 0.01, start: near });
  expect(warm.iterations).toBeLessThan(cold.iterations);
  expect(Math.abs(warm.loss - cold.loss)).toBeLessThan(1e-9);
});

test('predicts the class of the largest logit, or by the sign of the only one', () => {
  const several = fitLogisticRegression(wide, { units: 3, l2: 1e-4 });
  expect(predictClasses(several, wide.features)).toEqual(wide.classes);
  const two = { features: wide.features, classes: wide.classes.map((label) => Number(label === 1)) };
  const binary = fitLogisticRegression(two, { units: 1, l2: 1e-4 });
  expect(predictClasses(binary, two.features)).toEqual(two.classes);
  const logits = linearLogits(binary, two.features);
  expect(logits).toHaveLength(12);
  expect(Array.from(logits, (logit) => Number(logit > 0))).toEqual(two.classes);
});

test('logits far out of range give finite losses', () => {
  const far = wave(12, 2, 1e4, 0.2);
  for (const units of [1, 2]) {
    const { loss } = fitLogisticRegression(
      { features: far, classes: rows.slice(0, 12).map((row) => row % 2) },
      { units, l2: 1e-3 },
    );
    expect(Number.isFinite(loss)).toBe(true);
  }
});

describe('the minimiser', () => {
  /** Rosenbrock's valley: minimum 0 at all ones. */
  const valley: Objective = (point, gradient) => {
    let value = 0;
    for (let i = 0; i + 1 < point.length; i++) {
      const [x = 0, y = 0] = point.subarray(i, i + 2);
      value += 100 * (y - x * x) ** 2 + (1 - x) ** 2;
      gradient[i] = (gradient[i] ?? 0) - 400 * x * (y - x * x) - 2 * (1 - x);
      gradient[i + 1] = 200 * (y - x * x);
    }
    return value;
  };

  test('finds the end of a curved valley', () => {
    const start = Float64Array.of(-1.2, 1, -1.2, 1, -1.2, 1);
    const { point, value, slope, converged, iterations } = minimise(valley, start, { tolerance: 1e-8 });
    expect(converged).toBe(true);
    expectClose(point, [1, 1, 1, 1, 1, 1], 1e-7);
    expect(value).toBeLessThan(1e-14);
    expect(slope).toBeLessThan(1e-8);
    expect(iterations).toBeLessThan(80);
    expect(start[0]).toBe(-1.2);
  });

  test('needs few steps on a long quadratic', () => {
    const scales = Array.from({ length: 50 }, (_, i) => 1 + 100 * i);
    const quadratic: Objective = (point, gradient) => {
      scales.forEach((scale, i) => (gradient[i] = scale * ((point[i] ?? 0) - i)));
      return scales.reduce((sum, scale, i) => sum + (scale / 2) * ((point[i] ?? 0) - i) ** 2, 0);
    };
    const { point, iterations } = minimise(quadratic, new Float64Array(50), { tolerance: 1e-7 });
    expectClose(
      point,
      scales.map((_, i) => i),
      1e-6,
    );
    expect(iterations).toBeLessThan(120);
  });

  test('says so when the iterations ran out, and stands still at a minimum', () => {
    expect(minimise(valley, Float64Array.of(-1.2, 1), { maxIterations: 3 })).toMatchObject({
      converged: false,
      iterations: 3,
    });
    expect(minimise(valley, Float64Array.of(1, 1))).toMatchObject({ converged: true, iterations: 0, value: 0 });
  });

  test('ends where rounding hides the rest', () => {
    const flat: Objective = (point, gradient) => {
      gradient[0] = 2 * ((point[0] ?? 0) - 1);
      return 1e9 + ((point[0] ?? 0) - 1) ** 2;
    };
    const { converged, point } = minimise(flat, Float64Array.of(1 + 1e-4), { tolerance: 1e-300 });
    expect(converged).toBe(true);
    expect(point[0]).toBeCloseTo(1, 3);
  });

  test('a step that is far too long is narrowed', () => {
    const steep: Objective = (point, gradient) => {
      const x = point[0] ?? 0;
      gradient[0] = 4 * x ** 3 + Math.cos(x);
      return x ** 4 + Math.sin(x);
    };
    const { point, converged } = minimise(steep, Float64Array.of(30), { tolerance: 1e-10 });
    expect(converged).toBe(true);
    expect(4 * (point[0] ?? 0) ** 3 + Math.cos(point[0] ?? 0)).toBeCloseTo(0, 9);
  });
});

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
