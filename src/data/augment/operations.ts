// The operations by name. Names and types derive from this table.
import { hasKey } from '../../core/names.ts';
import { autocontrast, autocontrastPixels } from './autocontrast.ts';
import { blur, blurPixels } from './blur.ts';
import { brightness, brightnessChange } from './brightness.ts';
import { contrast, contrastChange } from './contrast.ts';
import { cutout, cutoutPixels } from './cutout.ts';
import { equalize, equalizePixels } from './equalize.ts';
import { flip, flipMap } from './flip.ts';
import { grayscale, grayscaleChange } from './grayscale.ts';
import { hue, hueChange } from './hue.ts';
import { noise, noisePixels } from './noise.ts';
import { colourful, geometric, pixelwise, type SettledOperation } from './operation.ts';
import { perspective, perspectiveMap } from './perspective.ts';
import { posterize, posterizePixels } from './posterize.ts';
import { randomResizedCrop, randomResizedCropMap } from './randomResizedCrop.ts';
import { rotate, rotateMap } from './rotate.ts';
import { saturation, saturationChange } from './saturation.ts';
import { sharpness, sharpnessPixels } from './sharpness.ts';
import { shear, shearMap } from './shear.ts';
import { shift, shiftMap } from './shift.ts';
import { solarize, solarizePixels } from './solarize.ts';
import { trivial, trivialPixels } from './trivial.ts';
import { zoom, zoomMap } from './zoom.ts';

/** All operations. */
export const operations = {
  flip: geometric(flip, flipMap),
  shift: geometric(shift, shiftMap),
  rotate: geometric(rotate, rotateMap),
  zoom: geometric(zoom, zoomMap),
  shear: geometric(shear, shearMap),
  perspective: geometric(perspective, perspectiveMap),
  randomResizedCrop: geometric(randomResizedCrop, randomResizedCropMap),
  brightness: colourful(brightness, brightnessChange),
  contrast: colourful(contrast, contrastChange),
  saturation: colourful(saturation, saturationChange),
  hue: colourful(hue, hueChange),
  grayscale: colourful(grayscale, grayscaleChange),
  blur: pixelwise(blur, blurPixels),
  noise: pixelwise(noise, noisePixels),
  cutout: pixelwise(cutout, cutoutPixels),
  posterize: pixelwise(posterize, posterizePixels),
  solarize: pixelwise(solarize, solarizePixels),
  sharpness: pixelwise(sharpness, sharpnessPixels),
  autocontrast: pixelwise(autocontrast, autocontrastPixels),
  equalize: pixelwise(equalize, equalizePixels),
  trivial: pixelwise(trivial, trivialPixels),
} as const;

/** Name of an operation, and of the function that makes it. */
export type OperationName = keyof typeof operations;

/**
 * A change of pictures as plain data, made by `flip()`, `rotate()` … of `transferkit/augment` and applied in training.
 */
export type ImageOperation<Name extends OperationName = OperationName> = {
  readonly [N in Name]: ReturnType<(typeof operations)[N]['make']>;
}[Name];

/**
 * Returns the operation with every setting checked and defaults filled in; undefined for an unknown name.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleOperation({ name, ...options }: { readonly name: unknown }): SettledOperation | undefined {
  return hasKey(operations, name) ? operations[name].settle(options) : undefined;
}
