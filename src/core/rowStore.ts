// Rows of equally many bytes that need not lie in memory: what a feature cache is made of. Kept in memory by features/, in a
// file by node/, in IndexedDB by browser/.

/**
 * Takes a row that was asked for.
 *
 * @param place - Its place in the question.
 * @param row - Its bytes, at an address that is a multiple of 4. Valid during the call only.
 */
export type TakeRow = (place: number, row: Uint8Array) => void;

/** Rows that are appended in order and read in any. Nothing may be asked of it after `dispose`. */
export interface RowStore {
  /** Adds whole rows behind those that are there. One call at a time. */
  append(rows: Uint8Array): Promise<void>;
  /** Reads rows by number, each as often as it is asked for. */
  read(rows: readonly number[], take: TakeRow): Promise<void>;
  /** Frees everything. */
  dispose(): Promise<void>;
}

/** What a store outside memory has to hold. */
export interface ScratchPlan {
  /** A multiple of 4. */
  readonly rowBytes: number;
  /** Rows that will come, at most. */
  readonly rows: number;
  /** Folder to keep them in; Node only. */
  readonly directory: string | undefined;
}

/** Rows that lie one behind the other. */
export interface Run {
  readonly first: number;
  readonly last: number;
  /** Which of the rows are wanted, and their places in the question. */
  readonly wanted: readonly { readonly place: number; readonly row: number }[];
}

/** The fewest runs that hold all rows of a question, in ascending order. */
export function runsOf(rows: readonly number[]): Run[] {
  const sorted = rows.map((row, place) => ({ place, row })).sort((a, b) => a.row - b.row);
  const runs: { first: number; last: number; wanted: { place: number; row: number }[] }[] = [];
  for (const wanted of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && wanted.row <= run.last + 1) {
      run.last = wanted.row;
      run.wanted.push(wanted);
    } else {
      runs.push({ first: wanted.row, last: wanted.row, wanted: [wanted] });
    }
  }
  return runs;
}
