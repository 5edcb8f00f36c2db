// Groups of adjacent channels: four at once, or single ones if there are fewer than four.

export class Four {}
export class Single {}

/** Bytes of the channels of a group. */
export function width<Lanes>(): i32 {
  return idof<Lanes>() == idof<Four>() ? 16 : 4;
}

export function read<Lanes>(at: i32): v128 {
  return idof<Lanes>() == idof<Four>() ? v128.load(<usize>at) : v128.load32_zero(<usize>at);
}

export function write<Lanes>(at: i32, value: v128): void {
  if (idof<Lanes>() == idof<Four>()) v128.store(<usize>at, value);
  else v128.store_lane<f32>(<usize>at, value, 0);
}
