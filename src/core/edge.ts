// The edge of the public functions. Errors are thrown without the name of the function that the user called; the edge
// adds it once.
import { isTransferKitError, prefixError } from './errors.ts';

/**
 * Runs the work of a public function. An error of this package that no public function has named yet gets this name:
 * where public functions call each other, the innermost one names its errors.
 *
 * @param name - The function as users know it, such as `fineTune`; a method with its owner, such as `samples.split`.
 * @param work - The work, synchronous or not.
 */
export function nameErrors<Result>(name: string, work: () => Result): Result;
export function nameErrors(name: string, work: () => unknown): unknown {
  return onError(work, (error) => {
    if (isTransferKitError(error) && error.raisedBy === undefined) prefixError(error, name, { raisedBy: name });
  });
}

/**
 * Runs work on one of several heads. Error texts begin with the name of the head.
 *
 * @param head - Name of the head; `''` for the only head of a model, whose texts stay as they are.
 * @param work - The work, synchronous or not.
 */
export function nameHead<Result>(head: string, work: () => Result): Result;
export function nameHead(head: string, work: () => unknown): unknown {
  if (head === '') return work();
  return onError(work, (error) => {
    if (isTransferKitError(error) && error.raisedBy === undefined) prefixError(error, `head '${head}'`);
  });
}

/** Runs work. Its error is handed to a function before it is thrown on. */
function onError(work: () => unknown, see: (error: unknown) => void): unknown {
  const rethrow = (error: unknown): never => {
    see(error);
    throw error;
  };
  try {
    const result = work();
    return result instanceof Promise ? result.catch(rethrow) : result;
  } catch (error) {
    return rethrow(error);
  }
}
