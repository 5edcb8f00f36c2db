// Reads an element that must exist.
import { internalError } from './errors.ts';

/**
 * Returns the element of a list at an index.
 *
 * @throws TransferKitError `INTERNAL` when there is none.
 */
export function at<Element>(list: ArrayLike<Element>, index: number): Element {
  const element = list[index];
  if (element === undefined) throw internalError(`there is no element ${String(index)} of ${String(list.length)}`);
  return element;
}
