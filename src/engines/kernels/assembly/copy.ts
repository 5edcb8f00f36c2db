// Copies parts of arrays.
import { word } from './parameters';

const FROM = 0;
const TO = 1;
const BYTES = 2;
const TASK_RUNS = 3;
const RUNS = 4;
const SIZES = 5;
const FROM_STEPS = 8;
const TO_STEPS = 11;

/**
 * One task: TASK_RUNS of RUNS runs of BYTES each. The runs form an array of three axes, with the lengths SIZES; for
 * each axis there are the bytes from one run to the next in the source and in the target.
 */
export function copyRuns(parameters: usize, task: i32): void {
  const first = task * word(parameters, TASK_RUNS);
  const last = min(first + word(parameters, TASK_RUNS), word(parameters, RUNS));
  const columns = word(parameters, SIZES + 2);
  const rows = word(parameters, SIZES + 1);
  const bytes = <usize>word(parameters, BYTES);
  let column = first % columns;
  let row = (first / columns) % rows;
  let plane = first / columns / rows;
  for (let run = first; run < last; run++) {
    const from = offsetOf(parameters + (FROM_STEPS << 2), plane, row, column);
    const to = offsetOf(parameters + (TO_STEPS << 2), plane, row, column);
    copyValues(<usize>word(parameters, FROM) + from, <usize>word(parameters, TO) + to, bytes);
    if (++column < columns) continue;
    column = 0;
    if (++row < rows) continue;
    row = 0;
    plane++;
  }
}

function offsetOf(steps: usize, plane: i32, row: i32, column: i32): usize {
  return <usize>(plane * word(steps, 0) + row * word(steps, 1) + column * word(steps, 2));
}

/** Copies short runs by single instructions, because a call to copy memory takes as long as several of them. */
function copyValues(from: usize, to: usize, bytes: usize): void {
  if (bytes > 512) {
    memory.copy(to, from, bytes);
    return;
  }
  const end = to + bytes;
  for (; to + 16 <= end; to += 16) {
    v128.store(to, v128.load(from));
    from += 16;
  }
  for (; to < end; to += 4) {
    store<f32>(to, load<f32>(from));
    from += 4;
  }
}

const X = 0;
const OUT = 1;
const HEIGHT = 2;
const ROW_BYTES = 3;
const TOP = 4;
const OUT_HEIGHT = 5;
const LEFT_BYTES = 6;
const RIGHT_BYTES = 7;
const OUT_ROWS = 8;
const TASK_ROWS = 9;
const VALUE = 10;

/** One task: TASK_ROWS of OUT_ROWS rows of pictures with VALUE around them. */
export function padPictures(parameters: usize, task: i32): void {
  const first = task * word(parameters, TASK_ROWS);
  const last = min(first + word(parameters, TASK_ROWS), word(parameters, OUT_ROWS));
  const height = word(parameters, HEIGHT);
  const outHeight = word(parameters, OUT_HEIGHT);
  const bytes = <usize>word(parameters, ROW_BYTES);
  const left = <usize>word(parameters, LEFT_BYTES);
  const right = <usize>word(parameters, RIGHT_BYTES);
  const value = v128.load32_splat(parameters + (VALUE << 2));
  for (let outRow = first; outRow < last; outRow++) {
    const picture = outRow / outHeight;
    const row = outRow - picture * outHeight - word(parameters, TOP);
    const out = <usize>word(parameters, OUT) + <usize>outRow * (left + bytes + right);
    if (row < 0 || row >= height) {
      fillValues(out, left + bytes + right, value);
      continue;
    }
    fillValues(out, left, value);
    memory.copy(out + left, <usize>word(parameters, X) + <usize>(picture * height + row) * bytes, bytes);
    fillValues(out + left + bytes, right, value);
  }
}

function fillValues(out: usize, bytes: usize, value: v128): void {
  const end = out + bytes;
  for (; out + 16 <= end; out += 16) v128.store(out, value);
  for (; out < end; out += 4) v128.store_lane<f32>(out, value, 0);
}
