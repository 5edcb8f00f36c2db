// Windows of pooling and convolution over any number of spatial axes, one tap of the window at a time.
import { add, pad, slice, stridedSlice, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { at } from '../../core/at.ts';
import { internalError } from '../../core/errors.ts';
import { spreadAxis } from './spreadAxis.ts';

/** One spatial axis: output position `p` reads, with tap `i`, input position `p * stride + i - before`. */
export interface WindowAxis {
  readonly input: number;
  readonly output: number;
  readonly size: number;
  readonly stride: number;
  /**
   * Number of padded positions before the input; below 0 where the first window begins later, as tfjs computes for some
   * strides.
   */
  readonly before: number;
}

/** One position within a window: an offset along each axis. */
export type Tap = readonly number[];

/** Returns every tap of a window, the last axis fastest. */
export function tapsOf(axes: readonly WindowAxis[]): readonly Tap[] {
  return axes.reduce<Tap[]>(
    (taps, { size }) => taps.flatMap((tap) => Array.from({ length: size }, (_, offset) => [...tap, offset])),
    [[]],
  );
}

/**
 * Pads an input so that every window lies inside it.
 *
 * @param x - [batch, ...input, channels]
 */
export function padWindows(x: Tensor, axes: readonly WindowAxis[], value: number): Tensor {
  const margins = axes.map((axis): [number, number] => [
    Math.max(axis.before, 0),
    lengthOf(axis) - axis.before - axis.input,
  ]);
  const begin = axes.map(({ before }) => Math.max(-before, 0));
  return slice(pad(x, [[0, 0], ...margins, [0, 0]], value), [0, ...begin, 0], [-1, ...axes.map(lengthOf), -1]);
}

/**
 * Reads what each window has at a tap.
 *
 * @param padded - From {@link padWindows}.
 * @returns [batch, ...output, channels]
 */
export function readTap(padded: Tensor, axes: readonly WindowAxis[], tap: Tap): Tensor {
  const begin = [0, ...tap, 0];
  const size = axes.map(({ output, stride }) => (output - 1) * stride + 1);
  const range = slice(padded, begin, [-1, ...size, -1]);
  if (axes.every(({ stride }) => stride === 1)) return range;
  const start = begin.map(() => 0);
  return stridedSlice(range, start, range.shape, [1, ...axes.map(({ stride }) => stride), 1]);
}

/**
 * The reverse of {@link readTap} for all taps: adds up what each tap gives to the positions that it read.
 *
 * @param part - Returns what a tap gives, [batch, ...output, channels]; taps come in the order of {@link tapsOf}.
 * @returns [batch, ...input, channels]
 */
export function addTaps(axes: readonly WindowAxis[], part: (tap: Tap, index: number) => Tensor): Tensor {
  const [first, ...others] = tapsOf(axes).map((tap, index) => () => tidy(() => spread(part(tap, index), axes, tap)));
  if (first === undefined) throw internalError('a window without taps');
  const sum = others.reduce((total, next) => {
    const more = tidy(() => add(total, next()));
    total.dispose();
    return more;
  }, first());
  const early = axes.map(({ before }): [number, number] => [Math.max(-before, 0), 0]);
  const begin = axes.map(({ before }) => Math.max(before, 0));
  return slice(pad(sum, [[0, 0], ...early, [0, 0]]), [0, ...begin, 0], [-1, ...axes.map(({ input }) => input), -1]);
}

/** Puts each window's value to the position that the tap reads. */
function spread(part: Tensor, axes: readonly WindowAxis[], tap: Tap): Tensor {
  return axes.reduce((y, axis, place) => {
    return spreadAxis(y, place + 1, lengthOf(axis), { begin: at(tap, place), stride: axis.stride });
  }, part);
}

/** Length of the padded axis: the end of the input or of the last window. */
function lengthOf({ input, output, size, stride, before }: WindowAxis): number {
  return Math.max(before + input, (output - 1) * stride + size);
}
