// Gradients of relu and relu6, and the sums of these gradients over all rows.
import { real, word } from './parameters';

const DY = 0;
const Y = 1;
const MASKED = 2;
const SUMS = 3;
const ROWS = 4;
const CHANNELS = 5;
const TASK_ROWS = 6;
const CEILING = 7;

/**
 * One task: TASK_ROWS rows of `dy` [rows, channels] are set to 0 where `y` is not strictly between 0 and CEILING; their
 * sums become row `task` of SUMS.
 */
export function maskGradient(parameters: usize, task: i32): void {
  const bytes = (<usize>word(parameters, CHANNELS)) << 2;
  const first = task * word(parameters, TASK_ROWS);
  const start = <usize>first * bytes;
  const ceiling = f32x4.splat(real(parameters, CEILING));
  const sums = <usize>word(parameters, SUMS) + <usize>task * bytes;
  let dy = <usize>word(parameters, DY) + start;
  let y = <usize>word(parameters, Y) + start;
  let masked = <usize>word(parameters, MASKED) + start;
  let left = min(word(parameters, TASK_ROWS), word(parameters, ROWS) - first);
  memory.fill(sums, 0, bytes);
  for (; left >= 4; left -= 4) {
    maskRows(dy, y, masked, bytes, ceiling, sums);
    dy += bytes << 2;
    y += bytes << 2;
    masked += bytes << 2;
  }
  for (; left > 0; left--) {
    maskRow(dy, y, masked, bytes, ceiling, sums);
    dy += bytes;
    y += bytes;
    masked += bytes;
  }
}

function maskRows(dy: usize, y: usize, masked: usize, bytes: usize, ceiling: v128, sums: usize): void {
  const end = sums + bytes;
  for (; sums + 16 <= end; sums += 16) {
    const a = f32x4.add(maskFour(dy, y, masked, ceiling), maskFour(dy + bytes, y + bytes, masked + bytes, ceiling));
    const two = 2 * bytes;
    const three = 3 * bytes;
    const b = f32x4.add(
      maskFour(dy + two, y + two, masked + two, ceiling),
      maskFour(dy + three, y + three, masked + three, ceiling),
    );
    v128.store(sums, f32x4.add(v128.load(sums), f32x4.add(a, b)));
    dy += 16;
    y += 16;
    masked += 16;
  }
  for (; sums < end; sums += 4) {
    let sum: f32 = 0;
    for (let at: usize = 0; at < 4 * bytes; at += bytes) sum += maskOne(dy + at, y + at, masked + at, ceiling);
    store<f32>(sums, load<f32>(sums) + sum);
    dy += 4;
    y += 4;
    masked += 4;
  }
}

function maskRow(dy: usize, y: usize, masked: usize, bytes: usize, ceiling: v128, sums: usize): void {
  const end = sums + bytes;
  for (; sums + 16 <= end; sums += 16) {
    v128.store(sums, f32x4.add(v128.load(sums), maskFour(dy, y, masked, ceiling)));
    dy += 16;
    y += 16;
    masked += 16;
  }
  for (; sums < end; sums += 4) {
    store<f32>(sums, load<f32>(sums) + maskOne(dy, y, masked, ceiling));
    dy += 4;
    y += 4;
    masked += 4;
  }
}

function maskFour(dy: usize, y: usize, masked: usize, ceiling: v128): v128 {
  const result = maskOf(v128.load(dy), v128.load(y), ceiling);
  v128.store(masked, result);
  return result;
}

function maskOne(dy: usize, y: usize, masked: usize, ceiling: v128): f32 {
  const result = f32x4.extract_lane(maskOf(v128.load32_zero(dy), v128.load32_zero(y), ceiling), 0);
  store<f32>(masked, result);
  return result;
}

function maskOf(dy: v128, y: v128, ceiling: v128): v128 {
  return v128.and(dy, v128.and(f32x4.gt(y, f32x4.splat(0)), f32x4.lt(y, ceiling)));
}
