// Maps pictures by a projective map, with bilinear interpolation.
import { real, word } from './parameters';

const X = 0;
const OUT = 1;
const MAPS = 2;
const MAP_BYTES = 3;
const HEIGHT = 4;
const WIDTH = 5;
const OUT_HEIGHT = 6;
const OUT_WIDTH = 7;
const OUT_ROWS = 8;
const TASK_ROWS = 9;
const FILL = 10;
const VALUE = 11;

const CONSTANT = 0;
const REFLECT = 1;

/** Bytes of a pixel of three channels. */
const PIXEL_BYTES: usize = 12;

/**
 * One task: TASK_ROWS of OUT_ROWS rows of pictures. Pixel (x, y) is the input at ((a x + b y + c) / k, (d x + e y + f)
 * / k) with k = g x + h y + 1. a … h are the numbers of the picture's map, MAP_BYTES from one map to the next. FILL
 * selects the values outside the picture: 0 VALUE, 1 the mirrored picture, 2 the nearest pixel. If k is 0, the result
 * is VALUE.
 */
export function transformPictures(parameters: usize, task: i32): void {
  const first = task * word(parameters, TASK_ROWS);
  const last = min(first + word(parameters, TASK_ROWS), word(parameters, OUT_ROWS));
  for (let row = first; row < last; row++) transformRow(parameters, row);
}

function transformRow(parameters: usize, outRow: i32): void {
  const picture = outRow / word(parameters, OUT_HEIGHT);
  const row = <f32>(outRow - picture * word(parameters, OUT_HEIGHT));
  const map = <usize>word(parameters, MAPS) + <usize>(picture * word(parameters, MAP_BYTES));
  const width = word(parameters, WIDTH);
  const height = word(parameters, HEIGHT);
  const columns = word(parameters, OUT_WIDTH);
  const fill = word(parameters, FILL);
  const value = f32x4.splat(real(parameters, VALUE));
  const pixels = <usize>word(parameters, X) + <usize>(picture * height) * <usize>width * PIXEL_BYTES;
  let out = <usize>word(parameters, OUT) + <usize>outRow * <usize>columns * PIXEL_BYTES;
  for (let column: f32 = 0; column < <f32>columns; column++) {
    const k = load<f32>(map, 24) * column + load<f32>(map, 28) * row + 1;
    const x = (load<f32>(map) * column + load<f32>(map, 4) * row + load<f32>(map, 8)) / k;
    const y = (load<f32>(map, 12) * column + load<f32>(map, 16) * row + load<f32>(map, 20)) / k;
    let pixel = value;
    if (fill == CONSTANT) {
      if (k != 0) pixel = betweenOrValue(pixels, width, height, x, y, value);
    } else if (k != 0) {
      pixel = between(pixels, width, height, inside(x, <f32>width, fill), inside(y, <f32>height, fill));
    }
    writePixel(out, pixel);
    out += PIXEL_BYTES;
  }
}

/** The position inside the picture whose pixel fills a position outside; 0 for NaN. */
function inside(at: f32, length: f32, fill: i32): f32 {
  let place = at;
  if (fill == REFLECT && !(at >= 0 && at <= length - 1)) {
    // The mirror axes are half a pixel outside the picture.
    const period = length * 2;
    const distance = abs(at + 0.5);
    const beyond = distance - floor(distance / period) * period;
    place = min(beyond, period - beyond) - 0.5;
  }
  return place > 0 ? min(place, length - 1) : 0;
}

/** Interpolates between four pixels, for a position inside the picture. */
function between(pixels: usize, width: i32, height: i32, x: f32, y: f32): v128 {
  const left = floor(x);
  const top = floor(y);
  const column = <i32>left;
  const row = <i32>top;
  const at = pixels + <usize>(row * width + column) * PIXEL_BYTES;
  const right = column + 1 < width ? PIXEL_BYTES : 0;
  const below = row + 1 < height ? <usize>width * PIXEL_BYTES : 0;
  return mix(
    mix(readPixel(at), readPixel(at + right), x - left),
    mix(readPixel(at + below), readPixel(at + below + right), x - left),
    y - top,
  );
}

/** Interpolates between four pixels; those outside the picture have the given value. */
function betweenOrValue(pixels: usize, width: i32, height: i32, x: f32, y: f32, value: v128): v128 {
  // Written so that NaN counts as outside.
  if (!(x > -1 && x < <f32>width && y > -1 && y < <f32>height)) return value;
  const left = floor(x);
  const top = floor(y);
  const column = <i32>left;
  const row = <i32>top;
  const at = pixels + <usize>((row * width + column) * <i32>PIXEL_BYTES);
  const below = at + <usize>width * PIXEL_BYTES;
  const isLeft = column >= 0;
  const isRight = column + 1 < width;
  const isTop = row >= 0;
  const isBelow = row + 1 < height;
  return mix(
    mix(isTop && isLeft ? readPixel(at) : value, isTop && isRight ? readPixel(at + PIXEL_BYTES) : value, x - left),
    mix(
      isBelow && isLeft ? readPixel(below) : value,
      isBelow && isRight ? readPixel(below + PIXEL_BYTES) : value,
      x - left,
    ),
    y - top,
  );
}

/** The formula of tfjs, so that equal values stay equal up to rounding. */
function mix(a: v128, b: v128, share: f32): v128 {
  return f32x4.add(f32x4.mul(f32x4.splat(1 - share), a), f32x4.mul(f32x4.splat(share), b));
}

/** Reads no byte after the pixel: the memory may end there. */
function readPixel(at: usize): v128 {
  return v128.load32_lane(at, v128.load64_zero(at), 2, 8);
}

function writePixel(at: usize, pixel: v128): void {
  v128.store64_lane(at, pixel, 0);
  v128.store32_lane(at, pixel, 2, 8);
}
