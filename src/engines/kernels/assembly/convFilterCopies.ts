// Copies of tensors for gradients with respect to filters: values that are read together become adjacent in memory.

/** Number of channels in one cache line. */
export const LINE_CHANNELS: i32 = 16;

/** Copies some panels of columns; each copy is contiguous. */
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

/** Copies 16 channels of pixels. The addresses of the copies follow after space for `block` copies. */
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

/** Returns where the addresses of the copies begin. */
export function copyList(copies: usize, block: i32): usize {
  return copies + ((<usize>block) << 6);
}
