// Whether a target is made of numbers.
import type { Target } from './types.ts';

/** Whether a target is a number or a list of numbers. */
export function isNumeric(target: Target): target is number | readonly number[] {
  return typeof target === 'number' || (isNumbers(target) && target.length > 0);
}

/** Whether a target is a list of numbers, or empty. */
export function isNumbers(target: Target): target is readonly number[] {
  return Array.isArray(target) && target.every((each) => typeof each === 'number');
}
