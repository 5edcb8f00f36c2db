// The inner loop of the gradient of Winograd's convolution: sums over tiles, of 4 channels times 8 columns.
import { multiplyAdd } from './parameters';
import { CHUNK_BYTES } from './winogradTile';

/**
 * Adds the transposed `left` times `right` to sums. All rows are chunks.
 *
 * @param channels - Values of a row of `left`: a multiple of 4.
 * @param columns - Values of a row of `right`. Sums of columns up to the next multiple of 8 are undefined.
 */
export function addProducts(left: usize, right: usize, tiles: i32, channels: i32, columns: i32, sums: usize): void {
  const end = left + <usize>tiles * CHUNK_BYTES;
  for (let channel: usize = 0; channel < <usize>channels; channel += 4) {
    const line = sums + channel * CHUNK_BYTES;
    const at = channel << 2;
    for (let column: usize = 0; column < <usize>columns; column += 8) {
      addTile(left + at, end, right + (column << 2), line + (column << 2));
    }
  }
}

function addTile(left: usize, end: usize, right: usize, sums: usize): void {
  let c00 = v128.load(sums);
  let c01 = v128.load(sums, 16);
  let c10 = v128.load(sums, CHUNK_BYTES);
  let c11 = v128.load(sums, CHUNK_BYTES + 16);
  let c20 = v128.load(sums, 2 * CHUNK_BYTES);
  let c21 = v128.load(sums, 2 * CHUNK_BYTES + 16);
  let c30 = v128.load(sums, 3 * CHUNK_BYTES);
  let c31 = v128.load(sums, 3 * CHUNK_BYTES + 16);
  for (; left < end; left += CHUNK_BYTES) {
    const b0 = v128.load(right);
    const b1 = v128.load(right, 16);
    right += CHUNK_BYTES;
    const v0 = v128.load_splat<f32>(left);
    c00 = multiplyAdd(v0, b0, c00);
    c01 = multiplyAdd(v0, b1, c01);
    const v1 = v128.load_splat<f32>(left, 4);
    c10 = multiplyAdd(v1, b0, c10);
    c11 = multiplyAdd(v1, b1, c11);
    const v2 = v128.load_splat<f32>(left, 8);
    c20 = multiplyAdd(v2, b0, c20);
    c21 = multiplyAdd(v2, b1, c21);
    const v3 = v128.load_splat<f32>(left, 12);
    c30 = multiplyAdd(v3, b0, c30);
    c31 = multiplyAdd(v3, b1, c31);
  }
  v128.store(sums, c00);
  v128.store(sums, c01, 16);
  v128.store(sums, c10, CHUNK_BYTES);
  v128.store(sums, c11, CHUNK_BYTES + 16);
  v128.store(sums, c20, 2 * CHUNK_BYTES);
  v128.store(sums, c21, 2 * CHUNK_BYTES + 16);
  v128.store(sums, c30, 3 * CHUNK_BYTES);
  v128.store(sums, c31, 3 * CHUNK_BYTES + 16);
}
