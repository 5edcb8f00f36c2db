// Copies that gradients by filters read instead of the tensors, so that what is read together lies together.

/** Channels that share a line of the cache. */
export const LINE_CHANNELS: i32 = 16;

/** Copies some panels of columns, each panel in one piece. */
export function packColumns(from: usize, pixelBytes: usize, rows: i32, columns: i32, packed: usize): void {
  const whole = <usize>(columns >> 3);
  const rest = <usize>(columns & 7);
  const panelBytes = (<usize>rows) << 5;
  for (let row: usize = 0; row < <usize>rows; row++) {
    const pixel = from + row * pixelBytes;
    let to = packed + (row << 5);
    for (let i: usize = 0; i < whole; i++) {
      v128.store(to, v128.load(pixel + (i << 5)));
      v128.store(to, v128.load(pixel + (i << 5), 16), 16);
      to += panelBytes;
    }
    if (rest) {
      memory.fill(to, 0, 32);
      memory.copy(to, pixel + (whole << 5), rest << 2);
    }
  }
}

/** Copies 16 channels of pixels, and writes the addresses of the copies behind room for `block` of them. */
export function copyChannels(pixels: usize, rows: i32, offset: usize, block: i32, copies: usize): void {
  const list = copyList(copies, block);
  for (let row: usize = 0; row < <usize>rows; row++) {
    const from = <usize>load<u32>(pixels + (row << 2)) + offset;
    const to = copies + (row << 6);
    store<u32>(list + (row << 2), <u32>to);
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
    v128.store(to, v128.load(from, 48), 48);
  }
}

/** Where the addresses of copies are. */
export function copyList(copies: usize, block: i32): usize {
  return copies + ((<usize>block) << 6);
}
