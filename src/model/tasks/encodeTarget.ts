// Targets of single examples as the head's loss takes them.
import { TransferKitError } from '../../core/errors.ts';
import type { HeadPart } from '../model.ts';
import { nearestNames } from '../../core/names.ts';
import { isNumbers } from '../../core/numericTarget.ts';
import type { Target } from '../../core/types.ts';
import { shown } from '../../core/shown.ts';

/** What targets have to answer: a task and its labels. Every head is one. */
export type Question = Pick<HeadPart, 'task' | 'labels'>;

/**
 * One example's target as values for the loss. `classes`: one-hot of a label or of its index, or shares of the labels that
 * sum to 1. `binary`: the share of the second label, from a label, its share 0 … 1, or both shares. `multiLabel`: 0 … 1 for
 * each label, from a list of labels or of numbers. `regression`: the numbers.
 *
 * @throws TransferKitError `UNKNOWN_LABEL`; `OUT_OF_RANGE` for numbers outside the labels' range; `INVALID_OPTION` for shares
 * that do not sum to 1 and when the kind of target does not fit the task; `NOT_FINITE` for numbers of a regression.
 */
export function encodeTarget(verb: string, question: Question, target: Target, id: string): Float32Array {
  const { task, labels } = question;
  if (task === 'regression') return encodeNumbers(verb, labels, target, id);
  const names = typeof target === 'string' ? [target] : isNames(target) ? target : undefined;
  if (names === undefined) return encodeShares(verb, question, target, id);
  if (task !== 'multiLabel' && names.length !== 1) throw mismatch(verb, 'one label', target, id);
  const indexes = names.map((name) => indexOf(verb, labels, name, id));
  if (task === 'binary') return Float32Array.of(indexes[0] ?? 0);
  return rowOf(labels.length, indexes);
}

/** The error about a target of a kind that the task does not take. */
export function mismatch(verb: string, expected: string, target: Target, id: string): TransferKitError {
  const text = `${verb}: expected ${expected} as target of ${id}, got ${shown(target)}. Choose replaceHead's task to fit.`;
  return new TransferKitError('INVALID_OPTION', text, { id, target });
}

/** Targets of labels that are given as numbers. */
function encodeShares(verb: string, { task, labels }: Question, target: Target, id: string): Float32Array {
  const isList = isNumbers(target) && target.length === labels.length;
  if (task === 'multiLabel') {
    if (!isList) throw mismatch(verb, `labels, or ${String(labels.length)} numbers 0 … 1,`, target, id);
    for (const value of target) assertProbability(verb, value, id);
    return Float32Array.from(target);
  }
  if (isList) {
    assertShares(verb, target, id);
    return task === 'binary' ? Float32Array.of(target[1] ?? 0) : Float32Array.from(target);
  }
  if (task === 'binary') {
    const [value, ...rest] = isNumbers(target) ? target : [target];
    if (typeof value !== 'number' || rest.length > 0) throw mismatch(verb, 'one label or a number 0 … 1', target, id);
    assertProbability(verb, value, id);
    return Float32Array.of(value);
  }
  if (typeof target !== 'number') {
    throw mismatch(verb, `one label, its index, or ${String(labels.length)} shares`, target, id);
  }
  if (Number.isInteger(target) && target >= 0 && target < labels.length) return rowOf(labels.length, [target]);
  throw outOfRange(verb, `a whole number 0 … ${String(labels.length - 1)}, the index of a label,`, target, id);
}

function rowOf(width: number, indexes: readonly number[]): Float32Array {
  const row = new Float32Array(width);
  for (const index of indexes) row[index] = 1;
  return row;
}

function assertProbability(verb: string, value: number, id: string): void {
  if (!(value >= 0 && value <= 1)) throw outOfRange(verb, 'a number 0 … 1', value, id);
}

function assertShares(verb: string, shares: readonly number[], id: string): void {
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.every((share) => share >= 0) && Math.abs(sum - 1) <= 1e-4) return;
  const text =
    `${verb}: expected the shares of the labels for ${id} to be from 0 and to sum to 1, got ${shown(shares)} with ` +
    `sum ${String(sum)}. Divide them by their sum.`;
  throw new TransferKitError('INVALID_OPTION', text, { id, target: shares, sum });
}

function encodeNumbers(verb: string, outputs: readonly string[], target: Target, id: string): Float32Array {
  const values = typeof target === 'number' ? [target] : isNumbers(target) ? target : undefined;
  if (values?.length !== outputs.length) throw mismatch(verb, `${String(outputs.length)} numbers`, target, id);
  // What is too large for float32 becomes infinite here.
  const row = Float32Array.from(values);
  if (row.every(Number.isFinite)) return row;
  const text = `${verb}: expected targets that are finite in float32, got ${values.join(', ')} for ${id}. Scale them.`;
  throw new TransferKitError('NOT_FINITE', text, { id });
}

function indexOf(verb: string, labels: readonly string[], name: string, id: string): number {
  const index = labels.indexOf(name);
  if (index >= 0) return index;
  const nearest = nearestNames(name, labels);
  throw new TransferKitError(
    'UNKNOWN_LABEL',
    `${verb}: expected a label of the head for ${id}, got '${name}'. Nearest: ${nearest.join(', ')}.`,
    { id, label: name, nearest },
  );
}

function outOfRange(verb: string, expected: string, target: number, id: string): TransferKitError {
  const text = `${verb}: expected ${expected} as target of ${id}, got ${String(target)}. The labels are the head's.`;
  return new TransferKitError('OUT_OF_RANGE', text, { id, target });
}

function isNames(target: Target): target is readonly string[] {
  return Array.isArray(target) && target.every((each) => typeof each === 'string');
}
