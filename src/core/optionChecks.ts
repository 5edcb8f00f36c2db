// Checks that options of several verbs share.
import { TransferKitError } from './errors.ts';
import { shorten, shown } from './shown.ts';

/** Raises unless a learning rate is a finite number above 0. */
export function assertRate(name: string, rate: unknown): asserts rate is number {
  if (!(typeof rate === 'number' && Number.isFinite(rate) && rate > 0)) {
    throw invalidOption(`${name} to be a finite number above 0`, rate);
  }
}

/** Raises unless a value is a whole number from `least` on. */
export function assertWhole(name: string, value: unknown, least: number): asserts value is number {
  if (!(typeof value === 'number' && Number.isInteger(value) && value >= least)) {
    throw invalidOption(`${name} to be a whole number from ${String(least)}`, value);
  }
}

/** Raises unless a value is a number from 0 to below 1. */
export function assertShare(name: string, value: unknown): asserts value is number {
  if (!(typeof value === 'number' && value >= 0 && value < 1)) {
    throw invalidOption(`${name} to be at least 0 and below 1`, value);
  }
}

/** Raises unless a value is one of a list. */
export function assertOneOf<T extends string>(name: string, value: unknown, known: readonly T[]): asserts value is T {
  if (known.some((each) => each === value)) return;
  const names = known.map((each) => `'${each}'`);
  throw invalidOption(`${name} to be ${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`, value);
}

/** Whether a value has properties. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/**
 * The error about an option.
 *
 * @param got - What came, in words, where the value does not say it.
 */
export function invalidOption(expected: string, received: unknown, got = valueOf(received)): TransferKitError {
  return new TransferKitError('INVALID_OPTION', `expected ${expected}, got ${got}.`, { received });
}

/** A text in quotes: '5' is not 5. */
function valueOf(received: unknown): string {
  return typeof received === 'string' ? `'${shorten(received)}'` : shown(received);
}
