// Numeric targets with given labels: indexes of labels, shares of each label, or the share of the second of two labels.
import { TransferKitError } from '../../core/errors.ts';
import { isNumbers, isNumeric } from '../../core/numericTarget.ts';
import type { HeadTarget } from '../../core/types.ts';
import { shown } from '../../core/shown.ts';

/**
 * Raises for numbers that do not describe labels.
 *
 * @throws TransferKitError `OUT_OF_RANGE` for a number that is not an index of a label, and for shares outside 0 … 1;
 * `INVALID_OPTION` for lists without a number for each label.
 */
export function assertMeansLabels(targets: readonly HeadTarget[], labels: readonly string[]): void {
  const count = labels.length;
  const isShare = (value: number) => value >= 0 && value <= 1;
  targets.forEach((target, index) => {
    if (isNumbers(target)) {
      if (target.length !== count) throw wrongLength(index, target, labels);
      if (!target.every(isShare)) throw outside(index, target, 'numbers 0 … 1', labels);
    } else if (typeof target === 'number' && !isIndex(target, count) && !(count === 2 && isShare(target))) {
      throw outside(index, target, `a whole number 0 … ${String(count - 1)}`, labels);
    }
  });
}

/** Replaces indexes by labels. If any target is a share of the second of two labels, all targets stay numbers. */
export function nameIndexes(targets: readonly HeadTarget[], labels: readonly string[]): readonly HeadTarget[] {
  const names = targets.map((target) => (typeof target === 'number' ? labels[target] : undefined));
  const known = names.filter((name) => name !== undefined);
  return known.length === targets.length ? known : targets;
}

/** Labels with a share above 0 in a target. */
export function labelsWithShare(target: number | readonly number[], labels: readonly string[]): readonly string[] {
  const shares = sharesOf(target);
  return labels.filter((_, label) => (shares[label] ?? 0) > 0);
}

/** The label with the largest share in a target; undefined where the shares are not those of a single label. */
export function mainLabel(target: HeadTarget, labels: readonly string[]): string | undefined {
  const shares = isNumeric(target) ? sharesOf(target) : [];
  const sum = shares.reduce((total, share) => total + share, 0);
  return Math.abs(sum - 1) <= 1e-4 ? labels[shares.indexOf(Math.max(...shares))] : undefined;
}

function sharesOf(target: number | readonly number[]): readonly number[] {
  return typeof target === 'number' ? [1 - target, target] : target;
}

function isIndex(value: number, count: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < count;
}

function wrongLength(index: number, target: HeadTarget, labels: readonly string[]): TransferKitError {
  const text =
    `expected a number for each of ${String(labels.length)} labels as target of example ${String(index)}, got ` +
    `${shown(target)}. Leave labels out for numbers of a regression.`;
  return new TransferKitError('INVALID_OPTION', text, { index, target, labels });
}

function outside(index: number, target: HeadTarget, expected: string, labels: readonly string[]): TransferKitError {
  const text =
    `expected ${expected} as target of example ${String(index)}, as labels are given, got ` +
    `${shown(target)}. Leave labels out for numbers of a regression.`;
  return new TransferKitError('OUT_OF_RANGE', text, { index, target, labels });
}
