// Scaling of pixel values 0..255 to what a base was trained on: the arithmetic of keras.applications, mode by mode.
import { TransferKitError } from '../core/errors.ts';
import { nearestNames } from '../core/names.ts';
import type { ImageMode } from '../core/model.ts';

type Three = readonly [number, number, number];

/** One mode as `(pixel - mean) / divisor` for each channel; `bgr` puts blue first. The numbers are those of float32. */
export interface Scaling {
  readonly mean: Three;
  readonly divisor: Three;
  readonly bgr: boolean;
}

// keras/src/applications/imagenet_utils.py, preprocess_input. `caffe` and `torch` are statistics of ImageNet.
const scalings: Readonly<Record<Extract<ImageMode, string>, Scaling>> = {
  tf: { mean: [127.5, 127.5, 127.5], divisor: [127.5, 127.5, 127.5], bgr: false },
  caffe: { mean: [103.939, 116.779, 123.68], divisor: [1, 1, 1], bgr: true },
  torch: meanAndStd([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
  unit: { mean: [0, 0, 0], divisor: [255, 255, 255], bgr: false },
  raw: { mean: [0, 0, 0], divisor: [1, 1, 1], bgr: false },
};

/**
 * How a mode scales RGB values 0..255.
 *
 * `tf`: x / 127.5 - 1. `caffe`: blue first, minus 103.939, 116.779, 123.68. `torch`: (x / 255 - mean) / std with mean
 * 0.485, 0.456, 0.406 and std 0.229, 0.224, 0.225. `unit`: x / 255. `raw`: x. `{ mean, std }`: (x / 255 - mean) / std.
 */
export function scalingOf(mode: ImageMode): Scaling {
  const { mean, divisor, bgr } = typeof mode === 'string' ? scalings[mode] : meanAndStd(mode.mean, mode.std);
  return { mean: asFloats(mean), divisor: asFloats(divisor), bgr };
}

function asFloats([a, b, c]: Three): Three {
  return [Math.fround(a), Math.fround(b), Math.fround(c)];
}

/** The smallest and largest value that a mode gives for pixels 0..255. */
export function rangeOf(mode: ImageMode): readonly [number, number] {
  const { mean, divisor } = scalingOf(mode);
  const ends = ([0, 1, 2] as const).flatMap((i) => [(0 - mean[i]) / divisor[i], (255 - mean[i]) / divisor[i]]);
  return [Math.min(...ends), Math.max(...ends)];
}

/** The mode's name, or its numbers, for error texts. */
export function describeMode(mode: ImageMode): string {
  return typeof mode === 'string' ? `'${mode}'` : JSON.stringify(mode);
}

/**
 * Raises unless a value, such as one read from a file, is a mode.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertMode(mode: unknown): asserts mode is ImageMode {
  const names = Object.keys(scalings);
  if (typeof mode === 'string' && names.includes(mode)) return;
  if (typeof mode === 'object' && mode !== null && 'mean' in mode && 'std' in mode) {
    if (isThree(mode.mean) && isThree(mode.std) && mode.std.every((each) => each > 0)) return;
  }
  const listed = typeof mode === 'string' ? nearestNames(mode, names) : names;
  throw new TransferKitError(
    'INVALID_OPTION',
    `imagePreprocessor: expected mode to be one of ${listed.map((name) => `'${name}'`).join(', ')}, or { mean, std } with ` +
      `three finite numbers each (of pixels / 255) and std above 0, got ${typeof mode === 'object' || typeof mode === 'string' ? JSON.stringify(mode) : String(mode)}.`,
    { mode },
  );
}

function meanAndStd(mean: Three, std: Three): Scaling {
  const times255 = (values: Three): Three => [values[0] * 255, values[1] * 255, values[2] * 255];
  return { mean: times255(mean), divisor: times255(std), bgr: false };
}

function isThree(value: unknown): value is Three {
  return Array.isArray(value) && value.length === 3 && value.every((each) => Number.isFinite(each));
}
