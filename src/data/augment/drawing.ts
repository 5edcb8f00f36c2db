// Draws of operations: each of an example's has a generator of its own, so that a change of one leaves the others.
import { deriveSeed, randomGenerator } from '../../core/random.ts';

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** What is done to some share of the examples, and its place in the list, which its draws depend on. */
export interface Placed {
  readonly operation: { readonly probability: number };
  readonly place: number;
}

/** What an operation draws from for an example; undefined when it leaves that example as it is. */
export function drawFor({ operation, place }: Placed, seed: number): Random | undefined {
  const random = randomGenerator(deriveSeed(seed, place));
  return random() < operation.probability ? random : undefined;
}

/** A number drawn evenly. */
export function evenly(random: Random, [least, most]: readonly [number, number]): number {
  return least + (most - least) * random();
}

/** A number drawn evenly up to the largest to either side of 0. */
export function toEitherSide(random: Random, most: number): number {
  return evenly(random, [-most, most]);
}

/** A factor drawn evenly from 1 - `amount` to 1 + `amount`. */
export function aroundOne(random: Random, amount: number): number {
  return evenly(random, [1 - amount, 1 + amount]);
}

/** Height and width of a picture, or of a part of it. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** The size of a part of a picture that has a share of its area and a width by height, cut to the picture's sides. */
export function drawPart(
  random: Random,
  { height, width }: Size,
  { area, aspect }: { readonly area: readonly [number, number]; readonly aspect: readonly [number, number] },
): Size {
  const pixels = height * width * evenly(random, area);
  const ratio = Math.exp(evenly(random, [Math.log(aspect[0]), Math.log(aspect[1])]));
  return { height: Math.min(height, Math.sqrt(pixels / ratio)), width: Math.min(width, Math.sqrt(pixels * ratio)) };
}
