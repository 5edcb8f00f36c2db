// Winograd's convolution F(4×4, 3×3): tiles of 4×4 results take 36 multiplications for each pair of a channel and a
// column, instead of 144. Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (arXiv:1509.09308).
import { word } from './parameters';
import { transformPixels } from './winogradInput';
import { transformProducts } from './winogradOutput';
import {
  BLOCK_TILES,
  CHANNELS,
  FILTER_MATRIX,
  FILTERS,
  PIXEL_MATRIX,
  PRODUCT_MATRIX,
  RESULTS,
  TASK_PANELS,
  TILES,
} from './winogradParameters';
import { multiplyRows } from './winogradRows';
import { CHUNK, matricesOf, POINTS, tableOf } from './winogradTile';

const CHUNK_PANELS: i32 = CHUNK / 8;

/** One task: a block of tiles for some panels of columns. Parameters: winogradParameters.ts. */
export function winogradProduct(parameters: usize, task: i32, thread: i32): void {
  const tiles = word(parameters, TILES);
  const block = word(parameters, BLOCK_TILES);
  const blocks = (tiles + block - 1) / block;
  const first = (task % blocks) * block;
  const count = min(block, tiles - first);
  const panels = (word(parameters, RESULTS) + 7) >> 3;
  const start = (task / blocks) * word(parameters, TASK_PANELS);
  const end = min(panels, start + word(parameters, TASK_PANELS));
  const table = tableOf(parameters, thread);
  const pixels = matricesOf(table);
  const products = pixels + <usize>(POINTS * word(parameters, PIXEL_MATRIX));
  const channels = word(parameters, CHANNELS);
  transformPixels(parameters, first, count, 0, channels, <usize>(channels << 2), table, pixels);
  for (let panel = start; panel < end; panel += CHUNK_PANELS) {
    const last = min(end, panel + CHUNK_PANELS);
    multiplyChunk(parameters, count, pixels, panel, last, products);
    const columns = min(last << 3, word(parameters, RESULTS)) - (panel << 3);
    transformProducts(parameters, first, count, table, products, <usize>(panel << 5), <usize>(columns << 2));
  }
}

/** All 36 products of a block with the panels of a chunk. */
function multiplyChunk(parameters: usize, tiles: i32, pixels: usize, panel: i32, last: i32, products: usize): void {
  const line = <usize>(word(parameters, CHANNELS) << 2);
  for (let point = 0; point < POINTS; point++) {
    const from = pixels + <usize>(point * word(parameters, PIXEL_MATRIX));
    const filters = <usize>word(parameters, FILTERS) + <usize>(point * word(parameters, FILTER_MATRIX));
    let to = products + <usize>(point * word(parameters, PRODUCT_MATRIX));
    for (let i = panel; i < last; i++) {
      multiplyRows(from, tiles, line, filters + <usize>i * (line << 3), to);
      to += 32;
    }
  }
}
