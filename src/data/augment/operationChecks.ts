// Checks of the settings of operations. Each returns the checked value.
import { TransferKitError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import type { PictureFill } from './operation.ts';

type Limits = readonly [least: number, most: number];

/** Checks a number within limits. */
export function within(option: string, value: unknown, [least, most]: Limits): number {
  if (isWithin(value, [least, most])) return value;
  throw invalidSetting(`${option} to be a number from ${String(least)} to ${String(most)}`, value);
}

/** Checks a pair of numbers within limits, in rising order. */
export function rangeWithin(option: string, value: unknown, [least, most]: Limits): readonly [number, number] {
  if (Array.isArray(value) && value.length === 2) {
    const pair: readonly unknown[] = value;
    const [low, high] = pair;
    if (isWithin(low, [least, most]) && isWithin(high, [low, most])) return [low, high];
  }
  const limits = `from ${String(least)} to ${String(most)}`;
  throw invalidSetting(`${option} to be [least, largest], numbers ${limits}`, value);
}

/** Checks a probability. */
export function probabilityOf(value: unknown): number {
  return within('probability', value, [0, 1]);
}

/** Checks the fill outside a picture. */
export function fillOf(value: unknown): PictureFill {
  if (value === 'reflect' || value === 'nearest') return value;
  if (isWithin(value, [0, 1])) return value;
  throw invalidSetting("fill to be 'reflect', 'nearest' or a gray from 0 to 1", value);
}

/** The error about a setting. */
export function invalidSetting(expected: string, received: unknown): TransferKitError {
  const got = typeof received === 'object' || typeof received === 'string' ? shown(received) : String(received);
  return new TransferKitError('INVALID_OPTION', `expected ${expected}, got ${got}.`, { received });
}

function isWithin(value: unknown, [least, most]: Limits): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
