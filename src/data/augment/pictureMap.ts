// Projective maps of geometric operations, from positions in the result to positions in the source. Positions are
// pixels from the centre of the picture, x to the right and y down.
import type { Size } from './drawing.ts';
import { matrixOf, multiply, type Matrix } from './matrix.ts';

/** Rotates the picture by an angle, clockwise for positive ones. */
export function turning(radians: number): Matrix {
  const [cosine, sine] = [Math.cos(radians), Math.sin(radians)];
  return [cosine, sine, 0, -sine, cosine, 0, 0, 0, 1];
}

/**
 * Tilts the picture: its left edge grows by the share `x` and its right edge shrinks by it; its upper edge grows by `y`
 * and its lower edge shrinks by it. One of `x` and `y` is 0.
 *
 * In units of half the sides, fastai's `Warp` moves the corners (-1, ±1) to (-1, ±(1 + x)) and (1, ±1) to (1, ±(1 -
 * x)). The inverse map is ((u - x) / (1 - x u), v / (1 - x u)).
 */
export function tilting(x: number, y: number, { height, width }: Size): Matrix {
  const [halfWidth, halfHeight] = [width / 2, height / 2];
  return [1, 0, -x * halfWidth, 0, 1, -y * halfHeight, -x / halfWidth, -y / halfHeight, 1];
}

/** Converts a map of positions from the centre to one of column and row indexes, scaled so that its last value is 1. */
export function betweenIndexes(map: Matrix, { height, width }: Size): Matrix {
  const [x, y] = [(width - 1) / 2, (height - 1) / 2];
  // To move a picture by -x, read x further.
  const indexed = multiply(moving(-x, -y), multiply(map, moving(x, y)));
  return matrixOf((row, column) => (indexed[row * 3 + column] ?? 0) / indexed[8]);
}

/** Scales the picture around its centre; negative factors mirror it. */
export function stretching(x: number, y: number): Matrix {
  return [x, 0, 0, 0, y, 0, 0, 0, 1];
}

/** Moves the picture to the right and down. */
export function moving(x: number, y: number): Matrix {
  return [1, 0, -x, 0, 1, -y, 0, 0, 1];
}

/** Shears the columns by `x`, then the rows by `y`: tangents of the angles. */
export function leaning(x: number, y: number): Matrix {
  return multiply([1, x, 0, 0, 1, 0, 0, 0, 1], [1, 0, 0, y, 1, 0, 0, 0, 1]);
}

/** Converts degrees to radians. */
export function toRadians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
