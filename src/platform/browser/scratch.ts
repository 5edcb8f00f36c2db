// Rows in IndexedDB, one record each, in a database for the time of a training run. Its owner holds a lock of the same
// name (Web Locks). The browser releases the lock when the page or worker ends for any reason: a database without a
// held lock is an orphan. Where there are no locks (pages that are neither https nor localhost), databases count as
// orphans after a week.
import { TransferKitError } from '../../core/errors.ts';
import { runsOf, type RowStore, type ScratchPlan, type TakeRow } from '../../core/rowStore.ts';
import { answered, completed, openDatabase, reasonOf } from './indexedDb.ts';
import { hasLocks, heldLocks, takeLock } from './locks.ts';

const prefix = 'transferkit-features-';
const store = 'rows';
const oldAge = 7 * 24 * 3600 * 1000;

/**
 * Opens a database for rows.
 *
 * @throws TransferKitError `SAVE_FAILED` when the browser refuses or has not enough space.
 */
export function openScratch({ rowBytes, rows }: ScratchPlan): Promise<RowStore> {
  return explained(async () => {
    await assertRoom(rows * rowBytes);
    const { name, release } = await takeName();
    try {
      return new ScratchDatabase(await openDatabase({ name, stores: [store] }), rowBytes, release);
    } catch (error) {
      await release();
      throw error;
    }
  });
}

/** Removes databases whose page or worker has ended. */
export async function clearScratch(): Promise<void> {
  // List databases first: a later one is not in the list, and each one in the list had its lock before it was made.
  const names = (await indexedDB.databases()).flatMap(({ name }) => (name?.startsWith(prefix) === true ? [name] : []));
  if (names.length === 0) return;
  const held = await heldLocks();
  for (const name of names) {
    const isInUse = held === undefined ? Date.now() - timeOf(name) < oldAge : held.has(name);
    if (!isInUse) await removeDatabase(name);
  }
}

class ScratchDatabase implements RowStore {
  private size = 0;

  constructor(
    private readonly database: IDBDatabase,
    private readonly rowBytes: number,
    private readonly release: () => Promise<void>,
  ) {}

  append(rows: Uint8Array): Promise<void> {
    return explained(async () => {
      const { rowBytes } = this;
      // These rows are not needed after a power cut.
      const writing = this.database.transaction(store, 'readwrite', { durability: 'relaxed' });
      const records = writing.objectStore(store);
      for (let start = 0; start < rows.length; start += rowBytes) {
        // A copy: storing a view of an array would store the whole array.
        records.put(rows.slice(start, start + rowBytes), this.size + start / rowBytes);
      }
      await completed(writing);
      this.size += rows.length / rowBytes;
    });
  }

  read(rows: readonly number[], take: TakeRow): Promise<void> {
    return explained(async () => {
      const records = this.database.transaction(store, 'readonly').objectStore(store);
      const reading = runsOf(rows).map(async ({ first, last, wanted }) => {
        const found: unknown[] = await answered(records.getAll(IDBKeyRange.bound(first, last)));
        for (const { place, row } of wanted) {
          const record = found[row - first];
          if (!(record instanceof Uint8Array)) throw new Error('rows were removed by somebody');
          take(place, record);
        }
      });
      await Promise.all(reading);
    });
  }

  async dispose(): Promise<void> {
    this.database.close();
    await removeDatabase(this.database.name);
    await this.release();
  }
}

/** Takes an unused name with its lock; the lock is held before the database exists. */
async function takeName(): Promise<{ name: string; release: () => Promise<void> }> {
  for (let number = 0; ; number++) {
    const name = `${prefix}${Date.now()}-${number}`;
    const release = hasLocks() ? await takeLock(name) : async () => undefined;
    if (release !== undefined) return { name, release };
  }
}

function timeOf(name: string): number {
  return Number(name.slice(prefix.length).split('-')[0]);
}

/** A database that cannot be removed now is removed at the next start. */
function removeDatabase(name: string): Promise<void> {
  return new Promise((resolve) => {
    const removal = indexedDB.deleteDatabase(name);
    removal.onsuccess =
      removal.onerror =
      removal.onblocked =
        () => {
          resolve();
        };
  });
}

/** Fail now rather than after hours. */
async function assertRoom(needed: number): Promise<void> {
  if (!('storage' in navigator)) return;
  const { quota, usage } = await navigator.storage.estimate();
  if (quota === undefined || usage === undefined || quota - usage >= needed) return;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  throw new Error(`features take ${megabytes(needed)}, and the browser allows ${megabytes(quota - usage)} more`);
}

async function explained<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    const reason = reasonOf(cause);
    const text =
      `expected to keep features in the browser's storage, but: ${reason}. Halve them by cache: { precision: 'float16' }, ` +
      'allow more memory by cache: { memory }, or train on fewer examples.';
    throw new TransferKitError('SAVE_FAILED', text, { reason }, cause);
  }
}
