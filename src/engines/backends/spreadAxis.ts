// Inserts zeros along one axis: the reverse of a strided slice.
import { pad, reshape, reverse, slice, type Tensor } from '@tensorflow/tfjs-core';

/**
 * Puts the entries of an axis back to the positions that a slice took them from, and zeros to all others.
 *
 * @param size - Length of the axis before the slice.
 * @param from - The position of the first entry, and the distance between entries; negative for a reversed slice.
 */
export function spreadAxis(dy: Tensor, axis: number, size: number, from: { begin: number; stride: number }): Tensor {
  const count = dy.shape[axis] ?? 0;
  if (count === size && from.stride === 1) return dy;
  const isBackward = from.stride < 0;
  const stride = Math.abs(from.stride);
  const first = isBackward ? from.begin - (count - 1) * stride : from.begin;
  const outer = dy.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const inner = dy.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const forward = isBackward ? reverse(dy, axis) : dy;
  const apart = pad(reshape(forward, [outer, count, inner]), [
    [0, 0],
    [0, 0],
    [0, (stride - 1) * inner],
  ]);
  const length = count === 0 ? 0 : (count - 1) * stride + 1;
  const kept = slice(reshape(apart, [outer, count * stride, inner]), [0, 0, 0], [outer, length, inner]);
  const before = count === 0 ? 0 : first;
  const placed = pad(kept, [
    [0, 0],
    [before, size - before - length],
    [0, 0],
  ]);
  return reshape(placed, [...dy.shape.slice(0, axis), size, ...dy.shape.slice(axis + 1)]);
}
