// Stores rows in memory up to a budget, and the others in the platform's scratch storage.
import { platform } from '#platform';
import { internalError } from '../core/errors.ts';
import type { RowStore, ScratchPlan } from '../core/rowStore.ts';

/** Memory budget that several stores share. */
export interface MemoryBudget {
  /** Number of bytes that are still free. */
  left: number;
}

/** Memory is allocated in blocks of about this size. */
const blockBytes = 2 ** 20;

/** Stores rows in blocks of memory until the budget is used up. Later rows go to the platform's scratch storage. */
export function spillingRows(plan: ScratchPlan, budget: MemoryBudget): RowStore {
  const memory = new MemoryRows(plan, budget);
  let scratch: RowStore | undefined;
  return {
    async append(rows) {
      const rest = scratch === undefined ? memory.take(rows) : rows;
      if (rest.length === 0) return;
      scratch ??= await platform.openScratch({ ...plan, rows: plan.rows - memory.size });
      await scratch.append(rest);
    },
    async read(rows, take) {
      const spilled: number[] = [];
      const places: number[] = [];
      rows.forEach((row, place) => {
        if (row < memory.size) {
          take(place, memory.row(row));
        } else {
          spilled.push(row - memory.size);
          places.push(place);
        }
      });
      if (spilled.length === 0) return;
      await scratch?.read(spilled, (index, row) => {
        take(places[index] ?? 0, row);
      });
    },
    async dispose() {
      memory.free();
      await scratch?.dispose();
    },
  };
}

/** Blocks with an equal number of rows. The last block is no larger than the number of rows that can still be added. */
class MemoryRows {
  size = 0;
  private blocks: Uint8Array[] = [];
  private readonly rowsInBlock: number;

  constructor(
    private readonly plan: Pick<ScratchPlan, 'rowBytes' | 'rows'>,
    private readonly budget: MemoryBudget,
  ) {
    this.rowsInBlock = Math.max(1, Math.floor(blockBytes / plan.rowBytes));
  }

  /** Stores as many rows as the budget allows, and returns the others. */
  take(rows: Uint8Array): Uint8Array {
    const { rowBytes } = this.plan;
    let rest = rows;
    while (rest.length > 0) {
      const block = this.openBlock();
      if (block === undefined) break;
      const start = (this.size % this.rowsInBlock) * rowBytes;
      const fitting = rest.subarray(0, block.length - start);
      block.set(fitting, start);
      this.size += fitting.length / rowBytes;
      rest = rest.subarray(fitting.length);
    }
    return rest;
  }

  row(index: number): Uint8Array {
    const { rowBytes } = this.plan;
    const block = this.blocks[Math.floor(index / this.rowsInBlock)];
    const start = (index % this.rowsInBlock) * rowBytes;
    if (block === undefined) throw internalError(`no row ${String(index)}`);
    return block.subarray(start, start + rowBytes);
  }

  free(): void {
    for (const block of this.blocks) this.budget.left += block.length;
    this.blocks = [];
    this.size = 0;
  }

  /** The block with room for the next row. Undefined if the budget is used up. */
  private openBlock(): Uint8Array | undefined {
    const { rowBytes, rows } = this.plan;
    const last = this.blocks.at(-1);
    if (last !== undefined && this.size < this.blocks.length * this.rowsInBlock) return last;
    const length = Math.min(this.rowsInBlock, rows - this.size) * rowBytes;
    if (length > this.budget.left) return undefined;
    this.budget.left -= length;
    const block = new Uint8Array(length);
    this.blocks.push(block);
    return block;
  }
}
