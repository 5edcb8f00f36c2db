// What lasts as long as one call between page and worker.

/** A call, on one of the two sides. */
export interface Scope {
  /** Numbers of the lasting values that it uses. */
  readonly used: Set<number>;
  /** Runs when the call has ended, whatever its result. */
  atEnd(work: () => void): void;
  /** Adds work that must be finished before the call answers. */
  mustFinish(work: () => Promise<unknown>): void;
  /** Waits for that work. Rejects with its first error. */
  finish(): Promise<void>;
  end(): void;
}

/** Begins a call. */
export function openScope(): Scope {
  const ends: (() => void)[] = [];
  const unfinished: (() => Promise<unknown>)[] = [];
  return {
    used: new Set(),
    atEnd: (work) => void ends.push(work),
    mustFinish: (work) => void unfinished.push(work),
    async finish() {
      for (const work of unfinished) await work();
    },
    end() {
      for (const work of ends.splice(0)) work();
    },
  };
}
