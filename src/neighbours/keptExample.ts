// An example that a classifier keeps.
import type { Vector } from './separation.ts';

/** Features of an example. */
export interface FeatureVector extends Vector {
  readonly values: Float32Array;
}

/** Features of an example, and its label. */
export interface LabelledVector extends FeatureVector {
  readonly label: string;
}

/** Labels of the examples, in alphabetical order. */
export function labelsOf(examples: readonly { readonly label: string }[]): string[] {
  return [...new Set(examples.map(({ label }) => label))].sort();
}
