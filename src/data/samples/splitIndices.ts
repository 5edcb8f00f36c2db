// Draws which examples belong to which part of a split. It needs only targets and numbers.
import { TransferKitError } from '../../core/errors.ts';
import { assertWhole } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import { deriveSeed, permutation } from '../../core/random.ts';
import type { SplitOptions } from '../../core/types.ts';

/** Positions of the examples of both parts, each in ascending order. */
export interface SplitIndices {
  readonly train: readonly number[];
  readonly validation: readonly number[];
}

/**
 * Draws a split by its seed. Every label keeps its share by the largest remainder method. A label with two or more
 * examples has examples in both parts; a single example goes to train.
 *
 * @param labels - The label of each example; undefined for examples without one.
 * @throws TransferKitError `INVALID_OPTION` for a share outside 0..1 or a seed that is no whole number,
 * `TOO_FEW_EXAMPLES` when one part would be empty.
 */
export function splitIndices(labels: readonly (string | undefined)[], options: SplitOptions): SplitIndices {
  assertOptions(options, { validation: true, atLeast: true, seed: true }, { example: '{ validation: 0.2 }' });
  const { validation: share, atLeast = 1, seed = 0 } = options;
  assertShareAndSeed(share, seed);
  assertWhole('atLeast', atLeast, 1);
  const classes = groupByLabel(labels);
  const counts = validationCounts(
    classes.map(({ length }) => length),
    share,
    atLeast,
  );
  const chosen = new Set<number>();
  classes.forEach((members, i) => {
    const order = permutation(members.length, deriveSeed(seed, i));
    for (const position of order.slice(0, counts[i])) chosen.add(members[position] ?? 0);
  });
  if (chosen.size === 0) throw tooFew(labels.length, classes.length);
  const all = labels.map((_, i) => i);
  return { train: all.filter((i) => !chosen.has(i)), validation: all.filter((i) => chosen.has(i)) };
}

/** Positions of the examples of each label, labels in alphabetical order. */
function groupByLabel(labels: readonly (string | undefined)[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  labels.forEach((label = '', i) => {
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [i]);
    else group.push(i);
  });
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, members]) => members);
}

/**
 * Number of examples of each label for validation: rounded down, then one more for the largest remainders until the
 * total is reached; then raised to `atLeast`, or to a quarter of the label's examples if that is less. Labels with a single
 * example get none.
 */
function validationCounts(classSizes: readonly number[], share: number, atLeast: number): readonly number[] {
  const sizes = classSizes.map((size) => (size < 2 ? 0 : size));
  const counts = sizes.map((size) => Math.floor(size * share));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const missing = Math.round(sum(sizes) * share) - sum(counts);
  const byRemainder = sizes
    .map((size, i) => ({ i, remainder: size * share - Math.floor(size * share) }))
    .sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  for (const { i } of byRemainder.slice(0, missing)) counts[i] = (counts[i] ?? 0) + 1;
  return counts.map((count, i) => {
    const size = sizes[i] ?? 0;
    const fewest = Math.max(1, Math.min(atLeast, Math.floor(size / 4)));
    return Math.min(Math.max(count, fewest), Math.max(0, size - 1));
  });
}

function assertShareAndSeed(share: number, seed: number): void {
  if (!(Number.isFinite(share) && share > 0 && share < 1)) {
    const text = `expected validation to be a share above 0 and below 1, such as 0.2, got ${String(share)}.`;
    throw new TransferKitError('INVALID_OPTION', text, { validation: share });
  }
  if (!Number.isSafeInteger(seed)) {
    throw new TransferKitError('INVALID_OPTION', `expected seed to be a whole number, got ${String(seed)}.`, {
      seed,
    });
  }
}

function tooFew(size: number, classes: number): TransferKitError {
  const found = classes > 1 ? `one for each of ${String(classes)} classes` : `${String(size)} in all`;
  const text = `expected at least one class with two examples, so that both parts get one, got ${found}. Add examples.`;
  return new TransferKitError('TOO_FEW_EXAMPLES', text, { size, classes });
}
