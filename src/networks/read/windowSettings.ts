// Settings of a layer whose window moves over pixels: strides and dilation rates, numbers or lists of them.
import type { Json, JsonObject } from '../../core/json.ts';

/** Whether a setting is another than 1 on any axis. */
export function isBeyondOne(setting: Json | undefined): boolean {
  return [setting ?? 1].flat().some((each) => each !== 1);
}

/** Whether a window moves by more than a pixel and skips pixels too. tfjs has no operation for that. */
export function isStridedAndDilated(config: JsonObject): boolean {
  return isBeyondOne(config.strides) && isBeyondOne(config.dilation_rate);
}
