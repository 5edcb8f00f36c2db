// The examples that a classifier keeps, by number.
import { TransferKitError } from '../core/errors.ts';
import type { LabelledVector } from './keptExample.ts';

/** An example with its number. */
export interface KeptExample extends LabelledVector {
  readonly id: number;
}

/** Examples in the order of their numbers, which is the order in which they were asked to be kept. */
export class ExampleMemory {
  private kept: KeptExample[];

  /**
   * @param examples - In rising order of their numbers.
   * @param nextId - A number from which on none was given out.
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

  /** The number that the next example gets. */
  get nextId(): number {
    return this.next;
  }

  /** Gives out numbers that rise by 1, and returns the first. None is ever given out twice. */
  claim(count: number): number {
    const first = this.next;
    this.next += count;
    return first;
  }

  /** Keeps examples, whose numbers may lie anywhere between those of others: what was asked for first may come last. */
  insert(examples: readonly KeptExample[]): void {
    const last = this.kept.at(-1)?.id ?? -1;
    this.kept = [...this.kept, ...examples];
    if ((examples[0]?.id ?? last) < last) this.kept.sort((a, b) => a.id - b.id);
  }

  /** @throws TransferKitError `UNKNOWN_EXAMPLE`. */
  remove(verb: string, id: number): void {
    const place = this.kept.findIndex((each) => each.id === id);
    if (place < 0) {
      const text =
        `${verb}: expected the id of one of ${String(this.kept.length)} kept examples, got ${String(id)}. Ids are what add ` +
        'gives; examples lists them.';
      throw new TransferKitError('UNKNOWN_EXAMPLE', text, { id, size: this.kept.length });
    }
    this.kept = this.kept.filter((_, i) => i !== place);
  }
}
