// The addresses of a tile's pixels.
import { word } from './parameters';
import { ADDRESS, HEIGHT, PIXEL, ROW, START_X, START_Y, WIDTH, ZEROS } from './winogradParameters';
import { columnOf, pictureOf, rowOf } from './winogradTile';

/**
 * Writes the addresses of the pixels of a tile, row by row.
 *
 * @param pictures - The parameters of the pictures.
 * @param size - Pixels in a row and in a column.
 */
export function fillTile(parameters: usize, pictures: usize, tile: i32, size: i32, table: usize): void {
  const y = rowOf(parameters, tile) + word(pictures, START_Y);
  const x = columnOf(parameters, tile) + word(pictures, START_X);
  const picture = <usize>word(pictures, ADDRESS) + pictureOf(parameters, tile, pictures);
  const zeros = <usize>word(pictures, ZEROS);
  const width = <u32>word(pictures, WIDTH);
  const pixel = word(pictures, PIXEL);
  let at = table;
  for (let i = y; i < y + size; i++) {
    const isInside = <u32>i < <u32>word(pictures, HEIGHT);
    const row = picture + <usize>(i * word(pictures, ROW));
    for (let j = x; j < x + size; j++) {
      store<u32>(at, <u32>(isInside && <u32>j < width ? row + <usize>(j * pixel) : zeros));
      at += 4;
    }
  }
}
