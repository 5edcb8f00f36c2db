// 3 × 3 matrices, row by row.

/** Nine numbers, row by row. */
export type Matrix = readonly [number, number, number, number, number, number, number, number, number];

/** Three numbers. */
export type Vector = readonly [number, number, number];

/** The identity matrix. */
export const identity: Matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Makes a matrix from a function of row and column. */
export function matrixOf(value: (row: 0 | 1 | 2, column: 0 | 1 | 2) => number): Matrix {
  const rowOf = (row: 0 | 1 | 2): Vector => [value(row, 0), value(row, 1), value(row, 2)];
  return [...rowOf(0), ...rowOf(1), ...rowOf(2)];
}

/** a · b: b is applied first, then a. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  return matrixOf((row, column) => dot(rowOf(a, row), [at(b, 0, column), at(b, 1, column), at(b, 2, column)]));
}

/** a + b. */
export function add(a: Matrix, b: Matrix): Matrix {
  return matrixOf((row, column) => at(a, row, column) + at(b, row, column));
}

/** A matrix times a number. */
export function scale(matrix: Matrix, factor: number): Matrix {
  return matrixOf((row, column) => at(matrix, row, column) * factor);
}

/** A matrix times a vector. */
export function apply(matrix: Matrix, vector: Vector): Vector {
  return [dot(rowOf(matrix, 0), vector), dot(rowOf(matrix, 1), vector), dot(rowOf(matrix, 2), vector)];
}

/** Whether all values of a matrix are 0. */
export function isZero(matrix: Matrix): boolean {
  return matrix.every((value) => value === 0);
}

/** The value at a row and column. */
export function at(matrix: Matrix, row: number, column: number): number {
  return matrix[row * 3 + column] ?? 0;
}

function rowOf(matrix: Matrix, row: number): Vector {
  return [at(matrix, row, 0), at(matrix, row, 1), at(matrix, row, 2)];
}

function dot([a, b, c]: Vector, [x, y, z]: Vector): number {
  return a * x + b * y + c * z;
}
