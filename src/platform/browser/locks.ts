// Locks that all pages and workers of a site share (Web Locks). The browser releases those of a page or worker that ends
// for any reason. Pages that are neither https nor localhost have none.

/** Whether this page or worker has locks. */
export function hasLocks(): boolean {
  return 'locks' in navigator;
}

/**
 * Takes a lock if nobody holds it. Only where {@link hasLocks}.
 *
 * @param patience - How long to wait for whoever holds it, in milliseconds.
 * @returns A function that releases it, and resolves when others can take it; undefined when it is held already.
 */
export function takeLock(name: string, patience = 0): Promise<(() => Promise<void>) | undefined> {
  return new Promise((resolve, reject) => {
    const held = (lock: Lock | null): Promise<void> | undefined => {
      if (lock !== null) {
        return new Promise((free) => {
          resolve(async () => {
            free();
            await over;
          });
        });
      }
      resolve(undefined);
      return undefined;
    };
    const waiting = patience === 0 ? undefined : AbortSignal.timeout(patience);
    const options: LockOptions = waiting === undefined ? { ifAvailable: true } : { signal: waiting };
    const over: Promise<unknown> = navigator.locks.request(name, options, held);
    over.catch((error: unknown) => {
      if (waiting !== undefined && error === waiting.reason) resolve(undefined);
      else reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

/** Names of the locks held by pages and workers of this site; undefined where there are no locks. */
export async function heldLocks(): Promise<ReadonlySet<string | undefined> | undefined> {
  if (!hasLocks()) return undefined;
  const { held = [] } = await navigator.locks.query();
  return new Set(held.map(({ name }) => name));
}
