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
import { trivial } from './trivial.ts';
import { zoom } from './zoom.ts';

/**
 * All presets.
 *
 * `standard`: fastai/vision/augment.py, `aug_transforms` (do_flip, max_warp 0.2, max_rotate 10, max_zoom 1.1,
 * max_lighting 0.2, p_affine and p_lighting 0.75), with brightness and contrast as in torchvision.
 *
 * `strong`: the plain recipe of timm 1.0, without RandAugment and mixing of pictures: timm/data/transforms_factory.py
 * (random resized crop, hflip 0.5, color_jitter 0.4, which is brightness, contrast and saturation without hue) and random
 * erasing with `re_prob` 0.25, as in its training scripts. Three points differ. Crops keep half the picture or more; timm's
 * keep 0.08, for a million pictures. A tenth of the pictures is gray, as in Touvron et al., "DeiT III", 2022; timm has none.
 * Erased parts are gray 0.5; timm's are the mean of ImageNet, about 0.45.
 * torchvision's recipe of 2021 has `trivial` in place of the colours, and erases a tenth.
 *
 * `trivial`: torchvision's `TrivialAugmentWide` alone.
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
  trivial: () => [trivial()],
} as const satisfies Readonly<Record<string, () => readonly ImageOperation[]>>;

/**
 * How much pictures are changed: `none` leaves them unchanged, `standard` uses fastai's defaults, `strong` uses timm's,
 * `trivial` is TrivialAugment.
 */
export type AugmentPreset = keyof typeof augmentPresets;
