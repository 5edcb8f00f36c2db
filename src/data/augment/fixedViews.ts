// The views of pictures for predictions when the user names none: parts of the picture and their mirror images.
import type { Base } from '../../model/model.ts';
import type { PictureAugmentation } from './augmentPictures.ts';
import type { Size } from './drawing.ts';
import { flip } from './flip.ts';
import type { Matrix } from './matrix.ts';
import type { Step } from './operationSteps.ts';
import { settlePictures } from './settlePictures.ts';

/** A part of the picture: its share of the sides, and where it lies between left (-1) and right, top (-1) and bottom. */
interface Part {
  readonly share: number;
  readonly x: number;
  readonly y: number;
}

/** Krizhevsky et al. crop 224 of 256 pixels. */
const share = 224 / 256;

/** The whole picture; then the crops of Krizhevsky et al., that of the centre first. */
const parts: readonly Part[] = [
  { share: 1, x: 0, y: 0 },
  { share, x: 0, y: 0 },
  { share, x: -1, y: -1 },
  { share, x: 1, y: -1 },
  { share, x: -1, y: 1 },
  { share, x: 1, y: 1 },
];

/** Number of fixed views: each part and its mirror image. */
export const mostFixedViews = 2 * parts.length;

/**
 * The changes that make the views from 2 to `count`.
 *
 * @throws TransferKitError `INVALID_OPTION` for a base that does not take pictures.
 */
export function fixedViews(base: Pick<Base, 'trunk' | 'preprocessor'>, count: number): PictureAugmentation[] {
  const checked = settlePictures([flip()], base);
  const all = parts.flatMap((part) => [viewStep(part, 1), viewStep(part, -1)]);
  return checked === undefined ? [] : all.slice(1, count).map((step) => ({ steps: [step], range: checked.range }));
}

/** @param side - 1, or -1 for the mirror image. */
function viewStep(part: Part, side: 1 | -1): Step {
  const operation = { name: 'view', probability: 1 };
  const map = (_: unknown, size: Size) => viewMap(part, side, size);
  return {
    kind: 'geometry',
    changes: [{ kind: 'geometry', operation, fill: undefined, map, place: 0 }],
    fill: undefined,
  };
}

/** The map from each pixel of the view to its source. */
function viewMap({ share, x, y }: Part, side: 1 | -1, { height, width }: Size): Matrix {
  const margin = (1 - share) / 2;
  return [side * share, 0, x * margin * width, 0, share, y * margin * height, 0, 0, 1];
}
