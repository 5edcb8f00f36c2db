// Blurs pictures with a Gaussian kernel, rows first.
import { nameErrors } from '../../core/edge.ts';
import { depthwiseConv2d, mirrorPad, tensor4d, type Tensor4D } from '@tensorflow/tfjs-core';
import { evenly, type Random } from './drawing.ts';
import type { Operation } from './operation.ts';
import { probabilityOf, rangeWithin } from './operationChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link blur}. */
export interface BlurOptions {
  /** Least and largest standard deviation in pixels, 0.1 … 10. Default [0.1, 2]. */
  readonly sigma?: readonly [number, number];
  /** Share of the examples that are changed, 0 … 1. Default 0.5. */
  readonly probability?: number;
}

/**
 * Blurs pictures with a Gaussian kernel whose standard deviation is drawn uniformly. Beyond its edges the picture is
 * mirrored.
 *
 * Source: torchvision's `GaussianBlur`; the kernel reaches three standard deviations.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { blur } from 'transferkit/augment';
 * console.log(blur({ probability: 0.2 }).sigma); // [ 0.1, 2 ]
 * ```
 */
export function blur(options: BlurOptions = {}): Operation<'blur', BlurOptions> {
  return nameErrors('blur', () => {
    assertOptions(options, { sigma: true, probability: true });
    const { sigma = [0.1, 2], probability = 0.5 } = options;
    return {
      name: 'blur',
      sigma: rangeWithin('sigma', sigma, [0.1, 10]),
      probability: probabilityOf(probability),
    };
  });
}

/** Draws a standard deviation and blurs a picture [1, height, width, channels] with it. */
export function blurPixels({ sigma }: Operation<'blur', BlurOptions>, picture: Tensor4D, random: Random): Tensor4D {
  return blurPicture(picture, evenly(random, sigma));
}

/**
 * Blurs a picture [1, height, width, channels].
 *
 * @param sigma - Standard deviation in pixels.
 * @returns A new tensor; the caller tidies intermediate tensors.
 */
function blurPicture(picture: Tensor4D, sigma: number): Tensor4D {
  const [, height, width, channels] = picture.shape;
  const taps = [height, width].map((side) => bellCurve(sigma, side - 1));
  const [margins = 0, sides = 0] = taps.map(({ length }) => (length - 1) / 2);
  const around: [number, number][] = [
    [0, 0],
    [margins, margins],
    [sides, sides],
    [0, 0],
  ];
  const [rows = [], columns = []] = taps.map((curve) => curve.flatMap((tap) => new Array<number>(channels).fill(tap)));
  const padded = mirrorPad(picture, around, 'reflect');
  const blurred = depthwiseConv2d(padded, tensor4d(columns, [1, columns.length / channels, channels, 1]), 1, 'valid');
  return depthwiseConv2d(blurred, tensor4d(rows, [rows.length / channels, 1, channels, 1]), 1, 'valid');
}

/** Weights of a Gaussian kernel, up to three standard deviations or `most` pixels from the centre; their sum is 1. */
function bellCurve(sigma: number, most: number): number[] {
  const radius = Math.min(Math.ceil(3 * sigma), most);
  const taps = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}
