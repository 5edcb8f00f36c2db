// Loads and stores of the last values of a list, which are fewer than four.

export function loadSome(at: usize, bytes: usize): v128 {
  let values = v128.load32_zero(at);
  if (bytes > 4) values = v128.load_lane<f32>(at + 4, values, 1);
  if (bytes > 8) values = v128.load_lane<f32>(at + 8, values, 2);
  return values;
}

export function storeSome(at: usize, values: v128, bytes: usize): void {
  v128.store_lane<f32>(at, values, 0);
  if (bytes > 4) v128.store_lane<f32>(at + 4, values, 1);
  if (bytes > 8) v128.store_lane<f32>(at + 8, values, 2);
}
