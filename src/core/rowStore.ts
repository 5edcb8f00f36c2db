// Storage of rows with equally many bytes, which need not be in memory: feature caches use it. It is implemented in
// memory by features/, in a file by node/, in IndexedDB by browser/.

/**
 * Receives a requested row.
 *
 * @param place - Its position in the request.
 * @param row - Its bytes, aligned to 4. Valid during the call only.
 */
export type TakeRow = (place: number, row: Uint8Array) => void;

/** Rows that are appended in order and read in any order. It must not be used after `dispose`. */
export interface RowStore {
  /** Appends whole rows. One call at a time. */
  append(rows: Uint8Array): Promise<void>;
  /** Reads rows by number; a number may be repeated. */
  read(rows: readonly number[], take: TakeRow): Promise<void>;
  /** Frees everything. */
  dispose(): Promise<void>;
}

/** Size and place of a store outside memory. */
export interface ScratchPlan {
  /** A multiple of 4. */
  readonly rowBytes: number;
  /** Largest number of rows that will be appended. */
  readonly rows: number;
  /** Folder to keep them in; Node only. */
  readonly directory: string | undefined;
}

/** Rows that are stored one after another. */
export interface Run {
  readonly first: number;
  readonly last: number;
  /** The wanted rows of the run, with their positions in the request. */
  readonly wanted: readonly { readonly place: number; readonly row: number }[];
}

/** Returns the smallest number of runs that contain all requested rows, in ascending order. */
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
