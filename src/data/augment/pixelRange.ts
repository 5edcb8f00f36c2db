// The values of black and white in a base's input, for each channel, according to the base's preprocessing.
import type { ImageMode, PreprocessorSpec } from '../../model/model.ts';
import type { Channels } from '../../core/pictureLimits.ts';
import { scalingOf } from '../preprocess/scale.ts';
import type { Vector } from './matrix.ts';

/**
 * Values of black and of white for each channel (three equal ones for one channel), and whether the channels start with
 * blue.
 */
export interface PixelRange {
  readonly black: Vector;
  readonly white: Vector;
  readonly bgr: boolean;
}

/** Returns the range of the pixels after preprocessing; undefined where the preprocessing does not define it. */
export function pixelRangeOf(spec: PreprocessorSpec): PixelRange | undefined {
  if (spec.kind === 'image') return spec.channels === 4 ? undefined : rangeOfMode(spec.mode, spec.channels);
  if (spec.kind !== 'tensor' || spec.range === undefined) return undefined;
  const [black, white] = spec.range;
  return { black: [black, black, black], white: [white, white, white], bgr: false };
}

/** White minus black, for each channel. */
export function spanOf({ black, white }: PixelRange): Vector {
  return [white[0] - black[0], white[1] - black[1], white[2] - black[2]];
}

function rangeOfMode(mode: ImageMode, channels: Channels = 3): PixelRange {
  const { mean, divisor, bgr } = scalingOf(mode, channels);
  const place = (channel: number) => (channels === 1 ? 0 : channel);
  const valueAt = (pixel: number, channel: number) =>
    (pixel - (mean[place(channel)] ?? 0)) / (divisor[place(channel)] ?? 1);
  const valueOf = (pixel: number): Vector => [valueAt(pixel, 0), valueAt(pixel, 1), valueAt(pixel, 2)];
  return { black: valueOf(0), white: valueOf(255), bgr };
}
