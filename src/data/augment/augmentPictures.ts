// Applies operations to a batch, picture by picture, so that pictures do not depend on each other. A step that does not
// change a picture costs nothing for it.
import { concat, split, tidy, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { followedBy, type ColourChange } from './colourChange.ts';
import { drawFor, type Size } from './drawing.ts';
import { mapPicture } from './mapPicture.ts';
import { identity, multiply, type Matrix } from './matrix.ts';
import type { Step } from './operationSteps.ts';
import type { PixelRange } from './pixelRange.ts';
import { recolour } from './recolour.ts';

/** The operations for pictures of a base. */
export interface PictureAugmentation {
  readonly steps: readonly Step[];
  readonly range: PixelRange;
}

/**
 * Changes pictures.
 *
 * @param input - [b, height, width, channels] in the values that the base takes; the caller keeps it.
 * @param seeds - One for each picture; it fixes all draws for it.
 * @returns The same shape; the caller owns it.
 */
export function augmentPictures(
  { steps, range }: PictureAugmentation,
  input: Tensor,
  seeds: readonly number[],
): Tensor {
  const augment = (picture: Tensor4D, seed: number) =>
    tidy(() => steps.reduce((changed, step) => applyStep(step, changed, seed, range), picture));
  return tidy(() =>
    concat(split<Tensor4D>(input, seeds.length).map((picture, place) => augment(picture, seeds[place] ?? 0))),
  );
}

/** Returns the same tensor where the step does not change the picture. */
function applyStep(step: Step, picture: Tensor4D, seed: number, range: PixelRange): Tensor4D {
  switch (step.kind) {
    case 'geometry': {
      const [, height, width] = picture.shape;
      const map = jointMap(step.changes, seed, { height, width });
      return map === undefined ? picture : mapPicture(picture, map, step.fill ?? 'nearest', range);
    }
    case 'colours': {
      const change = jointChange(step.changes, seed);
      return change === undefined ? picture : recolour(picture, change, range);
    }
    case 'pixels': {
      const random = drawFor(step.change, seed);
      return random === undefined ? picture : step.change.apply(picture, random, range);
    }
  }
}

/** Undefined when no pixel moves. */
function jointMap(
  changes: Extract<Step, { kind: 'geometry' }>['changes'],
  seed: number,
  size: Size,
): Matrix | undefined {
  const maps = changes.flatMap((change) => {
    const random = drawFor(change, seed);
    return random === undefined ? [] : [change.map(random, size)];
  });
  const joint = maps.reduce(multiply, identity);
  return joint.every((value, i) => value === identity[i]) ? undefined : joint;
}

/** Undefined when no colour changes. */
function jointChange(changes: Extract<Step, { kind: 'colours' }>['changes'], seed: number): ColourChange | undefined {
  const drawn = changes.flatMap((change) => {
    const random = drawFor(change, seed);
    return random === undefined ? [] : [change.change(random)];
  });
  const [first, ...others] = drawn;
  return first && others.reduce(followedBy, first);
}
