// Where a model goes that is one file: a path, a download, or an object of the caller.
import { platform } from '#platform';
import { isTransferKitError, reasonOf, TransferKitError } from '../core/errors.ts';
import { invalidOption, isObject } from '../core/optionChecks.ts';
import { shortAddress } from '../core/platform.ts';

/** Takes an exported model as one file. */
export interface FileTarget {
  /** Receives the file, once. A promise that it returns is awaited; what it throws or rejects with is `SAVE_FAILED`. */
  write(file: Blob): unknown;
}

/** Takes the bytes of a file. */
export type FilePlace = (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;

/**
 * Finds the place that a target names.
 *
 * @param ending - Of the file's name, with its dot.
 * @throws TransferKitError `INVALID_OPTION` for a target that takes no file of that ending.
 */
export function filePlace(target: unknown, ending: string): FilePlace {
  if (isFileTarget(target)) return (bytes) => failing(() => target.write(new Blob([bytes])));
  if (typeof target !== 'string' && !(target instanceof URL)) throw noPlace(target, ending);
  const location = String(target);
  const name = /^downloads:\/\/(.+)$/is.exec(location)?.[1];
  const { download, saveFile } = platform;
  if (name !== undefined && download !== undefined) {
    const full = name.toLowerCase().endsWith(ending) ? name : `${name}${ending}`;
    return (bytes) => failing(() => download(full, new Blob([bytes])));
  }
  const isPath = /^file:/i.test(location) || !/^[a-z][a-z0-9+.-]+:\/\//i.test(location);
  if (!isPath || saveFile === undefined) throw noPlace(shortAddress(location), ending);
  if (!location.toLowerCase().endsWith(ending)) {
    throw invalidOption(`a file that ends in ${ending}`, shortAddress(location));
  }
  return (bytes) => saveFile(location, bytes);
}

/** Whether a target takes files, and not tfjs's models. */
export function isFileTarget(target: unknown): target is FileTarget {
  return isObject(target) && 'write' in target && typeof target.write === 'function';
}

async function failing(write: () => unknown): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (isTransferKitError(error)) throw error;
    const reason = reasonOf(error);
    throw new TransferKitError('SAVE_FAILED', `could not write the model: ${reason}`, { reason }, error);
  }
}

function noPlace(target: unknown, ending: string): TransferKitError {
  const place = platform.name === 'node' ? `the path of a file ('model${ending}')` : `'downloads://model${ending}'`;
  return invalidOption(`${place}, or an object whose write(file) takes a Blob`, target);
}
