// Places that hold a model as a whole: stores of a browser, what programs register with tfjs, folders.
import { io } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import { TransferKitError } from '../../core/errors.ts';
import { shortAddress } from '../../core/platform.ts';

/**
 * The handler that loads from a store of a browser; undefined for any other location.
 *
 * @throws TransferKitError `UNSUPPORTED_SOURCE` where there is no such store.
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
 * The handler that saves to a target: the path of a folder or a `file:` address in Node, a store of a browser, any address
 * that tfjs has a handler for.
 *
 * @throws TransferKitError `INVALID_OPTION` where there is no such place.
 */
export function placeToSave(target: string): io.IOHandler {
  const isPath = /^file:/i.test(target) || !/^[a-z][a-z0-9+.-]+:\/\//i.test(target);
  const folder = isPath && target !== '' ? platform.openFolder?.(target) : undefined;
  const { handler, reason } = folder === undefined ? firstOf(() => io.getSaveHandlers(target)) : { handler: folder };
  if (handler !== undefined) return handler;
  const address = shortAddress(target);
  const text = `save: expected a place that models can be saved in, got '${address}': ${reason}. ${advice()}`;
  throw new TransferKitError('INVALID_OPTION', text, { address, reason });
}

/** Handlers are made when they are looked for, and some raise where there is no store. */
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
