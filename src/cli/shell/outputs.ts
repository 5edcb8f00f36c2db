// Files and folders that a command writes.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { invalidOption } from '../../core/optionChecks.ts';

/**
 * Raises if the output exists and may not be replaced.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertNew(path: string, force: boolean): void {
  if (force || !existsSync(path)) return;
  throw invalidOption(`no file or folder ${path} yet`, resolve(path), 'one that exists. Add --force to replace it');
}
