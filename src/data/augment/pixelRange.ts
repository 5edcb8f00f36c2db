// Which values pixels have in what a base takes: black and white of each channel, by the base's own preprocessing.
import type { ImageMode, PreprocessorSpec } from '../../model/model.ts';
import type { Channels } from '../../core/pictureLimits.ts';
import { scalingOf } from '../preprocess/scale.ts';
import type { Vector } from './matrix.ts';

/** Values of black and of white, channel by channel (of one channel three times), and whether blue is the first of them. */
export interface PixelRange {
  readonly black: Vector;
  readonly white: Vector;
  readonly bgr: boolean;
}

/** Values of the pixels that preprocessing gives; undefined where it does not say. */
export function pixelRangeOf(spec: PreprocessorSpec): PixelRange | undefined {
  if (spec.kind === 'image') return spec.channels === 4 ? undefined : rangeOfMode(spec.mode, spec.channels);
  if (spec.kind !== 'tensor' || spec.range === undefined) return undefined;
  const [black, white] = spec.range;
  return { black: [black, black, black], white: [white, white, white], bgr: false };
}

/** White above black, for each channel. */
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
