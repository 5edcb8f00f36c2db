// The source of the weights of layers. It reads one tensor at a time, so that at most one of them is in memory twice.
import type { Tensor } from '@tensorflow/tfjs-core';
import { internalError } from './errors.ts';

/** Weights by name (`layer/weight`), read on demand. */
export interface WeightSource {
  readonly names: readonly string[];
  /** Returns the shape of a weight without reading it; undefined when there is none of that name. */
  shapeOf(name: string): readonly number[] | undefined;
  /** Reads a weight that `names` lists. The caller owns the tensor. */
  read(name: string): Tensor;
}

/** A source without weights. */
export const noWeights: WeightSource = {
  names: [],
  shapeOf: () => undefined,
  read: (name) => {
    throw internalError(`no weight ${name}`);
  },
};

/** What a source needs for one weight. */
export interface WeightEntry {
  readonly shape: readonly number[];
  read(): Tensor;
}

/** Makes a source of the given entries. */
export function sourceOf(entries: ReadonlyMap<string, WeightEntry>): WeightSource {
  return {
    names: [...entries.keys()],
    shapeOf: (name) => entries.get(name)?.shape,
    read: (name) => entries.get(name)?.read() ?? noWeights.read(name),
  };
}
