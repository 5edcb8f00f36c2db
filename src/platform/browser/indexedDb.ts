// IndexedDB with promises.

/** A database: its name, and its object stores, which are created with the database. */
export interface DatabasePlan {
  readonly name: string;
  readonly stores: readonly string[];
  /** Of every store. Default: keys are outside the values. */
  readonly keyPath?: string;
}

/**
 * Opens a database; creates it when it is missing.
 *
 * @throws Error where the browser has no IndexedDB, or refuses.
 */
export async function openDatabase({ name, stores, ...keys }: DatabasePlan): Promise<IDBDatabase> {
  if (typeof indexedDB === 'undefined') throw new Error('this browser has no IndexedDB');
  const opening = indexedDB.open(name);
  opening.onupgradeneeded = () => {
    for (const store of stores) opening.result.createObjectStore(store, keys);
  };
  return answered(opening);
}

/**
 * Runs a transaction on all stores of a database, all or nothing, on its own connection: an open connection would
 * prevent others from removing the database. It resolves when the whole transaction is stored.
 */
export async function transact<Value>(
  plan: DatabasePlan,
  mode: IDBTransactionMode,
  work: (transaction: IDBTransaction) => Promise<Value>,
): Promise<Value> {
  const database = await openDatabase(plan);
  try {
    const transaction = database.transaction(plan.stores, mode, { durability: 'strict' });
    const worked = work(transaction).catch((error: unknown) => {
      transaction.abort();
      throw error;
    });
    const [value] = await Promise.all([worked, completed(transaction)]);
    return value;
  } finally {
    database.close();
  }
}

/** Returns the result of a request. */
export function answered<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error('the request failed'));
    };
  });
}

/** Resolves when the whole transaction is stored; rejects when none of it is. */
export function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => {
      resolve();
    };
    transaction.onabort = () => {
      reject(transaction.error ?? new Error('the transaction was aborted'));
    };
  });
}

/** What an error says: those of IndexedDB may have a name only. */
export function reasonOf(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  return reason.replace(/\.$/, '');
}
