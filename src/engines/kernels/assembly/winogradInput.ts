// Winograd's transform of pictures: the pixels of a tile, as values of 36 matrices.
import { word } from './parameters';
import { pixelLine } from './winogradLines';
import { PIXEL_MATRIX } from './winogradParameters';
import { fillTile } from './winogradTable';
import { CHUNK, CHUNK_BYTES, halfOf, LINE_BYTES, PATCH } from './winogradTile';

/**
 * Transforms channels `from` … `end` of some tiles. Each of the 36 matrices has a row for each tile, of `line` bytes.
 */
export function transformPixels(
  parameters: usize,
  first: i32,
  tiles: i32,
  from: i32,
  end: i32,
  line: usize,
  table: usize,
  matrices: usize,
): void {
  for (let tile = 0; tile < tiles; tile++) {
    fillTile(parameters, parameters, first + tile, PATCH, table);
    let to = matrices + <usize>tile * line;
    for (let channel = from; channel < end; channel += CHUNK) {
      const bytes = <usize>(min(CHUNK, end - channel) << 2);
      transformChunk(parameters, table, <usize>(channel << 2), bytes, to);
      to += bytes;
    }
  }
}

/** First the six columns of the tile, then the six rows of the results. */
function transformChunk(parameters: usize, table: usize, offset: usize, bytes: usize, to: usize): void {
  const half = halfOf(table);
  const step = <usize>word(parameters, PIXEL_MATRIX);
  for (let j: usize = 0; j < 6; j++) {
    const at = table + (j << 2);
    pixelLine(
      offset + <usize>load<u32>(at),
      offset + <usize>load<u32>(at, 24),
      offset + <usize>load<u32>(at, 48),
      offset + <usize>load<u32>(at, 72),
      offset + <usize>load<u32>(at, 96),
      offset + <usize>load<u32>(at, 120),
      bytes,
      half + j * CHUNK_BYTES,
      LINE_BYTES,
    );
  }
  for (let i: usize = 0; i < 6; i++) {
    const row = half + i * LINE_BYTES;
    pixelLine(
      row,
      row + CHUNK_BYTES,
      row + 2 * CHUNK_BYTES,
      row + 3 * CHUNK_BYTES,
      row + 4 * CHUNK_BYTES,
      row + 5 * CHUNK_BYTES,
      bytes,
      to + i * 6 * step,
      step,
    );
  }
}
