// A random matrix with orthonormal rows or columns, for the recurrent kernels of Keras.

/**
 * Makes the rows of a matrix orthonormal (or its columns, if it has more rows than columns) and scales them, with the
 * modified Gram-Schmidt process in double precision. For normally distributed values the result is that of a QR
 * decomposition with a positive diagonal: a uniformly distributed orthogonal matrix.
 *
 * @param values - In row-major order.
 */
export function orthogonalRows(values: Float32Array, rows: number, columns: number, gain: number): Float32Array {
  const tall = rows > columns;
  const [count, length] = tall ? [columns, rows] : [rows, columns];
  const at = (vector: number, i: number) => (tall ? i * columns + vector : vector * columns + i);
  const done: Float64Array[] = [];
  const result = new Float32Array(values.length);
  for (let vector = 0; vector < count; vector++) {
    const current = Float64Array.from({ length }, (_, i) => values[at(vector, i)] ?? 0);
    for (const other of done) addScaled(current, other, -dot(current, other));
    const scale = 1 / Math.sqrt(dot(current, current));
    for (let i = 0; i < length; i++) {
      current[i] = (current[i] ?? 0) * scale;
      result[at(vector, i)] = gain * (current[i] ?? 0);
    }
    done.push(current);
  }
  return result;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function addScaled(target: Float64Array, other: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] ?? 0) + factor * (other[i] ?? 0);
}
