// Which samples others are a part of: examples that are numbered only are the same where they are of the same whole.
import type { Samples } from './types.ts';

const roots = new WeakMap<Samples, Samples>();

/** Remembers that samples are a part of others, or those others as somebody else sees them. */
export function setRoot(part: Samples, whole: Samples): void {
  roots.set(part, rootOf(whole));
}

/** The whole that samples are a part of; themselves where they are none. */
export function rootOf(samples: Samples): Samples {
  return roots.get(samples) ?? samples;
}
