// An example that a classifier keeps.
import type { Vector } from './separation.ts';

/** Features of an example. */
export interface FeatureVector extends Vector {
  readonly values: Float32Array;
}

/** Features of an example, and what it is called. */
export interface LabelledVector extends FeatureVector {
  readonly label: string;
}

/** Labels that occur, in alphabetical order. */
export function labelsOf(examples: readonly { readonly label: string }[]): string[] {
  return [...new Set(examples.map(({ label }) => label))].sort();
}
