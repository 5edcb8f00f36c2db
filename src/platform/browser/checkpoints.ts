// Checkpoints in IndexedDB: one database for each place. It holds the pieces of each checkpoint, written in one
// transaction. The run that writes to it holds a lock of the same name.
import type { CheckpointStore } from '../../core/checkpointStore.ts';
import { TransferKitError } from '../../core/errors.ts';
import { joinBytes } from '../../core/joinBytes.ts';
import { answered, reasonOf, transact } from './indexedDb.ts';
import { hasLocks, takeLock } from './locks.ts';

const store = 'pieces';
const scheme = 'indexeddb://';
/** Browsers refuse single values of several hundred megabytes. */
const pieceBytes = 2 ** 24;
/** Milliseconds. Chromium ends a worker in the middle of a computation, and releases its locks, after 2 seconds. */
const patience = 3000;

/**
 * Opens the database of `indexeddb://name`; creates it when it is missing.
 *
 * @throws TransferKitError `INVALID_OPTION` for another location, `SAVE_FAILED` where the browser has no storage.
 */
export async function openCheckpoints(location: string): Promise<CheckpointStore> {
  const database = databaseOf(location);
  const list = () => withPieces(database, 'readonly', namesOf);
  await explained(location, list);
  return {
    list,
    read: (file) => withPieces(database, 'readonly', (pieces) => read(pieces, file)),
    write: (file, bytes) =>
      explained(location, () => withPieces(database, 'readwrite', (pieces) => write(pieces, file, bytes))),
    remove: (file) => explained(location, () => withPieces(database, 'readwrite', (pieces) => remove(pieces, file))),
  };
}

/**
 * Takes the right to write to `indexeddb://name`, which ends with this page or worker at the latest. It waits a moment
 * for one that is about to end. Where the browser
 * has no locks (pages that are neither https nor localhost), anybody gets it.
 *
 * @returns A function that gives it back.
 * @throws TransferKitError `BUSY` when another run has it; the errors of {@link openCheckpoints}.
 */
export async function holdCheckpoints(location: string): Promise<() => Promise<void>> {
  const name = databaseOf(location);
  if (!hasLocks()) return async () => undefined;
  const release = await explained(location, () => takeLock(name, patience));
  if (release !== undefined) return release;
  const text =
    `expected checkpoints that no other training writes to, got '${location}', which a tab, worker or verb of this site ` +
    'is writing to. Wait for that to end, close it, or give checkpoint.to another name.';
  throw new TransferKitError('BUSY', text, { location });
}

/** The database of a location, and its lock. */
function databaseOf(location: string): string {
  const name = location.startsWith(scheme) ? location.slice(scheme.length) : '';
  if (name !== '') return `transferkit-checkpoints-${name}`;
  const text =
    `expected checkpoint.to to be 'indexeddb://name', got '${location}'. For checkpoints elsewhere, ` +
    'give an object with list, read, write and remove.';
  throw new TransferKitError('INVALID_OPTION', text, { location });
}

function withPieces<Value>(
  name: string,
  mode: IDBTransactionMode,
  work: (pieces: IDBObjectStore) => Promise<Value>,
): Promise<Value> {
  return transact({ name, stores: [store] }, mode, (transaction) => work(transaction.objectStore(store)));
}

async function namesOf(pieces: IDBObjectStore): Promise<string[]> {
  const keys = await answered(pieces.getAllKeys());
  const names = keys.flatMap((key) => (Array.isArray(key) && typeof key[0] === 'string' ? [key[0]] : []));
  return [...new Set(names)];
}

async function read(pieces: IDBObjectStore, file: string): Promise<Uint8Array> {
  const found: unknown[] = await answered(pieces.getAll(allOf(file)));
  const parts = found.filter((piece) => piece instanceof Uint8Array);
  if (parts.length === 0) throw new Error(`there is no ${file}`);
  return joinBytes(parts);
}

async function write(pieces: IDBObjectStore, file: string, bytes: Uint8Array): Promise<void> {
  await remove(pieces, file);
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    // A copy: storing a view of an array would store the whole array.
    await answered(pieces.put(bytes.slice(start, start + pieceBytes), [file, start / pieceBytes]));
  }
}

async function remove(pieces: IDBObjectStore, file: string): Promise<void> {
  await answered(pieces.delete(allOf(file)));
}

/** The keys of a file's pieces. */
function allOf(file: string): IDBKeyRange {
  return IDBKeyRange.bound([file, 0], [file, Infinity]);
}

async function explained<Value>(location: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    const reason = reasonOf(cause);
    const text = `expected to keep checkpoints in ${location}, but: ${reason}. What was there before is unchanged.`;
    throw new TransferKitError('SAVE_FAILED', text, { location, reason }, cause);
  }
}
