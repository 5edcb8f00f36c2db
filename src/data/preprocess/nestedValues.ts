// Reads nested lists of numbers into one typed array with a shape: tensors in plain memory.
import { TransferKitError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';

/** Numbers in nested lists, one level for each axis of the tensor. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** Shape and values of nested lists, row by row. */
export interface FlatNumbers {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/**
 * Flattens nested lists.
 *
 * @throws TransferKitError `WRONG_SHAPE` when lists of one level differ in length, `WRONG_DTYPE` for values that are
 * not numbers.
 */
export function flattenNumbers(nested: readonly unknown[]): FlatNumbers {
  const shape: number[] = [];
  for (let level: unknown = nested; Array.isArray(level); level = level[0]) shape.push(level.length);
  const values: number[] = [];
  collect(nested, shape, 0, values);
  return { shape, values };
}

function collect(value: unknown, shape: readonly number[], depth: number, values: number[]): void {
  if (depth === shape.length) {
    if (typeof value === 'number') {
      values.push(value);
      return;
    }
    if (!Array.isArray(value)) {
      const text = `expected numbers, got a value of type ${typeof value} (${shown(value)}).`;
      throw new TransferKitError('WRONG_DTYPE', text, { value });
    }
  }
  if (!Array.isArray(value) || value.length !== shape[depth]) {
    const found = Array.isArray(value) ? `one of ${String(value.length)}` : `a value of type ${typeof value}`;
    const expected = depth < shape.length ? `a list of ${String(shape[depth])}` : 'a number';
    const text = `expected lists of equal length: ${expected} at depth ${String(depth)}, got ${found}.`;
    throw new TransferKitError('WRONG_SHAPE', text, { shape, depth });
  }
  for (const each of value as readonly unknown[]) collect(each, shape, depth + 1, values);
}
