// Stores for whole models: those of a browser, handlers that programs register with tfjs, folders.
import { io } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import { isTransferKitError, reasonOf, TransferKitError } from '../../core/errors.ts';
import { isObject } from '../../core/optionChecks.ts';
import { shortAddress } from '../../core/platform.ts';

/** An IOHandler that can save. */
type SavingHandler = io.IOHandler & Required<Pick<io.IOHandler, 'save'>>;

/** Callers without TypeScript may pass any value. */
function canSave(handler: io.IOHandler): handler is SavingHandler {
  return isObject(handler) && handler.save !== undefined;
}

/** Whether a location is in a store of a browser. */
export function isPageStore(location: string): boolean {
  return /^(indexeddb|localstorage|downloads):\/\//i.test(location);
}

/**
 * Returns the handler that loads from a store of a browser; undefined for any other location.
 *
 * @throws TransferKitError `UNSUPPORTED_SOURCE` where the store does not exist.
 */
export function storeToLoad(location: string): io.IOHandler | undefined {
  if (!isPageStore(location)) return undefined;
  const { handler, reason } = look(() => pageStore(location) ?? io.getLoadHandlers(location)[0]);
  if (handler !== undefined) return handler;
  const address = shortAddress(location);
  const text = `expected a place that models can be read from, got '${address}': ${reason}. ${advice()}`;
  throw new TransferKitError('UNSUPPORTED_SOURCE', text, { address, reason });
}

/**
 * Returns the handler of a target that a user gives.
 *
 * @throws TransferKitError `INVALID_OPTION` for a target that does not exist or cannot save.
 */
export function targetOf(target: io.IOHandler | string | URL): SavingHandler {
  const handler = typeof target === 'string' || target instanceof URL ? placeToSave(String(target)) : target;
  if (canSave(handler)) return handler;
  throw new TransferKitError('INVALID_OPTION', 'expected an IOHandler that can save, got one without save().');
}

/**
 * Saves an artefact.
 *
 * @throws TransferKitError `SAVE_FAILED` with the handler's reason; errors of this package's handlers are passed on.
 */
export async function saveTo(handler: SavingHandler, artifacts: io.ModelArtifacts): Promise<void> {
  try {
    await handler.save(artifacts);
  } catch (error) {
    if (isTransferKitError(error)) throw error;
    const reason = reasonOf(error);
    throw new TransferKitError('SAVE_FAILED', `could not write the model: ${reason}`, { reason }, error);
  }
}

/**
 * Returns the handler that saves to a target: the path of a folder or a `.zip`, or a `file:` address, in Node, a store of a browser,
 * or any address that tfjs has a handler for.
 *
 * @throws TransferKitError `INVALID_OPTION` where the target does not exist.
 */
function placeToSave(target: string): io.IOHandler {
  const isPath = /^file:/i.test(target) || !/^[a-z][a-z0-9+.-]+:\/\//i.test(target);
  const place = isPath && target !== '' ? platform.placeToSave?.(target) : undefined;
  const { handler, reason } = look(() => place ?? pageStore(target) ?? io.getSaveHandlers(target)[0]);
  if (handler !== undefined) return handler;
  const address = shortAddress(target);
  const text = `expected a place that models can be saved in, got '${address}': ${reason}. ${advice()}`;
  throw new TransferKitError('INVALID_OPTION', text, { address, reason });
}

/** In place of tfjs's handler, whose `save` resolves although a transaction failed. */
function pageStore(location: string): io.IOHandler | undefined {
  const name = /^indexeddb:\/\/(.+)$/s.exec(location)?.[1];
  return name === undefined ? undefined : platform.modelStore?.(name);
}

/** Looking for a handler also creates it, and some raise where their store does not exist. */
function look(find: () => io.IOHandler | undefined): { handler?: io.IOHandler | undefined; reason: string } {
  try {
    const reason = platform.name === 'node' ? 'it is a store of browsers, or nothing' : 'there is no such store here';
    return { handler: find(), reason };
  } catch (error) {
    return { reason: reasonOf(error).replace(/\.$/, '') };
  }
}

function advice(): string {
  return platform.name === 'node'
    ? "Give the path of a folder such as './my-model' or of a './my-model.zip', fileSystem(folder) of transferkit/node, or an IOHandler."
    : 'Give an address such as indexeddb://my-model, zipDownload(name) of transferkit/browser, or an IOHandler.';
}
