// The minimiser on functions whose minima are known.
import { describe, expect, test } from 'vitest';
import { minimisation, minimise, type Objective } from '../../src/training/solve/lbfgs.ts';

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

  test('finds the minimum of a curved valley', () => {
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

  test('reports the limit of iterations, and does not move at a minimum', () => {
    expect(minimise(valley, Float64Array.of(-1.2, 1), { maxIterations: 3 })).toMatchObject({
      converged: false,
      iterations: 3,
    });
    expect(minimise(valley, Float64Array.of(1, 1))).toMatchObject({ converged: true, iterations: 0, value: 0 });
  });

  test('ends if further decrease is below the rounding', () => {
    const flat: Objective = (point, gradient) => {
      gradient[0] = 2 * ((point[0] ?? 0) - 1);
      return 1e9 + ((point[0] ?? 0) - 1) ** 2;
    };
    const { converged, point } = minimise(flat, Float64Array.of(1 + 1e-4), { tolerance: 1e-300 });
    expect(converged).toBe(true);
    expect(point[0]).toBeCloseTo(1, 3);
  });

  test('narrows a step that is far too long', () => {
    const steep: Objective = (point, gradient) => {
      const x = point[0] ?? 0;
      gradient[0] = 4 * x ** 3 + Math.cos(x);
      return x ** 4 + Math.sin(x);
    };
    const { point, converged } = minimise(steep, Float64Array.of(30), { tolerance: 1e-10 });
    expect(converged).toBe(true);
    expect(4 * (point[0] ?? 0) ** 3 + Math.cos(point[0] ?? 0)).toBeCloseTo(0, 9);
  });

  test('takes the same steps with evaluations of the caller', () => {
    const search = minimisation(Float64Array.of(-1.2, 1), { tolerance: 1e-8 });
    let next = search.next();
    while (next.done !== true) {
      const gradient = new Float64Array(2);
      next = search.next({ value: valley(next.value, gradient), gradient });
    }
    expect(next.value).toEqual(minimise(valley, Float64Array.of(-1.2, 1), { tolerance: 1e-8 }));
  });

  test('ends early if values are noisy, near the minimum', () => {
    let calls = 0;
    const noisy: Objective = (point, gradient) => {
      calls++;
      const value = valley(point, gradient) + 1;
      return value * (1 + 1e-7 * Math.sin(1e6 * calls));
    };
    const { converged, point } = minimise(noisy, Float64Array.of(-1.2, 1), { tolerance: 1e-12, noise: 1e-6 });
    expect(converged).toBe(true);
    expectClose(point, [1, 1], 0.05);
    expect(calls).toBeLessThan(120);
  });

  test('measures gradients with a given function', () => {
    const sizeOf = (gradient: Float64Array) => Math.hypot(...gradient);
    const { slope, point } = minimise(valley, Float64Array.of(-1.2, 1), { tolerance: 1e-3, sizeOf });
    const gradient = new Float64Array(2);
    valley(point, gradient);
    expect(slope).toBe(Math.hypot(...gradient));
    expect(slope).toBeLessThan(1e-3);
  });
});

function expectClose(actual: ArrayLike<number>, expected: readonly number[], within: number): void {
  expect(actual).toHaveLength(expected.length);
  const off = expected.map((value, i) => Math.abs((actual[i] ?? NaN) - value));
  expect(Math.max(...off)).toBeLessThan(within);
}
