// Splits targets that are records for several heads into the targets of each head.
import { nameHead } from '../../core/edge.ts';
import { TransferKitError } from '../../core/errors.ts';
import type { HeadTarget, Samples, Target } from '../../core/types.ts';
import { shown } from '../../core/shown.ts';
import { mainLabel, nameIndexes } from './numericTargets.ts';
import { countLabels, settleLabels, targetKind } from './sampleTargets.ts';

/** Labels as a user gives them: for all targets, or for some heads by name. */
export type GivenLabels = readonly string[] | Readonly<Record<string, readonly string[]>>;

/** Labels of the targets; by head where these are records. */
export interface SettledLabels {
  readonly labels: readonly string[];
  readonly heads?: Readonly<Record<string, readonly string[]>>;
}

/** Labels and the targets themselves, with labels instead of indexes. */
export interface SettledTargets extends SettledLabels {
  readonly targets: readonly Target[];
}

/**
 * Checks the targets of samples and finds their labels.
 *
 * @throws TransferKitError `INVALID_OPTION` for targets of different kinds or with different heads, and for labels that
 * do not fit them; `UNKNOWN_LABEL`; `OUT_OF_RANGE`.
 */
export function settleTargets(targets: readonly Target[], given: GivenLabels | undefined): SettledTargets {
  const names = headNames(targets);
  if (names === undefined) {
    if (given !== undefined && !isList(given)) throw wrongLabels('a list of labels', given);
    return settleHead(targets.filter(isOfHead), given);
  }
  if (given !== undefined && (isList(given) || !Object.keys(given).every((name) => names.includes(name)))) {
    throw wrongLabels(`labels by head, such as { ${names[0] ?? ''}: ['a', 'b'] }, of ${names.join(', ')}`, given);
  }
  const heads = names.map((name) => {
    const own = nameHead(name, () => settleHead(targetsOfHead(targets, name), given && ownValue(given, name)));
    return { name, ...own };
  });
  return {
    labels: [],
    heads: Object.fromEntries(heads.map(({ name, labels }) => [name, labels])),
    targets: targets.map((_, i) => Object.fromEntries(heads.map((head) => [head.name, head.targets[i] ?? []]))),
  };
}

/** Returns the fields of samples about labels, also of each head. */
export function describeLabels(
  targets: readonly Target[],
  { labels, heads }: SettledLabels,
): Pick<Samples, 'labels' | 'classCounts' | 'heads'> {
  const own = { labels, classCounts: countLabels(targets.filter(isOfHead), labels) };
  if (heads === undefined) return own;
  const entries = Object.entries(heads).map(([name, labels]) => {
    return [name, { labels, classCounts: countLabels(targetsOfHead(targets, name), labels) }] as const;
  });
  return { ...own, heads: Object.fromEntries(entries) };
}

/** The labels of each head of samples. */
export function labelsByHead(heads: NonNullable<Samples['heads']>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(heads).map(([name, { labels }]) => [name, labels]));
}

/**
 * The label of each example, or the one with the largest share; for records, of the first head that has one for every
 * example. Undefined where there is none.
 */
export function mainLabels(
  targets: readonly Target[],
  { labels, heads }: SettledLabels,
): readonly (string | undefined)[] {
  const ofHead = (own: readonly HeadTarget[], from: readonly string[]) =>
    own.map((target) => (typeof target === 'string' ? target : mainLabel(target, from)));
  const found =
    heads === undefined
      ? [ofHead(targets.filter(isOfHead), labels)]
      : Object.entries(heads).map(([name, from]) => ofHead(targetsOfHead(targets, name), from));
  return found.find((each) => !each.includes(undefined)) ?? targets.map(() => undefined);
}

function settleHead(
  targets: readonly HeadTarget[],
  given: readonly string[] | undefined,
): { readonly labels: readonly string[]; readonly targets: readonly HeadTarget[] } {
  const kind = targetKind(targets);
  const labels = settleLabels(targets, kind, given);
  if (kind === 'labels' && labels.length === 0) {
    const text = 'expected a label in at least one example, got empty lists only. Give the option labels.';
    throw new TransferKitError('INVALID_OPTION', text, { size: targets.length });
  }
  return { labels, targets: nameIndexes(targets, labels) };
}

/** Names of the heads that targets are for; undefined when targets are not records. */
function headNames(targets: readonly Target[]): readonly string[] | undefined {
  const [first] = targets;
  if (first === undefined || isOfHead(first)) {
    const other = targets.findIndex((target) => !isOfHead(target));
    if (other >= 0) throw wrongRecord(other, 'a target of the kind that the first example has', 'a record');
    return undefined;
  }
  const names = Object.keys(first);
  if (names.length === 0) throw wrongRecord(0, 'a target for each of one or more heads', '{}');
  targets.forEach((target, index) => {
    if (isOfHead(target)) throw wrongRecord(index, `targets of the heads ${names.join(', ')}`, target);
    const missing = names.find((name) => ownValue(target, name) === undefined);
    if (missing !== undefined) throw wrongRecord(index, `a target of head '${missing}'`, target);
    const other = Object.keys(target).find((name) => !names.includes(name));
    if (other !== undefined) throw wrongRecord(index, `targets of the heads ${names.join(', ')} alone`, target);
  });
  return names;
}

function targetsOfHead(targets: readonly Target[], name: string): HeadTarget[] {
  return targets.flatMap((target) => (isOfHead(target) ? [] : [ownValue(target, name) ?? []]));
}

/** A head may have the name of a member that every object inherits, such as 'constructor'. */
function ownValue<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Whether a target is for a single head, not a record; untyped programs may pass anything. */
function isOfHead(target: unknown): target is HeadTarget {
  return typeof target !== 'object' || target === null || Array.isArray(target) || ArrayBuffer.isView(target);
}

function isList(given: GivenLabels): given is readonly string[] {
  return Array.isArray(given);
}

function wrongRecord(index: number, expected: string, received: unknown): TransferKitError {
  const got = typeof received === 'string' ? received : shown(received);
  const text = `expected ${expected} in example ${String(index)}, got ${got}. Give every example a target of every head.`;
  return new TransferKitError('INVALID_OPTION', text, { index, target: received });
}

function wrongLabels(expected: string, received: unknown): TransferKitError {
  const text = `expected ${expected}, got ${shown(received)}.`;
  return new TransferKitError('INVALID_OPTION', text, { labels: received });
}
