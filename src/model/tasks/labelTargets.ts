// Encodes targets that are labels, or shares of labels. Shared by the tasks with labels.
import { TransferKitError } from '../../core/errors.ts';
import { nearestNames } from '../../core/names.ts';
import { isNumbers } from '../../core/numericTarget.ts';
import { shown } from '../../core/shown.ts';
import type { Target } from '../../core/types.ts';
import type { TargetQuestion } from './task.ts';

/**
 * The share of each label: one-hot of a label or of its index, or shares that sum to 1.
 *
 * @throws TransferKitError See `encodeTarget`.
 */
export function encodeLabel(question: TargetQuestion): Float32Array {
  const { labels, target, id } = question;
  const index = oneLabelIn(question);
  if (index !== undefined) return oneAt(labels.length, [index]);
  const shares = sharesIn(question);
  if (shares !== undefined) return Float32Array.from(shares);
  if (typeof target !== 'number') {
    throw mismatch(`one label, its index, or ${String(labels.length)} shares`, target, id);
  }
  if (Number.isInteger(target) && target >= 0 && target < labels.length) return oneAt(labels.length, [target]);
  throw outOfRange(`a whole number 0 … ${String(labels.length - 1)}, the index of a label,`, target, id);
}

/** Index of the only label, given by name. Undefined for a numeric target. */
export function oneLabelIn({ labels, target, id }: TargetQuestion): number | undefined {
  const names = namesIn(target);
  if (names === undefined) return undefined;
  const [name, ...rest] = names;
  if (name === undefined || rest.length > 0) throw mismatch('one label', target, id);
  return indexOf(labels, name, id);
}

/** Shares of all labels, which sum to 1. Undefined for any other target. */
export function sharesIn({ labels, target, id }: TargetQuestion): readonly number[] | undefined {
  if (!isNumbers(target) || target.length !== labels.length) return undefined;
  assertShares(target, id);
  return target;
}

/** The labels given by name. Undefined for a numeric target. */
export function namesIn(target: Target): readonly string[] | undefined {
  return typeof target === 'string' ? [target] : isNames(target) ? target : undefined;
}

/** 1 at the given indexes, 0 elsewhere. */
export function oneAt(width: number, places: readonly number[]): Float32Array {
  const row = new Float32Array(width);
  for (const place of places) row[place] = 1;
  return row;
}

/** Index of a label. */
export function indexOf(labels: readonly string[], name: string, id: string): number {
  const index = labels.indexOf(name);
  if (index >= 0) return index;
  const nearest = nearestNames(name, labels);
  throw new TransferKitError(
    'UNKNOWN_LABEL',
    `expected a label of the head for ${id}, got '${name}'. Nearest: ${nearest.join(', ')}.`,
    { id, label: name, nearest },
  );
}

/** Raises for a number outside 0 … 1. */
export function assertProbability(value: number, id: string): void {
  if (!(value >= 0 && value <= 1)) throw outOfRange('a number 0 … 1', value, id);
}

/** The error about a kind of target that the task does not accept. */
export function mismatch(expected: string, target: Target, id: string): TransferKitError {
  const text = `expected ${expected} as target of ${id}, got ${shown(target)}. Choose replaceHead's task to fit.`;
  return new TransferKitError('INVALID_OPTION', text, { id, target });
}

function assertShares(shares: readonly number[], id: string): void {
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.every((share) => share >= 0) && Math.abs(sum - 1) <= 1e-4) return;
  const text =
    `expected the shares of the labels for ${id} to be from 0 and to sum to 1, got ${shown(shares)} with ` +
    `sum ${String(sum)}. Divide them by their sum.`;
  throw new TransferKitError('INVALID_OPTION', text, { id, target: shares, sum });
}

function outOfRange(expected: string, target: number, id: string): TransferKitError {
  const text = `expected ${expected} as target of ${id}, got ${String(target)}. The labels are the head's.`;
  return new TransferKitError('OUT_OF_RANGE', text, { id, target });
}

function isNames(target: Target): target is readonly string[] {
  return Array.isArray(target) && target.every((each) => typeof each === 'string');
}
