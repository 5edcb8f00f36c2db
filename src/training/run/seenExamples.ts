// Remembers which examples a head was trained on in this process, to warn about figures measured on the same ones.
import { rootOf, setRoot } from '../../core/sampleRoots.ts';
import type { Sample, Samples, Trunk } from '../../core/types.ts';

/** Identifies an example. */
type Key = string | number;

const trained = new WeakMap<Trunk, Set<Key>>();

/** Records the examples that are read. */
export interface SeenExamples {
  readonly samples: Samples;
  /** Whether the examples have different weights. */
  isWeighted(): boolean;
  /** Number of examples that a head was trained on. */
  sharedWith(head: Trunk): number;
  /** Remembers that a head was trained on these examples. */
  remember(head: Trunk): void;
}

/** Wraps samples so that the examples that are read are recorded. */
export function watchExamples(samples: Samples): SeenExamples {
  // By index, so that a source that makes new inputs in every epoch takes no more memory.
  const seen = new Map<number, readonly Key[]>();
  let weighted = false;
  const watched: Samples = {
    size: samples.size,
    labels: samples.labels,
    classCounts: samples.classCounts,
    ...(samples.heads && { heads: samples.heads }),
    onUnreadable: samples.onUnreadable,
    target: (index) => samples.target(index),
    read: async (index) => {
      const sample = await samples.read(index);
      seen.set(index, keysOf(sample, samples));
      weighted ||= (sample.weight ?? 1) !== 1;
      return sample;
    },
    split: (options) => samples.split(options),
  };
  setRoot(watched, samples);
  return {
    samples: watched,
    isWeighted: () => weighted,
    sharedWith: (head) => {
      const known = trained.get(head);
      return known === undefined ? 0 : [...seen.values()].filter((keys) => keys.some((key) => known.has(key))).length;
    },
    remember: (head) => {
      const known = trained.get(head) ?? new Set();
      trained.set(head, known);
      for (const key of [...seen.values()].flat()) known.add(key);
    },
  };
}

/**
 * A path or address identifies an example, regardless of its id: two folders may both have a `cat/1.jpg`. Other inputs
 * are identified by their object or their id. A generated id such as `example 3` identifies an example only within
 * parts of the same samples.
 */
function keysOf({ input, id }: Sample, samples: Samples): readonly Key[] {
  if (typeof input === 'string') return [`at ${input}`];
  const name = /^example \d+$/.test(id) ? `${id} of ${String(numberOf(rootOf(samples)))}` : `named ${id}`;
  return typeof input === 'object' && input !== null ? [numberOf(input), name] : [name];
}

const numbers = new WeakMap<object, number>();
let last = 0;

/** A number for an object that does not keep the object in memory. */
function numberOf(object: object): number {
  const number = numbers.get(object) ?? ++last;
  numbers.set(object, number);
  return number;
}
