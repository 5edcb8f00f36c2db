// Stores for whole models: those of a browser, handlers that programs register with tfjs, folders.
import { io } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import { TransferKitError } from '../../core/errors.ts';
import { shortAddress } from '../../core/platform.ts';

/**
 * Returns the handler that loads from a store of a browser; undefined for any other location.
 *
 * @throws TransferKitError `UNSUPPORTED_SOURCE` where the store does not exist.
 */
export function storeToLoad(location: string): io.IOHandler | undefined {
  if (!/^(indexeddb|localstorage|downloads):\/\//i.test(location)) return undefined;
  const { handler, reason } = firstOf(() => io.getLoadHandlers(location));
  if (handler !== undefined) return handler;
  const address = shortAddress(location);
  const text = `expected a place that models can be read from, got '${address}': ${reason}. ${advice()}`;
  throw new TransferKitError('UNSUPPORTED_SOURCE', text, { address, reason });
}

/**
 * Returns the handler that saves to a target: the path of a folder or a `file:` address in Node, a store of a browser,
 * or any address that tfjs has a handler for.
 *
 * @throws TransferKitError `INVALID_OPTION` where the target does not exist.
 */
export function placeToSave(target: string): io.IOHandler {
  const isPath = /^file:/i.test(target) || !/^[a-z][a-z0-9+.-]+:\/\//i.test(target);
  const folder = isPath && target !== '' ? platform.openFolder?.(target) : undefined;
  const { handler, reason } = folder === undefined ? firstOf(() => io.getSaveHandlers(target)) : { handler: folder };
  if (handler !== undefined) return handler;
  const address = shortAddress(target);
  const text = `expected a place that models can be saved in, got '${address}': ${reason}. ${advice()}`;
  throw new TransferKitError('INVALID_OPTION', text, { address, reason });
}

/** Looking for a handler also creates it, and some raise where their store does not exist. */
function firstOf(find: () => readonly io.IOHandler[]): { handler?: io.IOHandler | undefined; reason: string } {
  try {
    const reason = platform.name === 'node' ? 'it is a store of browsers, or nothing' : 'there is no such store here';
    return { handler: find()[0], reason };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { reason: reason.replace(/\.$/, '') };
  }
}

function advice(): string {
  return platform.name === 'node'
    ? "Give the path of a folder such as './my-model', fileSystem(folder) of transferkit/node, or an IOHandler."
    : 'Give an address such as indexeddb://my-model, or an IOHandler.';
}
