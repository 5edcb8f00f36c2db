// The user of a page downloads a file that the page has made.
import { TransferKitError } from '../../core/errors.ts';

/** Some browsers read the file a while after the click, when the user has chosen a place for it. */
const keptMilliseconds = 60_000;

/**
 * Raises unless there is a page, which can download.
 *
 * @throws TransferKitError `INVALID_OPTION` in a worker.
 */
export function assertDownloads(advice: string): void {
  if (typeof document !== 'undefined') return;
  const text = `expected a page, got a worker or Node, which download nothing. ${advice}`;
  throw new TransferKitError('INVALID_OPTION', text);
}

/** Hands a file to the browser, as a download with this name. */
export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, keptMilliseconds);
}
