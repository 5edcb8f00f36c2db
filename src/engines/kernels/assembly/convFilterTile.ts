// The inner loop of gradients with respect to filters: sums over rows, of 4 channels times 8 columns.
import { multiplyAdd } from './parameters';

/**
 * Adds to the sums of 4 channels.
 *
 * @param rows - Addresses of the pixels, one for each row, up to `end`.
 * @param offset - Offset of the first channel in a pixel.
 * @param right - 8 columns of the first row.
 * @param step - Bytes from one row of the columns to the next.
 * @param sums - 4 times 8 sums.
 */
export function gradientTile(rows: usize, end: usize, offset: usize, right: usize, step: usize, sums: usize): void {
  let c00 = v128.load(sums);
  let c01 = v128.load(sums, 16);
  let c10 = v128.load(sums, 32);
  let c11 = v128.load(sums, 48);
  let c20 = v128.load(sums, 64);
  let c21 = v128.load(sums, 80);
  let c30 = v128.load(sums, 96);
  let c31 = v128.load(sums, 112);
  let b = right;
  for (let row = rows; row < end; row += 4) {
    const a = <usize>load<u32>(row) + offset;
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    b += step;
    const v0 = v128.load_splat<f32>(a);
    c00 = multiplyAdd(v0, b0, c00);
    c01 = multiplyAdd(v0, b1, c01);
    const v1 = v128.load_splat<f32>(a, 4);
    c10 = multiplyAdd(v1, b0, c10);
    c11 = multiplyAdd(v1, b1, c11);
    const v2 = v128.load_splat<f32>(a, 8);
    c20 = multiplyAdd(v2, b0, c20);
    c21 = multiplyAdd(v2, b1, c21);
    const v3 = v128.load_splat<f32>(a, 12);
    c30 = multiplyAdd(v3, b0, c30);
    c31 = multiplyAdd(v3, b1, c31);
  }
  v128.store(sums, c00);
  v128.store(sums, c01, 16);
  v128.store(sums, c10, 32);
  v128.store(sums, c11, 48);
  v128.store(sums, c20, 64);
  v128.store(sums, c21, 80);
  v128.store(sums, c30, 96);
  v128.store(sums, c31, 112);
}

/** The same for one channel. */
export function gradientLine(rows: usize, end: usize, offset: usize, right: usize, step: usize, sums: usize): void {
  let c0 = v128.load(sums);
  let c1 = v128.load(sums, 16);
  let b = right;
  for (let row = rows; row < end; row += 4) {
    const v = v128.load_splat<f32>(<usize>load<u32>(row) + offset);
    c0 = multiplyAdd(v, v128.load(b), c0);
    c1 = multiplyAdd(v, v128.load(b, 16), c1);
    b += step;
  }
  v128.store(sums, c0);
  v128.store(sums, c1, 16);
}
