// Finds the nearest of many rows. For large amounts, matrix products of the backend select candidates, and only these
// are measured in double precision. The result is therefore the same on every backend.
import { backend, dispose, matMul, tensor, tidy } from '@tensorflow/tfjs-core';
import { distanceOf, separation, vectorOf, type Distance, type Vector } from './separation.ts';

/** Number of multiplications from which on the backend is faster. */
const worthwhile = 2 ** 22;
/** Number of values per call of the backend: 16 MiB. */
const blockSize = 2 ** 22;

/** A row with its distance. */
export interface Neighbour {
  /** Its index. */
  readonly row: number;
  readonly distance: number;
}

/** Rows, queries and the kind of distance. */
export interface NearestPlan {
  readonly rows: readonly Vector[];
  /** Number of rows to find for each query. At most all rows are returned. */
  readonly k: number;
  readonly distance: Distance;
}

/** The nearest rows of each query [width], the nearest first. Equally near rows are sorted by index. */
export async function nearestRows(plan: NearestPlan, queries: readonly Float32Array[]): Promise<Neighbour[][]> {
  const { rows, k, distance } = plan;
  const products = rows.length * queries.reduce((sum, { length }) => sum + length, 0);
  const dots = products < worthwhile ? undefined : await dotProducts(rows, queries);
  return queries.map((values, column) => {
    const query = vectorOf(values);
    const candidates = dots === undefined ? undefined : possible(plan, query, dots.subarray(column * rows.length));
    const nearest = new Smallest(k);
    const measure = (row: number, vector: Vector | undefined) => {
      if (vector !== undefined) nearest.add(row, separation(distance, query, vector));
    };
    if (candidates === undefined) for (const [row, vector] of rows.entries()) measure(row, vector);
    else for (const row of candidates) measure(row, rows[row]);
    return nearest.found.map(({ row, value }) => ({ row, distance: distanceOf(distance, value) }));
  });
}

/** Rows that may be among the `k` nearest, from their products with a query and the bound of the rounding error. */
function possible({ rows, k, distance }: NearestPlan, query: Vector, dots: Float32Array): number[] {
  // Rounding errors of a sum grow about with the root of its length.
  const error = 4 * Math.sqrt(query.values.length) * backend().epsilon();
  const bounds = rows.map(({ norm }, row) => {
    const size = query.norm * norm;
    // Values that overflow single precision have infinite products.
    const product = Number.isFinite(dots[row]) ? (dots[row] ?? NaN) : NaN;
    if (distance === 'euclidean') return around(query.norm ** 2 + norm ** 2 - 2 * product, 2 * error * size);
    return size === 0 ? around(1, 0) : around(1 - product / size, error);
  });
  const nearest = new Smallest(k);
  for (const [row, { most }] of bounds.entries()) if (!Number.isNaN(most)) nearest.add(row, most);
  const limit = nearest.found[k - 1]?.value ?? Infinity;
  // A row whose product is NaN stays a candidate.
  return bounds.flatMap(({ least }, row) => (least > limit ? [] : [row]));
}

function around(value: number, error: number) {
  return { least: value - error, most: value + error };
}

/** Products of all rows with each query: [queries, rows]. */
async function dotProducts(rows: readonly Vector[], queries: readonly Float32Array[]): Promise<Float32Array> {
  const width = queries[0]?.length ?? 0;
  const all = new Float32Array(queries.length * rows.length);
  const height = Math.max(1, Math.floor(blockSize / width));
  for (let start = 0; start < rows.length; start += height) {
    const block = rows.slice(start, start + height).map(({ values }) => values);
    const product = tidy(() => matMul(matrix(queries, width), matrix(block, width), false, true));
    try {
      const values = await product.data();
      for (const column of queries.keys()) {
        const part = values.subarray(column * block.length, (column + 1) * block.length);
        all.set(part, column * rows.length + start);
      }
    } finally {
      dispose(product);
    }
  }
  return all;
}

function matrix(rows: readonly Vector['values'][], width: number) {
  const values = new Float32Array(rows.length * width);
  for (const [row, each] of rows.entries()) values.set(each, row * width);
  return tensor(values, [rows.length, width], 'float32');
}

/** Keeps the `k` smallest values, sorted. Equal values keep their order. */
class Smallest {
  readonly found: { readonly row: number; readonly value: number }[] = [];

  constructor(private readonly k: number) {}

  add(row: number, value: number): void {
    const { found, k } = this;
    if (found.length === k && !(value < (found.at(-1)?.value ?? Infinity))) return;
    let place = found.length;
    while (place > 0 && value < (found[place - 1]?.value ?? Infinity)) place--;
    found.splice(place, 0, { row, value });
    if (found.length > k) found.pop();
  }
}
