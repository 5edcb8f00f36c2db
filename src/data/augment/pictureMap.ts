// Where a geometric operation looks for each pixel: a projective map of places, from what comes out to what went in.
// Places are pixels from the middle of the picture, x to the right and y down.
import { drawPart, evenly, toEitherSide, type Random, type Size } from './drawing.ts';
import type { GeometricOperation, ImageOperation } from './imageOperation.ts';
import { matrixOf, multiply, type Matrix } from './matrix.ts';

/** Draws the map of an operation for one picture. */
export function drawMap(operation: GeometricOperation, random: Random, size: Size): Matrix {
  switch (operation.name) {
    case 'flip':
      return operation.direction === 'horizontal' ? stretching(-1, 1) : stretching(1, -1);
    case 'shift': {
      const x = toEitherSide(random, operation.horizontal) * size.width;
      return moving(x, toEitherSide(random, operation.vertical) * size.height);
    }
    case 'rotate':
      return turning(toRadians(toEitherSide(random, operation.degrees)));
    case 'zoom':
      return drawZoom(operation, random, size);
    case 'shear': {
      const x = Math.tan(toRadians(toEitherSide(random, operation.horizontal)));
      return leaning(x, Math.tan(toRadians(toEitherSide(random, operation.vertical))));
    }
    case 'perspective': {
      const sideways = tilting(toEitherSide(random, operation.amount), 0, size);
      return multiply(sideways, tilting(0, toEitherSide(random, operation.amount), size));
    }
    case 'randomResizedCrop':
      return drawCrop(operation, random, size);
  }
}

/** Turns the picture by an angle, clockwise for positive ones. */
export function turning(radians: number): Matrix {
  const [cosine, sine] = [Math.cos(radians), Math.sin(radians)];
  return [cosine, sine, 0, -sine, cosine, 0, 0, 0, 1];
}

/**
 * Tilts the picture: its left edge grows by the share `x` and its right edge shrinks by it, its upper edge grows by `y` and
 * its lower edge shrinks by it. One of both is 0.
 *
 * With places in halves of the sides, fastai's `Warp` brings the corners (-1, ±1) to (-1, ±(1 + x)) and (1, ±1) to (1, ±(1 -
 * x)): the map back from there is ((u - x) / (1 - x u), v / (1 - x u)).
 */
export function tilting(x: number, y: number, { height, width }: Size): Matrix {
  const [halfWidth, halfHeight] = [width / 2, height / 2];
  return [1, 0, -x * halfWidth, 0, 1, -y * halfHeight, -x / halfWidth, -y / halfHeight, 1];
}

/** The map between indexes of columns and rows that is the same as one between places from the middle, scaled to end in 1. */
export function betweenIndexes(map: Matrix, { height, width }: Size): Matrix {
  const [x, y] = [(width - 1) / 2, (height - 1) / 2];
  // What moves a picture by -x looks x further.
  const indexed = multiply(moving(-x, -y), multiply(map, moving(x, y)));
  return matrixOf((row, column) => (indexed[row * 3 + column] ?? 0) / indexed[8]);
}

function drawZoom({ range }: ImageOperation<'zoom'>, random: Random, { height, width }: Size): Matrix {
  const share = 1 / evenly(random, range);
  const x = toEitherSide(random, 0.5) * width;
  const y = toEitherSide(random, 0.5) * height;
  return [share, 0, x * (1 - share), 0, share, y * (1 - share), 0, 0, 1];
}

function drawCrop(operation: ImageOperation<'randomResizedCrop'>, random: Random, size: Size): Matrix {
  const part = drawPart(random, size, operation);
  const x = toEitherSide(random, (size.width - part.width) / 2);
  const y = toEitherSide(random, (size.height - part.height) / 2);
  return [part.width / size.width, 0, x, 0, part.height / size.height, y, 0, 0, 1];
}

function stretching(x: number, y: number): Matrix {
  return [x, 0, 0, 0, y, 0, 0, 0, 1];
}

/** Moves the picture to the right and down. */
function moving(x: number, y: number): Matrix {
  return [1, 0, -x, 0, 1, -y, 0, 0, 1];
}

function leaning(x: number, y: number): Matrix {
  return multiply([1, x, 0, 0, 1, 0, 0, 0, 1], [1, 0, 0, y, 1, 0, 0, 0, 1]);
}

function toRadians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
