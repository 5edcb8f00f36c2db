// Lists of operations that fit most pictures, by name.
import { brightness, contrast, grayscale, saturation } from './colourOperations.ts';
import { flip, perspective, randomResizedCrop, rotate, shift, zoom } from './geometricOperations.ts';
import type { ImageOperation } from './imageOperation.ts';
import { cutout } from './pixelOperations.ts';

/** How much pictures are changed: not at all, a little, as fastai does unless told otherwise, or as timm does. */
export type AugmentPreset = 'none' | 'light' | 'standard' | 'strong';

/** Names of the presets. */
export const presetNames: readonly AugmentPreset[] = ['none', 'light', 'standard', 'strong'];

/**
 * What a preset stands for.
 *
 * `standard`: fastai/vision/augment.py, `aug_transforms` (do_flip, max_warp 0.2, max_rotate 10, max_zoom 1.1, max_lighting 0.2,
 * p_affine and p_lighting 0.75), with brightness and contrast as in torchvision. `strong`: timm/data/transforms_factory.py
 * (hflip 0.5, color_jitter 0.4, random erasing as in its recipes), with parts from half the picture on and the colours
 * taken away from a tenth.
 */
export function presetOperations(name: AugmentPreset): readonly ImageOperation[] {
  switch (name) {
    case 'none':
      return [];
    case 'light':
      return [flip(), shift({ horizontal: 0.05, vertical: 0.05 }), zoom()];
    case 'standard': {
      const probability = 0.75;
      return [
        flip(),
        perspective({ probability }),
        rotate({ probability }),
        zoom({ probability }),
        brightness({ probability }),
        contrast({ probability }),
      ];
    }
    case 'strong':
      return [
        randomResizedCrop(),
        flip(),
        brightness({ amount: 0.4 }),
        contrast({ amount: 0.4 }),
        saturation({ amount: 0.4 }),
        grayscale(),
        cutout({ probability: 0.25 }),
      ];
  }
}
