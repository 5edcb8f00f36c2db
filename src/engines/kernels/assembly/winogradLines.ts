// Winograd's transforms along one axis, with the points 0, ±√½, ±√2 and ∞. Barabasz et al., Error Analysis and
// Improving the Accuracy of Winograd Convolution for Deep Neural Networks (arXiv:1803.10986), describe how matrices
// follow from points; with these points the errors are a quarter of those with 0, ±1, ±2 and ∞.
import { multiplyAdd } from './parameters';

/** √½; the other points are its inverse √2, both with either sign. */
const NEAR: f32 = 0.7071067811865476;
const FAR: f32 = 1.4142135623730951;

/**
 * Transforms pixels: six addresses, `bytes` from each on, to six results that are `step` bytes apart.
 */
export function pixelLine(
  p0: usize,
  p1: usize,
  p2: usize,
  p3: usize,
  p4: usize,
  p5: usize,
  bytes: usize,
  to: usize,
  step: usize,
): void {
  const t1 = to + step;
  const t2 = t1 + step;
  const t3 = t2 + step;
  const t4 = t3 + step;
  const t5 = t4 + step;
  for (let i: usize = 0; i < bytes; i += 16) {
    const d1 = v128.load(p1 + i);
    const d2 = v128.load(p2 + i);
    const d3 = v128.load(p3 + i);
    const d4 = v128.load(p4 + i);
    v128.store(to + i, multiplyAdd(d2, f32x4.splat(-2.5), f32x4.add(v128.load(p0 + i), d4)));
    v128.store(t5 + i, multiplyAdd(d3, f32x4.splat(-2.5), f32x4.add(d1, v128.load(p5 + i))));
    const nearEven = multiplyAdd(d2, f32x4.splat(-2), d4);
    const nearOdd = f32x4.mul(multiplyAdd(d1, f32x4.splat(-2), d3), f32x4.splat(NEAR));
    v128.store(t1 + i, f32x4.add(nearEven, nearOdd));
    v128.store(t2 + i, f32x4.sub(nearEven, nearOdd));
    const farEven = multiplyAdd(d2, f32x4.splat(-0.5), d4);
    const farOdd = f32x4.mul(multiplyAdd(d1, f32x4.splat(-0.5), d3), f32x4.splat(FAR));
    v128.store(t3 + i, f32x4.add(farEven, farOdd));
    v128.store(t4 + i, f32x4.sub(farEven, farOdd));
  }
}

/** Transforms three values of a filter to six results that are `step` bytes apart. */
export function filterLine(g0: v128, g1: v128, g2: v128, to: usize, step: usize): void {
  v128.store(to, g0);
  to += step;
  const nearEven = f32x4.mul(multiplyAdd(g2, f32x4.splat(0.5), g0), f32x4.splat(-2.0 / 3.0));
  const nearOdd = f32x4.mul(g1, f32x4.splat((-2.0 / 3.0) * NEAR));
  v128.store(to, f32x4.add(nearEven, nearOdd));
  to += step;
  v128.store(to, f32x4.sub(nearEven, nearOdd));
  to += step;
  const farEven = f32x4.mul(multiplyAdd(g2, f32x4.splat(2), g0), f32x4.splat(1.0 / 6.0));
  const farOdd = f32x4.mul(g1, f32x4.splat((1.0 / 6.0) * FAR));
  v128.store(to, f32x4.add(farEven, farOdd));
  to += step;
  v128.store(to, f32x4.sub(farEven, farOdd));
  v128.store(to + step, g2);
}

/** The first result of products at 0, ±√½ and ±√2. */
export function result0(m0: v128, nearSum: v128, farSum: v128): v128 {
  return f32x4.add(m0, f32x4.add(nearSum, farSum));
}

/** The second one, from differences between the products at a point and at its negative. */
export function result1(nearDifference: v128, farDifference: v128): v128 {
  return multiplyAdd(farDifference, f32x4.splat(FAR), f32x4.mul(nearDifference, f32x4.splat(NEAR)));
}

/** The third one. */
export function result2(nearSum: v128, farSum: v128): v128 {
  return multiplyAdd(farSum, f32x4.splat(2), f32x4.mul(nearSum, f32x4.splat(0.5)));
}

/** The fourth one, with the product at ∞. */
export function result3(nearDifference: v128, farDifference: v128, m5: v128): v128 {
  return multiplyAdd(farDifference, f32x4.splat(2 * FAR), multiplyAdd(nearDifference, f32x4.splat(0.5 * NEAR), m5));
}

/**
 * Transforms the gradient of results: four addresses, `bytes` from each on, to six results that are `step` bytes apart.
 */
export function slopeLine(p0: usize, p1: usize, p2: usize, p3: usize, bytes: usize, to: usize, step: usize): void {
  const t1 = to + step;
  const t2 = t1 + step;
  const t3 = t2 + step;
  const t4 = t3 + step;
  const t5 = t4 + step;
  for (let i: usize = 0; i < bytes; i += 16) {
    const y0 = v128.load(p0 + i);
    const y1 = v128.load(p1 + i);
    const y2 = v128.load(p2 + i);
    const y3 = v128.load(p3 + i);
    v128.store(to + i, y0);
    v128.store(t5 + i, y3);
    const nearEven = multiplyAdd(y2, f32x4.splat(0.5), y0);
    const nearOdd = f32x4.mul(multiplyAdd(y3, f32x4.splat(0.5), y1), f32x4.splat(NEAR));
    v128.store(t1 + i, f32x4.add(nearEven, nearOdd));
    v128.store(t2 + i, f32x4.sub(nearEven, nearOdd));
    const farEven = multiplyAdd(y2, f32x4.splat(2), y0);
    const farOdd = f32x4.mul(multiplyAdd(y3, f32x4.splat(2), y1), f32x4.splat(FAR));
    v128.store(t3 + i, f32x4.add(farEven, farOdd));
    v128.store(t4 + i, f32x4.sub(farEven, farOdd));
  }
}

/** Transforms six sums to three values of a filter that are `step` bytes apart. */
export function gradientLine(u0: v128, u1: v128, u2: v128, u3: v128, u4: v128, u5: v128, to: usize, step: usize): void {
  const nearSum = f32x4.add(u1, u2);
  const nearDifference = f32x4.sub(u1, u2);
  const farSum = f32x4.add(u3, u4);
  const farDifference = f32x4.sub(u3, u4);
  v128.store(to, multiplyAdd(nearSum, f32x4.splat(-2.0 / 3.0), multiplyAdd(farSum, f32x4.splat(1.0 / 6.0), u0)));
  const far = f32x4.mul(farDifference, f32x4.splat((1.0 / 6.0) * FAR));
  v128.store(to + step, multiplyAdd(nearDifference, f32x4.splat((-2.0 / 3.0) * NEAR), far));
  v128.store(
    to + 2 * step,
    multiplyAdd(nearSum, f32x4.splat(-1.0 / 3.0), multiplyAdd(farSum, f32x4.splat(1.0 / 3.0), u5)),
  );
}
