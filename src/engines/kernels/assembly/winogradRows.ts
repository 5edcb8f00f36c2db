// The inner loop of Winograd's products: up to 6 rows of a matrix times a panel of 8 columns, over all channels.
import { TILE_ROWS } from './gemmTile';
import { multiplyAdd } from './parameters';
import { CHUNK_BYTES } from './winogradTile';

// Numbers of rows, as types.
class One {}
class Two {}
class Three {}
class Four {}
class Five {}
class Whole {}

function rowsOf<Rows>(): i32 {
  if (idof<Rows>() == idof<One>()) return 1;
  if (idof<Rows>() == idof<Two>()) return 2;
  if (idof<Rows>() == idof<Three>()) return 3;
  if (idof<Rows>() == idof<Four>()) return 4;
  if (idof<Rows>() == idof<Five>()) return 5;
  return TILE_ROWS;
}

/**
 * Multiplies some rows by a panel.
 *
 * @param from - The first row; the others follow, `line` bytes each. Channels are a multiple of 4.
 * @param panel - 8 values for each channel.
 * @param to - The products, with rows of one chunk.
 */
export function multiplyRows(from: usize, rows: i32, line: usize, panel: usize, to: usize): void {
  let row = 0;
  for (; row + TILE_ROWS <= rows; row += TILE_ROWS) {
    multiply<Whole>(from, line, panel, to);
    from += <usize>TILE_ROWS * line;
    to += <usize>TILE_ROWS * CHUNK_BYTES;
  }
  switch (rows - row) {
    case 1:
      multiply<One>(from, line, panel, to);
      break;
    case 2:
      multiply<Two>(from, line, panel, to);
      break;
    case 3:
      multiply<Three>(from, line, panel, to);
      break;
    case 4:
      multiply<Four>(from, line, panel, to);
      break;
    case 5:
      multiply<Five>(from, line, panel, to);
      break;
  }
}

/** One tile. The function is compiled for each number of rows. */
function multiply<Rows>(from: usize, line: usize, panel: usize, to: usize): void {
  const rows = rowsOf<Rows>();
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let c40 = c00;
  let c41 = c00;
  let c50 = c00;
  let c51 = c00;
  let a0 = from;
  let a1 = a0 + line;
  let a2 = a1 + line;
  let a3 = a2 + line;
  let a4 = a3 + line;
  let a5 = a4 + line;
  const end = panel + (line << 3);
  for (let b = panel; b < end; b += 32) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const v0 = v128.load_splat<f32>(a0);
    c00 = multiplyAdd(v0, b0, c00);
    c01 = multiplyAdd(v0, b1, c01);
    a0 += 4;
    if (rows > 1) {
      const v1 = v128.load_splat<f32>(a1);
      c10 = multiplyAdd(v1, b0, c10);
      c11 = multiplyAdd(v1, b1, c11);
      a1 += 4;
    }
    if (rows > 2) {
      const v2 = v128.load_splat<f32>(a2);
      c20 = multiplyAdd(v2, b0, c20);
      c21 = multiplyAdd(v2, b1, c21);
      a2 += 4;
    }
    if (rows > 3) {
      const v3 = v128.load_splat<f32>(a3);
      c30 = multiplyAdd(v3, b0, c30);
      c31 = multiplyAdd(v3, b1, c31);
      a3 += 4;
    }
    if (rows > 4) {
      const v4 = v128.load_splat<f32>(a4);
      c40 = multiplyAdd(v4, b0, c40);
      c41 = multiplyAdd(v4, b1, c41);
      a4 += 4;
    }
    if (rows > 5) {
      const v5 = v128.load_splat<f32>(a5);
      c50 = multiplyAdd(v5, b0, c50);
      c51 = multiplyAdd(v5, b1, c51);
      a5 += 4;
    }
  }
  v128.store(to, c00);
  v128.store(to, c01, 16);
  if (rows > 1) {
    v128.store(to, c10, CHUNK_BYTES);
    v128.store(to, c11, CHUNK_BYTES + 16);
  }
  if (rows > 2) {
    v128.store(to, c20, 2 * CHUNK_BYTES);
    v128.store(to, c21, 2 * CHUNK_BYTES + 16);
  }
  if (rows > 3) {
    v128.store(to, c30, 3 * CHUNK_BYTES);
    v128.store(to, c31, 3 * CHUNK_BYTES + 16);
  }
  if (rows > 4) {
    v128.store(to, c40, 4 * CHUNK_BYTES);
    v128.store(to, c41, 4 * CHUNK_BYTES + 16);
  }
  if (rows > 5) {
    v128.store(to, c50, 5 * CHUNK_BYTES);
    v128.store(to, c51, 5 * CHUNK_BYTES + 16);
  }
}
