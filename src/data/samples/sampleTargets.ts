// The kind of the targets of samples, and their labels. Targets are not encoded for a network here.
import { TransferKitError } from '../../core/errors.ts';
import { nearestNames } from '../../core/names.ts';
import type { HeadTarget } from '../../core/types.ts';
import { isNumeric } from '../../core/numericTarget.ts';
import { shown } from '../../core/shown.ts';
import { assertMeansLabels, labelsWithShare } from './numericTargets.ts';

/** One label, several labels, one number or several numbers for each example. */
export type TargetKind = 'label' | 'labels' | 'number' | 'numbers';

/**
 * Returns the kind that all targets share.
 *
 * @throws TransferKitError `INVALID_OPTION` for mixed kinds, lists of numbers of different length, values that are
 * neither text nor finite numbers, empty labels.
 */
export function targetKind(targets: readonly HeadTarget[]): TargetKind {
  const first = targets.find((target) => !isEmptyList(target)) ?? [];
  const kind = isEmptyList(first) ? 'labels' : kindOf(first, targets.indexOf(first));
  targets.forEach((target, i) => {
    const came = isEmptyList(target) && kind === 'labels' ? kind : kindOf(target, i);
    if (came !== kind) {
      throw wrongTarget(i, target, `${words[kind]}, as example ${String(targets.indexOf(first))} has`);
    }
    if (kind === 'numbers' && lengthOf(target) !== lengthOf(first)) {
      throw wrongTarget(i, target, `${String(lengthOf(first))} numbers, as the first example has`);
    }
  });
  return kind;
}

/** The labels of a target; none for numbers. */
function labelsOf(target: HeadTarget): readonly string[] {
  const list: readonly unknown[] = Array.isArray(target) ? target : [target];
  return list.filter((each) => typeof each === 'string');
}

/**
 * Returns the labels of all targets in alphabetical order (of UTF-16 codes, the same on every system), or the given
 * labels after checking them.
 *
 * @throws TransferKitError `INVALID_OPTION` for given labels that repeat or are empty; `UNKNOWN_LABEL` for a target
 * that is not among them; for numbers also the errors of `assertMeansLabels`.
 */
export function settleLabels(
  targets: readonly HeadTarget[],
  kind: TargetKind,
  given: readonly string[] | undefined,
): readonly string[] {
  if (given === undefined) return [...new Set(targets.flatMap(labelsOf))].sort();
  if (new Set(given).size !== given.length || !given.every(isLabel)) {
    const text = `expected labels that are text, differ and are not empty, got ${shown(given)}.`;
    throw new TransferKitError('INVALID_OPTION', text, { labels: given });
  }
  if (kind === 'number' || kind === 'numbers') assertMeansLabels(targets, given);
  const known = new Set(given);
  targets.forEach((target, i) => {
    const unknown = labelsOf(target).find((label) => !known.has(label));
    if (unknown === undefined) return;
    const nearest = nearestNames(unknown, given).map((name) => `'${name}'`);
    throw new TransferKitError(
      'UNKNOWN_LABEL',
      `expected one of the given labels for example ${String(i)}, got '${unknown}'. Nearest: ${nearest.join(', ')}.`,
      { label: unknown, index: i, labels: given },
    );
  });
  return [...given];
}

/** Number of examples of each label, including those with a share of it; {} without labels. */
export function countLabels(
  targets: readonly HeadTarget[],
  labels: readonly string[],
): Readonly<Record<string, number>> {
  const counts = new Map(labels.map((label) => [label, 0]));
  for (const target of targets) {
    const own = isNumeric(target) ? labelsWithShare(target, labels) : labelsOf(target);
    for (const label of new Set(own)) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

const words: Readonly<Record<TargetKind, string>> = {
  label: 'a label',
  labels: 'a list of labels',
  number: 'a number',
  numbers: 'a list of numbers',
};

/** Checks the value itself: untyped programs may pass anything. */
function kindOf(target: unknown, index: number): TargetKind {
  if (isLabel(target)) return 'label';
  if (Number.isFinite(target)) return 'number';
  if (Array.isArray(target) && target.length > 0) {
    if (target.every(isLabel)) return 'labels';
    if (target.every((each) => Number.isFinite(each))) return 'numbers';
  }
  throw wrongTarget(index, target, 'a label that is not empty, a finite number, or a list of either');
}

function isLabel(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isEmptyList(target: HeadTarget): boolean {
  return Array.isArray(target) && target.length === 0;
}

function lengthOf(target: HeadTarget): number {
  return Array.isArray(target) ? target.length : 1;
}

function wrongTarget(index: number, target: unknown, expected: string): TransferKitError {
  const came = typeof target === 'object' || typeof target === 'string' ? shown(target) : String(target);
  const text = `expected the target of example ${String(index)} to be ${expected}, got ${came}.`;
  return new TransferKitError('INVALID_OPTION', `${text} Give all examples targets of one kind.`, { index, target });
}
