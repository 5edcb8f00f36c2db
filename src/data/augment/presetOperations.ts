// Lists of operations that suit most pictures, by name.
import { brightness } from './brightness.ts';
import { contrast } from './contrast.ts';
import { cutout } from './cutout.ts';
import { flip } from './flip.ts';
import { grayscale } from './grayscale.ts';
import type { ImageOperation } from './operations.ts';
import { perspective } from './perspective.ts';
import { randomResizedCrop } from './randomResizedCrop.ts';
import { rotate } from './rotate.ts';
import { saturation } from './saturation.ts';
import { shift } from './shift.ts';
import { zoom } from './zoom.ts';

/**
 * All presets.
 *
 * `standard`: fastai/vision/augment.py, `aug_transforms` (do_flip, max_warp 0.2, max_rotate 10, max_zoom 1.1,
 * max_lighting 0.2, p_affine and p_lighting 0.75), with brightness and contrast as in torchvision. `strong`:
 * timm/data/transforms_factory.py (hflip 0.5, color_jitter 0.4, random erasing as in its recipes), with crops of half
 * the picture or more, and a tenth of the pictures in gray.
 */
export const augmentPresets = {
  none: () => [],
  light: () => [flip(), shift({ horizontal: 0.05, vertical: 0.05 }), zoom()],
  standard: () => [
    flip(),
    perspective({ probability: 0.75 }),
    rotate({ probability: 0.75 }),
    zoom({ probability: 0.75 }),
    brightness({ probability: 0.75 }),
    contrast({ probability: 0.75 }),
  ],
  strong: () => [
    randomResizedCrop(),
    flip(),
    brightness({ amount: 0.4 }),
    contrast({ amount: 0.4 }),
    saturation({ amount: 0.4 }),
    grayscale(),
    cutout({ probability: 0.25 }),
  ],
} as const satisfies Readonly<Record<string, () => readonly ImageOperation[]>>;

/**
 * How much pictures are changed: `none` leaves them unchanged, `standard` uses fastai's defaults, `strong` uses timm's.
 */
export type AugmentPreset = keyof typeof augmentPresets;
