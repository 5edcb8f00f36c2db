// The examples that a classifier keeps, by id.
import { TransferKitError } from '../core/errors.ts';
import type { LabelledVector } from './keptExample.ts';

/** An example with its id. */
export interface KeptExample extends LabelledVector {
  readonly id: number;
}

/** Examples in the order of their ids, which is the order of the calls that added them. */
export class ExampleMemory {
  private kept: KeptExample[];

  /**
   * @param examples - Sorted by id.
   * @param nextId - Larger than every id that was given out.
   */
  constructor(
    examples: readonly KeptExample[],
    private next: number,
  ) {
    this.kept = [...examples];
  }

  get examples(): readonly KeptExample[] {
    return this.kept;
  }

  /** The id of the next example. */
  get nextId(): number {
    return this.next;
  }

  /** Gives out ids that rise by 1, and returns the first. No id is given out twice. */
  claim(count: number): number {
    const first = this.next;
    this.next += count;
    return first;
  }

  /** Keeps examples. Their ids may lie between those of others, because an earlier call may finish later. */
  insert(examples: readonly KeptExample[]): void {
    const last = this.kept.at(-1)?.id ?? -1;
    this.kept = [...this.kept, ...examples];
    if ((examples[0]?.id ?? last) < last) this.kept.sort((a, b) => a.id - b.id);
  }

  /** @throws TransferKitError `UNKNOWN_EXAMPLE`. */
  remove(id: number): void {
    const place = this.kept.findIndex((each) => each.id === id);
    if (place < 0) {
      const text =
        `expected the id of one of ${String(this.kept.length)} kept examples, got ${String(id)}. Ids are returned by add ` +
        'and listed in examples.';
      throw new TransferKitError('UNKNOWN_EXAMPLE', text, { id, size: this.kept.length });
    }
    this.kept = this.kept.filter((_, i) => i !== place);
  }
}
