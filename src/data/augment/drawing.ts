// Random draws of operations. For each example, every operation has its own generator, so that changing one operation
// does not change the others.
import { deriveSeed, randomGenerator } from '../../core/random.ts';

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** An operation that changes a share of the examples, and its position in the list, which seeds its draws. */
export interface Placed {
  readonly operation: { readonly probability: number };
  readonly place: number;
}

/** Returns the generator of an operation for an example; undefined when the operation does not change that example. */
export function drawFor({ operation, place }: Placed, seed: number): Random | undefined {
  const random = randomGenerator(deriveSeed(seed, place));
  return random() < operation.probability ? random : undefined;
}

/** A uniform draw. */
export function evenly(random: Random, [least, most]: readonly [number, number]): number {
  return least + (most - least) * random();
}

/** A uniform draw from -`most` to `most`. */
export function toEitherSide(random: Random, most: number): number {
  return evenly(random, [-most, most]);
}

/** A factor drawn uniformly from 1 - `amount` to 1 + `amount`. */
export function aroundOne(random: Random, amount: number): number {
  return evenly(random, [1 - amount, 1 + amount]);
}

/** Height and width of a picture, or of a part of it. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * Returns the size of a part of a picture with the given share of its area and aspect ratio, clipped to the picture's
 * size.
 */
export function drawPart(
  random: Random,
  { height, width }: Size,
  { area, aspect }: { readonly area: readonly [number, number]; readonly aspect: readonly [number, number] },
): Size {
  const pixels = height * width * evenly(random, area);
  const ratio = Math.exp(evenly(random, [Math.log(aspect[0]), Math.log(aspect[1])]));
  return { height: Math.min(height, Math.sqrt(pixels / ratio)), width: Math.min(width, Math.sqrt(pixels * ratio)) };
}
