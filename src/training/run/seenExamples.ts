// Which examples a head has been trained on in this process, so that figures of the same ones can be told from honest ones.
import { rootOf, setRoot } from '../../core/sampleRoots.ts';
import type { Sample, Samples, Trunk } from '../../core/types.ts';

/** What an example can be known again by. */
type Key = string | number;

const trained = new WeakMap<Trunk, Set<Key>>();

/** Examples as they are read. */
export interface SeenExamples {
  readonly samples: Samples;
  /** Whether some of them count more or less than others. */
  isWeighted(): boolean;
  /** How many of them are among those that a head has been trained on. */
  sharedWith(head: Trunk): number;
  /** Remembers them as what a head has been trained on. */
  remember(head: Trunk): void;
}

/** The same samples, which remember what is read of them. */
export function watchExamples(samples: Samples): SeenExamples {
  // By index: a source that makes its inputs anew for every epoch takes no more room than another.
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
 * A path or an address says which example it is, whatever the id: two folders may both have a `cat/1.jpg`. Others are the same by
 * the object that they are, or by their id. What a source calls `example 3` has no name of its own: it is the same in parts of the
 * same samples only.
 */
function keysOf({ input, id }: Sample, samples: Samples): readonly Key[] {
  if (typeof input === 'string') return [`at ${input}`];
  const name = /^example \d+$/.test(id) ? `${id} of ${String(numberOf(rootOf(samples)))}` : `named ${id}`;
  return typeof input === 'object' && input !== null ? [numberOf(input), name] : [name];
}

const numbers = new WeakMap<object, number>();
let last = 0;

/** A number that stands for an object, and does not keep it. */
function numberOf(object: object): number {
  const number = numbers.get(object) ?? ++last;
  numbers.set(object, number);
  return number;
}
