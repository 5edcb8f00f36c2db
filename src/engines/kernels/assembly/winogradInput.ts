// Winograd's transform of pictures: the pixels of a tile, as values of 36 matrices.
import { word } from './parameters';
import { pixelLine } from './winogradLines';
import {
  CHANNELS,
  INPUT,
  INPUT_HEIGHT,
  INPUT_PICTURE,
  INPUT_PIXEL,
  INPUT_ROW,
  INPUT_WIDTH,
  PIXEL_MATRIX,
  START_X,
  START_Y,
  ZEROS,
} from './winogradParameters';
import { CHUNK, CHUNK_BYTES, halfOf, LINE_BYTES, PATCH, TILE, tilesAcross, tilesDown } from './winogradTile';

/** Transforms some tiles. Each of the 36 matrices has a row for each tile. */
export function transformPixels(parameters: usize, first: i32, tiles: i32, table: usize, matrices: usize): void {
  const channels = word(parameters, CHANNELS);
  const line = <usize>(channels << 2);
  for (let tile = 0; tile < tiles; tile++) {
    fillPixels(parameters, first + tile, table);
    const to = matrices + <usize>tile * line;
    for (let channel = 0; channel < channels; channel += CHUNK) {
      const bytes = <usize>(min(CHUNK, channels - channel) << 2);
      transformChunk(parameters, table, <usize>(channel << 2), bytes, to + <usize>(channel << 2));
    }
  }
}

/** Writes the addresses of a tile's 36 pixels. */
function fillPixels(parameters: usize, tile: i32, table: usize): void {
  const across = tilesAcross(parameters);
  const down = tilesDown(parameters);
  const line = tile / across;
  const x = (tile - line * across) * TILE + word(parameters, START_X);
  const y = (line % down) * TILE + word(parameters, START_Y);
  const picture = <usize>word(parameters, INPUT) + <usize>((line / down) * word(parameters, INPUT_PICTURE));
  const zeros = <usize>word(parameters, ZEROS);
  const width = <u32>word(parameters, INPUT_WIDTH);
  const pixel = word(parameters, INPUT_PIXEL);
  let at = table;
  for (let i = y; i < y + PATCH; i++) {
    const isInside = <u32>i < <u32>word(parameters, INPUT_HEIGHT);
    const row = picture + <usize>(i * word(parameters, INPUT_ROW));
    for (let j = x; j < x + PATCH; j++) {
      store<u32>(at, <u32>(isInside && <u32>j < width ? row + <usize>(j * pixel) : zeros));
      at += 4;
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
