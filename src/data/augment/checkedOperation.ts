// Checks an operation that may have been written by hand or read from a file.
import { brightness, contrast, grayscale, hue, saturation } from './colourOperations.ts';
import { flip, perspective, randomResizedCrop, rotate, shear, shift, zoom } from './geometricOperations.ts';
import type { ImageOperation } from './imageOperation.ts';
import { blur, cutout, noise } from './pixelOperations.ts';

/**
 * The operation with every setting checked, and defaults for those that are missing; undefined for one of another name.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function checkedOperation(operation: ImageOperation): ImageOperation | undefined {
  switch (operation.name) {
    case 'flip':
      return flip(operation);
    case 'shift':
      return shift(operation);
    case 'rotate':
      return rotate(operation);
    case 'zoom':
      return zoom(operation);
    case 'shear':
      return shear(operation);
    case 'perspective':
      return perspective(operation);
    case 'randomResizedCrop':
      return randomResizedCrop(operation);
    case 'brightness':
      return brightness(operation);
    case 'contrast':
      return contrast(operation);
    case 'saturation':
      return saturation(operation);
    case 'hue':
      return hue(operation);
    case 'grayscale':
      return grayscale(operation);
    case 'blur':
      return blur(operation);
    case 'noise':
      return noise(operation);
    case 'cutout':
      return cutout(operation);
    default:
      return undefined;
  }
}
