// Settings of a layer with a sliding window: strides and dilation rates, as numbers or lists.
import type { Json, JsonObject } from '../../core/json.ts';

/** Whether a setting differs from 1 on any axis. */
export function isBeyondOne(setting: Json | undefined): boolean {
  return [setting ?? 1].flat().some((each) => each !== 1);
}

/** Whether a window has both strides and dilation above 1. tfjs has no operation for that. */
export function isStridedAndDilated(config: JsonObject): boolean {
  return isBeyondOne(config.strides) && isBeyondOne(config.dilation_rate);
}
