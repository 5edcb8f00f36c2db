// Scaling of pixel values 0..255 to the range that a base was trained on: the arithmetic of keras.applications, for
// each mode.
import { TransferKitError } from '../../core/errors.ts';
import { nearestNames } from '../../core/names.ts';
import { assertOptions } from '../../core/optionNames.ts';
import type { ImageMode } from '../../model/model.ts';
import type { Channels } from '../../core/pictureLimits.ts';
import { shown } from '../../core/shown.ts';

/**
 * One mode as `(pixel - mean) / divisor` for each channel; `bgr` means blue first. The numbers are rounded to float32.
 */
export interface Scaling {
  /** One value for each channel. */
  readonly mean: readonly number[];
  readonly divisor: readonly number[];
  readonly bgr: boolean;
}

interface PlainScaling {
  readonly mean: number | readonly number[];
  readonly divisor: number | readonly number[];
  readonly bgr: boolean;
}

// keras/src/applications/imagenet_utils.py, preprocess_input. `caffe` and `torch` are statistics of ImageNet.
const scalings: Readonly<Record<Extract<ImageMode, string>, PlainScaling>> = {
  tf: { mean: 127.5, divisor: 127.5, bgr: false },
  caffe: { mean: [103.939, 116.779, 123.68], divisor: 1, bgr: true },
  torch: meanAndStd([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
  unit: { mean: 0, divisor: 255, bgr: false },
  raw: { mean: 0, divisor: 1, bgr: false },
};

/** Modes with statistics of three colours, which Keras refuses for any other number of channels. */
const ofColours: readonly unknown[] = ['caffe', 'torch'];

/**
 * Returns the scaling of values 0..255 for a mode.
 *
 * `tf`: x / 127.5 - 1. `caffe`: blue first, minus 103.939, 116.779, 123.68. `torch`: (x / 255 - mean) / std with mean
 * 0.485, 0.456, 0.406 and std 0.229, 0.224, 0.225. `unit`: x / 255. `raw`: x. `{ mean, std }`: (x / 255 - mean) / std.
 */
export function scalingOf(mode: ImageMode, channels: Channels = 3): Scaling {
  const { mean, divisor, bgr } = typeof mode === 'string' ? scalings[mode] : meanAndStd(mode.mean, mode.std);
  return { mean: forEach(mean, channels), divisor: forEach(divisor, channels), bgr };
}

function forEach(values: number | readonly number[], channels: Channels): number[] {
  const all = typeof values === 'number' ? new Array<number>(channels).fill(values) : values;
  return all.map((value) => Math.fround(value));
}

/** The smallest and largest value that a mode gives for pixels 0..255. */
export function rangeOf(mode: ImageMode, channels: Channels = 3): readonly [number, number] {
  const { mean, divisor } = scalingOf(mode, channels);
  const ends = mean.flatMap((value, i) => [0, 255].map((pixel) => (pixel - value) / (divisor[i] ?? 1)));
  return [Math.min(...ends), Math.max(...ends)];
}

/** The mode's name, or its numbers, for error texts. */
export function describeMode(mode: ImageMode): string {
  return typeof mode === 'string' ? `'${mode}'` : shown(mode);
}

/**
 * Raises when the numbers of a mode have a name besides mean and std.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertModeNames(mode: Exclude<ImageMode, string>): void {
  assertOptions(mode, { mean: true, std: true }, { of: 'mode', example: '{ mean: 0.5, std: 0.5 }' });
}

/**
 * Raises unless a value, such as one read from a file, is a mode for this number of channels.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertMode(mode: unknown, channels: Channels): asserts mode is ImageMode {
  const names = Object.keys(scalings).filter((name) => channels === 3 || !ofColours.includes(name));
  if (typeof mode === 'string' && names.includes(mode)) return;
  if (typeof mode === 'object' && mode !== null && 'mean' in mode && 'std' in mode) {
    const std = numbersOf(mode.std, channels);
    if (numbersOf(mode.mean, channels) !== undefined && std?.every((each) => each > 0) === true) return;
  }
  const listed = typeof mode === 'string' ? nearestNames(mode, names) : names;
  const expected = `one of ${listed.map((name) => `'${name}'`).join(', ')}`;
  const numbers = channels === 1 ? 'one finite number each' : `${String(channels)} finite numbers each, or one`;
  const pictures = channels === 3 ? '' : ` for a base that takes ${channels === 1 ? 'one channel' : '4 channels'}`;
  const advice = ofColours.includes(mode) ? ` '${String(mode)}' holds statistics of three colours.` : '';
  throw new TransferKitError(
    'INVALID_OPTION',
    `expected mode to be ${expected}, or { mean, std } with ${numbers} (of pixels / 255) and std above ` +
      `0${pictures}, got ${typeof mode === 'object' || typeof mode === 'string' ? shown(mode) : String(mode)}.${advice}`,
    { mode, channels },
  );
}

function meanAndStd(mean: number | readonly number[], std: number | readonly number[]): PlainScaling {
  const times255 = (values: number | readonly number[]) =>
    typeof values === 'number' ? values * 255 : values.map((value) => value * 255);
  return { mean: times255(mean), divisor: times255(std), bgr: false };
}

/** Converts one finite number, or one for each channel, to a list. */
function numbersOf(value: unknown, channels: Channels): number[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (Array.isArray(value) && value.length !== channels) return undefined;
  const numbers = list.filter((each) => typeof each === 'number' && Number.isFinite(each));
  return numbers.length === list.length ? numbers.map(Number) : undefined;
}
