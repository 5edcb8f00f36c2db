// The gradient of padding by mirrored values. tfjs-core only cuts the padding off, but the values in the padding come
// from the input as well.
import { MirrorPad, add, pad, reverse, slice, type GradConfig, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';

/** Gradient of tf.mirrorPad. */
export const mirrorGradient: GradConfig = {
  kernelName: MirrorPad,
  gradFunc: (dy, _, { paddings, mode }) => {
    if (Array.isArray(dy)) throw internalError(`${MirrorPad} has one output`);
    // 'reflect' does not repeat the value at the edge.
    const skipped = mode === 'reflect' ? 1 : 0;
    const axes = paddings as unknown as readonly (readonly [number, number])[];
    return { x: () => axes.reduce((dx: Tensor, sides, axis) => foldSides(dx, axis, sides, skipped), dy) };
  },
};

/** Adds the gradient of both sides of an axis, reversed, to the values that they mirror. */
function foldSides(dy: Tensor, axis: number, [before, after]: readonly [number, number], skipped: number): Tensor {
  const size = (dy.shape[axis] ?? 0) - before - after;
  const middle = part(dy, axis, before, size);
  const left = placed(part(dy, axis, 0, before), axis, skipped, size);
  const right = placed(part(dy, axis, before + size, after), axis, size - skipped - after, size);
  return [left, right].reduce<Tensor>((sum, side) => (side === undefined ? sum : add(sum, side)), middle);
}

function part(x: Tensor, axis: number, begin: number, size: number): Tensor {
  const [begins, sizes] = [x.shape.map(() => 0), [...x.shape]];
  begins[axis] = begin;
  sizes[axis] = size;
  return slice(x, begins, sizes);
}

/** A side, reversed, at its place among zeros. Undefined for a side without padding. */
function placed(side: Tensor, axis: number, begin: number, size: number): Tensor | undefined {
  const length = side.shape[axis] ?? 0;
  if (length === 0) return undefined;
  const around = side.shape.map((_, each): [number, number] =>
    each === axis ? [begin, size - begin - length] : [0, 0],
  );
  return pad(reverse(side, axis), around);
}
