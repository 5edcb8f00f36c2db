// TrivialAugment: one operation for each picture, with a strength drawn uniformly.
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { nameErrors } from '../../core/edge.ts';
import { keysOf } from '../../core/names.ts';
import { assertOptions } from '../../core/optionNames.ts';
import { autocontrastPixels } from './autocontrast.ts';
import { brighten, contrastBy, saturate, type ColourChange } from './colourChange.ts';
import type { Random, Size } from './drawing.ts';
import { equalizePixels } from './equalize.ts';
import { mapPicture } from './mapPicture.ts';
import type { Matrix } from './matrix.ts';
import type { Operation, PictureFill } from './operation.ts';
import { fillOf, probabilityOf } from './operationChecks.ts';
import { moving, toRadians, turning } from './pictureMap.ts';
import type { PixelRange } from './pixelRange.ts';
import { posterizePixels } from './posterize.ts';
import { recolour } from './recolour.ts';
import { sharpen } from './sharpness.ts';
import { solarizePixels } from './solarize.ts';

/** Options of {@link trivial}. */
export interface TrivialOptions {
  /** Values outside the picture. Default 0, black. */
  readonly fill?: PictureFill;
  /** Share of the examples that are changed, 0 … 1. Default 1. */
  readonly probability?: number;
}

/**
 * Changes each picture by one operation, drawn uniformly from 14, with a strength drawn uniformly from 31: none, shear and
 * shift along each side, rotation up to 135°, brightness, saturation, contrast and sharpness by factors 0.01 … 1.99,
 * posterisation to 8 … 2 bits, solarisation from white down to black, `autocontrast` and `equalize`. Shifts reach 1/7 of the
 * side, which is 32 pixels of 224; shears reach a tangent of 0.99, around the upper left corner.
 *
 * Source: Müller and Hutter, "TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation", 2021, its wide space;
 * torchvision's `TrivialAugmentWide`. There it follows `randomResizedCrop()` and `flip()`.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { flip, trivial } from 'transferkit/augment';
 * await trainHead(model, samples, { epochs: 1, augment: [flip(), trivial()] });
 * ```
 */
export function trivial(options: TrivialOptions = {}): Operation<'trivial', TrivialOptions> {
  return nameErrors('trivial', () => {
    assertOptions(options, { fill: true, probability: true });
    const { fill = 0, probability = 1 } = options;
    return { name: 'trivial', fill: fillOf(fill), probability: probabilityOf(probability) };
  });
}

/** The strengths that are drawn: 0, 1/30 … 1. */
const strengths = 31;

/** A picture and what its change needs. */
interface Setting {
  readonly picture: Tensor4D;
  readonly random: Random;
  readonly range: PixelRange;
  readonly fill: PictureFill;
}

interface Change {
  /** Whether the strength may be negative too. */
  readonly isSigned: boolean;
  /** Changes a picture with a strength -1 … 1. */
  readonly apply: (setting: Setting, strength: number) => Tensor4D;
}

/** The operations, named as in torchvision. */
export const trivialChanges = {
  Identity: unsigned(({ picture }) => picture),
  // Around the upper left corner, half a height above the centre.
  ShearX: mapped((tangent, { height }) => [1, tangent, (tangent * height) / 2, 0, 1, 0, 0, 0, 1], 0.99),
  ShearY: mapped((tangent, { width }) => [1, 0, 0, tangent, 1, (tangent * width) / 2, 0, 0, 1], 0.99),
  TranslateX: mapped((share, { width }) => moving(share * width, 0), 32 / 224),
  TranslateY: mapped((share, { height }) => moving(0, share * height), 32 / 224),
  // torchvision's positive angles turn against the clock.
  Rotate: mapped((degrees) => turning(-toRadians(degrees)), 135),
  Brightness: coloured(brighten),
  Color: coloured(saturate),
  Contrast: coloured(contrastBy),
  Sharpness: signed(({ picture, range }, strength) => sharpen(picture, 1 + 0.99 * strength, range)),
  Posterize: unsigned(({ picture, random, range }, strength) =>
    posterizePixels({ bits: bitsOf(strength) }, picture, random, range),
  ),
  Solarize: unsigned(({ picture, random, range }, strength) =>
    solarizePixels({ threshold: 1 - strength }, picture, random, range),
  ),
  AutoContrast: unsigned(({ picture, random, range }) => autocontrastPixels(undefined, picture, random, range)),
  Equalize: unsigned(({ picture, random, range }) => equalizePixels(undefined, picture, random, range)),
} as const satisfies Readonly<Record<string, Change>>;

/** Draws an operation and its strength, and changes a picture [1, height, width, 1 or 3]. */
export function trivialPixels(
  { fill }: Operation<'trivial', TrivialOptions>,
  picture: Tensor4D,
  random: Random,
  range: PixelRange,
): Tensor4D {
  const { name, strength } = drawChange(random);
  return trivialChanges[name].apply({ picture, random, range, fill }, strength);
}

/** Draws an operation and its strength, -1 … 1. */
export function drawChange(random: Random): { readonly name: keyof typeof trivialChanges; readonly strength: number } {
  const names = keysOf(trivialChanges);
  const name = names[Math.floor(random() * names.length)] ?? 'Identity';
  const strength = Math.floor(random() * strengths) / (strengths - 1);
  return { name, strength: trivialChanges[name].isSigned && random() < 0.5 ? -strength : strength };
}

/** Bits that posterisation keeps: halves are rounded to even numbers, as PyTorch does. */
function bitsOf(strength: number): number {
  const less = 6 * strength;
  const isHalf = Math.abs(less - Math.floor(less) - 0.5) < 1e-6;
  return 8 - (isHalf ? 2 * Math.round(less / 2) : Math.round(less));
}

function unsigned(apply: Change['apply']): Change {
  return { isSigned: false, apply };
}

function signed(apply: Change['apply']): Change {
  return { isSigned: true, apply };
}

/** @param most - The largest amount. */
function mapped(mapOf: (amount: number, size: Size) => Matrix, most: number): Change {
  return signed(({ picture, fill, range }, strength) => {
    const [, height, width] = picture.shape;
    return mapPicture(picture, mapOf(strength * most, { height, width }), fill, range);
  });
}

function coloured(changeBy: (factor: number) => ColourChange): Change {
  return signed(({ picture, range }, strength) => recolour(picture, changeBy(1 + 0.99 * strength), range));
}
