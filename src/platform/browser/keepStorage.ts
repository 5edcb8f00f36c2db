// The function keepStorage: asks the browser to keep what the site has stored.
import { nameErrors } from '../../core/edge.ts';

type Asking = Pick<StorageManager, 'persisted' | 'estimate'> & Partial<Pick<StorageManager, 'persist'>>;

/** What the browser says of a site's storage. */
export interface StorageReport {
  /**
   * Whether the browser keeps what the site stores until the user removes it. Otherwise it may remove all of it when the
   * device is short of space, and some browsers when the site was not used for a week.
   */
  readonly persisted: boolean;
  /** Bytes that the site uses, about; undefined where the browser does not say. */
  readonly usage: number | undefined;
  /** Bytes that the site may use, about; undefined where the browser does not say. */
  readonly quota: number | undefined;
}

/**
 * Asks the browser to keep what this site has stored: models and checkpoints in IndexedDB, downloaded files. No verb asks
 * by itself. Chromium and Safari decide alone, by how much the site is used, and may decide differently later; Firefox
 * asks the user, so call it when the user has just chosen to save something.
 *
 * It is a wish: the user can still clear the site's data, and private windows forget everything at their end. Keep what
 * matters in a file as well (`zipDownload`).
 *
 * @returns What the browser decided, and how much space there is. Where a page has no such storage (pages that are neither
 * https nor localhost), `persisted` is false and the numbers are undefined.
 *
 * @example
 * ```ts
 * // in a page:
 * import { keepStorage } from 'transferkit/browser';
 * const { persisted, usage, quota } = await keepStorage();
 * if (!persisted) console.log('The browser may remove saved models: download them too.', usage, quota);
 * ```
 */
export async function keepStorage(): Promise<StorageReport> {
  return nameErrors('keepStorage', async () => {
    const unknown = { persisted: false, usage: undefined, quota: undefined };
    if (typeof navigator === 'undefined' || !('storage' in navigator)) return unknown;
    // Workers can only look.
    const storage: Asking = navigator.storage;
    const asked = async () => (await storage.persist?.()) ?? storage.persisted();
    // Some browsers refuse with an error in private windows and in frames of other sites.
    const persisted = await asked().catch(() => false);
    const { usage, quota } = await storage.estimate().catch(() => unknown);
    return { persisted, usage, quota };
  });
}
