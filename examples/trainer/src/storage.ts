// What the browser keeps between visits: labels, pictures as compressed files, settings. Without a database (private
// windows of some browsers) everything lives as long as the page.
import { texts } from './texts.ts';

const databaseName = 'transferkit-trainer';
const stores = ['labels', 'pictures', 'settings'] as const;

/** A kind of what is kept. */
type StoreName = (typeof stores)[number];

let opening: Promise<IDBDatabase> | undefined;
/** The listener. The page goes on without storage. */
let hear: (text: string) => void = () => undefined;
const heard = new Set<string>();

/** Sets the listener for storage failures. It gets each text once. */
export function onStorageFailure(listener: (text: string) => void): void {
  hear = (text) => {
    if (heard.has(text)) return;
    heard.add(text);
    listener(text);
  };
}

/** Whether this browser keeps anything. */
export async function canStore(): Promise<boolean> {
  return database().then(
    () => true,
    () => false,
  );
}

/** Everything of a kind, by key. */
export async function readAll(store: StoreName): Promise<unknown[]> {
  return (await attempt(store, 'readonly', (each) => each.getAll() as IDBRequest<unknown[]>)) ?? [];
}

/** One value; `undefined` if there is none. */
export async function read(store: StoreName, key: string): Promise<unknown> {
  return attempt(store, 'readonly', (each) => each.get(key) as IDBRequest<unknown>);
}

/** Keeps a value; labels and pictures have their key in `id`, settings have a name. */
export async function write(store: StoreName, value: unknown, key?: string): Promise<void> {
  await attempt(store, 'readwrite', (each) => each.put(value, key));
}

/** Removes a value. */
export async function remove(store: StoreName, key: number | string): Promise<void> {
  await attempt(store, 'readwrite', (each) => each.delete(key));
}

/** Removes everything. */
export async function removeAll(): Promise<void> {
  for (const store of stores) await attempt(store, 'readwrite', (each) => each.clear());
}

async function attempt<Value>(
  store: StoreName,
  mode: IDBTransactionMode,
  ask: (store: IDBObjectStore) => IDBRequest<Value>,
): Promise<Value | undefined> {
  try {
    const transaction = (await database()).transaction(store, mode);
    const request = ask(transaction.objectStore(store));
    // What was written is there when the transaction is complete: a full disk is known only then.
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => {
        resolve();
      };
      transaction.onabort = () => {
        reject(transaction.error ?? new Error('aborted'));
      };
    });
    return request.result;
  } catch (error) {
    hear(textOf(error));
    return undefined;
  }
}

function textOf(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'QuotaExceededError') return texts.storage.full;
  // The browser closes the database when the user clears the site's data.
  return name === 'InvalidStateError' ? texts.storage.cleared : texts.storage.none;
}

function database(): Promise<IDBDatabase> {
  return (opening ??= open());
}

async function open(): Promise<IDBDatabase> {
  // Missing in some private windows, whatever the types say.
  const factory = (globalThis as { indexedDB?: IDBFactory }).indexedDB;
  if (factory === undefined) throw new Error('no IndexedDB');
  const request = factory.open(databaseName, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('labels', { keyPath: 'id' });
    request.result.createObjectStore('pictures', { keyPath: 'id' });
    request.result.createObjectStore('settings');
  };
  const opened = await new Promise<IDBDatabase>((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error('refused'));
    };
  });
  opened.onclose = () => {
    opening = undefined;
    hear(texts.storage.cleared);
  };
  return opened;
}
