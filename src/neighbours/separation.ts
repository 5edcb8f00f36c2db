// Distances between features, in double precision.

/** Kinds of distances. */
export type Distance = 'cosine' | 'euclidean';

/** All kinds of distances. */
export const distances: readonly Distance[] = ['cosine', 'euclidean'];

/** A vector and its length. */
export interface Vector {
  readonly values: Float32Array | Float64Array;
  /** The Euclidean length of a vector. */
  readonly norm: number;
}

/** A vector with its length. */
export function vectorOf<Values extends Vector['values']>(values: Values): Vector & { readonly values: Values } {
  return { values, norm: Math.sqrt(dot(values, values)) };
}

/**
 * The squared Euclidean distance, or the cosine distance: 1 - cos, which is half the squared distance of unit vectors.
 * Exactly 0 for equal vectors. A zero vector has no direction: its cosine distance to every vector is 1.
 */
export function separation(distance: Distance, a: Vector, b: Vector): number {
  if (distance === 'euclidean') return scaledDistance(a.values, 1, b.values, 1);
  if (a.norm === 0 || b.norm === 0) return 1;
  return scaledDistance(a.values, 1 / a.norm, b.values, 1 / b.norm) / 2;
}

/** The distance of a separation: its root for the Euclidean one, unchanged for the cosine one. */
export function distanceOf(distance: Distance, separated: number): number {
  return distance === 'euclidean' ? Math.sqrt(separated) : separated;
}

/** Dot product. Four partial sums, because a single one would wait for its previous addition. */
function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [first, second, third, fourth] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 4 <= a.length; i += 4) {
    first += (a[i] ?? 0) * (b[i] ?? 0);
    second += (a[i + 1] ?? 0) * (b[i + 1] ?? 0);
    third += (a[i + 2] ?? 0) * (b[i + 2] ?? 0);
    fourth += (a[i + 3] ?? 0) * (b[i + 3] ?? 0);
  }
  for (; i < a.length; i++) first += (a[i] ?? 0) * (b[i] ?? 0);
  return first + second + (third + fourth);
}

/** Sum of the squares of `a · factorA - b · factorB`. */
function scaledDistance(a: ArrayLike<number>, factorA: number, b: ArrayLike<number>, factorB: number): number {
  let [first, second, third, fourth] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 4 <= a.length; i += 4) {
    const p = (a[i] ?? 0) * factorA - (b[i] ?? 0) * factorB;
    const q = (a[i + 1] ?? 0) * factorA - (b[i + 1] ?? 0) * factorB;
    const r = (a[i + 2] ?? 0) * factorA - (b[i + 2] ?? 0) * factorB;
    const s = (a[i + 3] ?? 0) * factorA - (b[i + 3] ?? 0) * factorB;
    first += p * p;
    second += q * q;
    third += r * r;
    fourth += s * s;
  }
  for (; i < a.length; i++) {
    const p = (a[i] ?? 0) * factorA - (b[i] ?? 0) * factorB;
    first += p * p;
  }
  return first + second + (third + fourth);
}
