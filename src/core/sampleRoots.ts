// Records which samples are parts of others. Examples identified only by number are the same if they belong to the same
// whole.
import type { Samples } from './types.ts';

const roots = new WeakMap<Samples, Samples>();

/** Records that samples are a part, or another view, of others. */
export function setRoot(part: Samples, whole: Samples): void {
  roots.set(part, rootOf(whole));
}

/** Returns the whole that samples are a part of; the samples themselves if they are not a part. */
export function rootOf(samples: Samples): Samples {
  return roots.get(samples) ?? samples;
}
