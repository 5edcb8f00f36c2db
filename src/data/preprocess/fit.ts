// Computes which part of a picture becomes the input: the arithmetic of keras crop_to_aspect_ratio and
// pad_to_aspect_ratio. It copies no pixels: resizing needs only the region.
import type { ImageSpec } from '../../model/model.ts';

/** A range of one axis of a picture, in pixels. It may extend over the edges: values outside are black. */
export interface Span {
  readonly start: number;
  readonly length: number;
}

/** The part of a picture that is resized to the input of a base. */
export interface PictureRegion {
  readonly rows: Span;
  readonly columns: Span;
}

/**
 * Returns the region of a picture for one way of fitting it.
 *
 * `stretch` takes everything; `cover` the largest centred part with the aspect ratio of `size`; `contain` everything
 * with black bars, equally wide on both sides. Rounding is that of Keras (keras/src/backend/tensorflow/image.py,
 * resize).
 *
 * @param picture - Height and width, in pixels.
 * @param size - Height and width that the base takes, in pixels.
 */
export function pictureRegion(
  picture: readonly [number, number],
  size: readonly [number, number],
  fit: ImageSpec['fit'],
): PictureRegion {
  const [height, width] = picture;
  const [targetHeight, targetWidth] = size;
  const matchingHeight = Math.trunc(Math.fround((width * targetHeight) / targetWidth));
  const matchingWidth = Math.trunc(Math.fround((height * targetWidth) / targetHeight));
  switch (fit) {
    case 'stretch':
      return { rows: { start: 0, length: height }, columns: { start: 0, length: width } };
    case 'cover':
      return { rows: cropped(height, matchingHeight), columns: cropped(width, matchingWidth) };
    case 'contain':
      return { rows: padded(height, matchingHeight), columns: padded(width, matchingWidth) };
  }
}

function cropped(size: number, matching: number): Span {
  const length = Math.max(Math.min(size, matching), 1);
  return { start: Math.trunc((size - length) / 2), length };
}

/** Keras pads both sides by the same whole number of pixels, so an odd remainder is dropped. */
function padded(size: number, matching: number): Span {
  const bar = Math.trunc((Math.max(size, matching) - size) / 2);
  return { start: -bar, length: size + 2 * bar };
}
