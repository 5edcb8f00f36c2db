// Euclidean norms of gradients.
import { dispose, square, stack, sum, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { Norms } from './clipping.ts';
import { valuesInPlace } from '../../engines/kernels/valuesInPlace.ts';

/** Norms of each gradient and of all together. If the backend's values are in memory, no kernel is run. */
export async function gradientNorms(gradients: readonly Tensor[]): Promise<Norms> {
  const squares = inPlace(gradients) ?? (await onBackend(gradients));
  return { each: squares.map(Math.sqrt), together: Math.sqrt(squares.reduce((total, each) => total + each, 0)) };
}

function inPlace(gradients: readonly Tensor[]): number[] | undefined {
  const squares: number[] = [];
  for (const gradient of gradients) {
    const values = valuesInPlace(gradient);
    if (values === undefined) return undefined;
    squares.push(sumOfSquares(values));
  }
  return squares;
}

/** Four independent sums, so that the additions run in parallel in the processor. */
function sumOfSquares(values: ArrayLike<number>): number {
  const whole = values.length - (values.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    const [w = 0, x = 0, y = 0, z = 0] = [values[i], values[i + 1], values[i + 2], values[i + 3]];
    a += w * w;
    b += x * x;
    c += y * y;
    d += z * z;
  }
  for (let i = whole; i < values.length; i++) a += (values[i] ?? 0) ** 2;
  return a + b + c + d;
}

async function onBackend(gradients: readonly Tensor[]): Promise<number[]> {
  const squares = tidy(() => stack(gradients.map((gradient) => sum(square(gradient)))));
  try {
    return Array.from(await squares.data());
  } finally {
    dispose(squares);
  }
}
