// Winograd's transform of the gradient of results: a tile of 4×4 values, as values of 36 matrices.
import { word } from './parameters';
import { slopeLine } from './winogradLines';
import { PRODUCT_MATRIX } from './winogradParameters';
import { fillTile } from './winogradTable';
import { CHUNK_BYTES, halfOf, LINE_BYTES, outputsOf, TILE } from './winogradTile';

/** Transforms a chunk of columns of some tiles. Each of the 36 matrices has a row for each tile. */
export function transformSlopes(
  parameters: usize,
  first: i32,
  tiles: i32,
  offset: usize,
  bytes: usize,
  table: usize,
  matrices: usize,
): void {
  const step = <usize>word(parameters, PRODUCT_MATRIX);
  for (let tile = 0; tile < tiles; tile++) {
    fillTile(parameters, outputsOf(parameters), first + tile, TILE, table);
    transformTile(table, offset, bytes, matrices + <usize>tile * CHUNK_BYTES, step);
  }
}

/** First the four columns of the tile, then the six rows of the results. */
function transformTile(table: usize, offset: usize, bytes: usize, to: usize, step: usize): void {
  const half = halfOf(table);
  for (let j: usize = 0; j < 4; j++) {
    const at = table + (j << 2);
    slopeLine(
      offset + <usize>load<u32>(at),
      offset + <usize>load<u32>(at, 16),
      offset + <usize>load<u32>(at, 32),
      offset + <usize>load<u32>(at, 48),
      bytes,
      half + j * CHUNK_BYTES,
      LINE_BYTES,
    );
  }
  for (let i: usize = 0; i < 6; i++) {
    const row = half + i * LINE_BYTES;
    slopeLine(row, row + CHUNK_BYTES, row + 2 * CHUNK_BYTES, row + 3 * CHUNK_BYTES, bytes, to + i * 6 * step, step);
  }
}
