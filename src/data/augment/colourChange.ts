// Colour operations as linear maps of each colour and of the picture's mean colour, so that several of them can be
// combined into one. Colours are red, green and blue, 0 … 1.
import { add, identity, isZero, multiply, scale, type Matrix, type Vector } from './matrix.ts';

/** A new colour: `ofColour` times the colour plus `ofMean` times the picture's mean colour. */
export interface ColourChange {
  readonly ofColour: Matrix;
  readonly ofMean: Matrix;
}

const zero: Matrix = [0, 0, 0, 0, 0, 0, 0, 0, 0];

/** Weights of red, green and blue in the luma of a colour (ITU-R BT.601). */
const luma: Vector = [0.299, 0.587, 0.114];

/** Maps every colour to its gray. */
const toGray: Matrix = [...luma, ...luma, ...luma];

/** Multiplies all values by a factor. */
export function brighten(factor: number): ColourChange {
  return { ofColour: scale(identity, factor), ofMean: zero };
}

/** Multiplies distances from the picture's mean gray by a factor. */
export function contrastBy(factor: number): ColourChange {
  return { ofColour: scale(identity, factor), ofMean: scale(toGray, 1 - factor) };
}

/** Multiplies distances from the gray of the pixel by a factor. */
export function saturate(factor: number): ColourChange {
  return { ofColour: add(scale(identity, factor), scale(toGray, 1 - factor)), ofMean: zero };
}

/**
 * Rotates chroma by a share of the full circle, in the plane of U = 0.492 (blue - gray) and V = 0.877 (red - gray): YUV
 * of ITU-R BT.470. The gray of each colour stays the same.
 */
export function turnHue(share: number): ColourChange {
  const angle = 2 * Math.PI * share;
  const chroma = add(identity, scale(toGray, -1));
  const turned = add(scale(chroma, Math.cos(angle)), scale(quarterTurn(), Math.sin(angle)));
  return { ofColour: add(toGray, turned), ofMean: zero };
}

/**
 * Rotation by a quarter of the circle: V becomes -U, U becomes V, and green changes so that the gray stays the same.
 */
function quarterTurn(): Matrix {
  const ratio = 0.492111 / 0.877283;
  const [red, green, blue] = luma;
  const newRed: Vector = [-red * ratio, -green * ratio, (1 - blue) * ratio];
  const newBlue: Vector = [(red - 1) / ratio, green / ratio, blue / ratio];
  const greenFrom = (i: 0 | 1 | 2) => -(red * newRed[i] + blue * newBlue[i]) / green;
  return [...newRed, greenFrom(0), greenFrom(1), greenFrom(2), ...newBlue];
}

/** Combines two changes into one. */
export function followedBy(first: ColourChange, second: ColourChange): ColourChange {
  const ofColour = multiply(second.ofColour, first.ofColour);
  // The mean colour after the first change.
  const ofMean = multiply(second.ofMean, add(first.ofColour, first.ofMean));
  return { ofColour, ofMean: add(multiply(second.ofColour, first.ofMean), ofMean) };
}

/** Whether the change depends on the mean colour. */
export function needsMean({ ofMean }: ColourChange): boolean {
  return !isZero(ofMean);
}
