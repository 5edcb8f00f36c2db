// Checks that samples and head have the same labels, and enough examples for training or validation.
import { TransferKitError } from '../core/errors.ts';
import type { AnyModel } from './model.ts';
import type { Samples } from '../core/types.ts';
import { isNumeric } from '../core/numericTarget.ts';
import { kindOf } from '../core/shown.ts';
import { encodeTarget } from './tasks/encodeTarget.ts';
import { checkEach, type HeadSamples } from './headTargets.ts';
import { mismatch } from './tasks/labelTargets.ts';
import { tasks } from './tasks/tasks.ts';

/**
 * Raises if a head cannot learn from samples, because of unknown labels or labels without examples.
 *
 * @throws TransferKitError `NO_EXAMPLES`, `UNKNOWN_LABEL`, `TOO_FEW_EXAMPLES`, `CLASS_WITHOUT_EXAMPLES`; the errors of
 * `assertKnown`.
 */
export function assertTrainable(model: AnyModel, samples: Samples): void {
  assertKnown(model, samples);
  checkEach(model, samples, assertLearnable);
}

function assertLearnable(head: HeadSamples): void {
  const { task, labels } = head.part;
  const { labelled } = tasks[task];
  if (labelled === undefined) return;
  if (labelled.one !== undefined) assertEnough(head, 'examples. Add some');
  const counts = labelCounts(head);
  const without = labels.filter((_, index) => counts[index] === 0);
  if (without.length === 0) return;
  throw new TransferKitError(
    'CLASS_WITHOUT_EXAMPLES',
    `expected examples of every label in training, got none of ${without.join(', ')}. Add some, split by ` +
      'samples.split (which keeps every class in both parts), or leave the labels out of replaceHead.',
    { without },
  );
}

/**
 * Raises if there are too few samples for validation: with fewer examples than labels the figures say little.
 *
 * @throws TransferKitError `TOO_FEW_EXAMPLES`; the errors of `assertKnown`.
 */
export function assertValidation(model: AnyModel, validation: Samples): void {
  assertKnown(model, validation);
  checkEach(model, validation, (head) => {
    const { labelled } = tasks[head.part.task];
    if (labelled?.one !== undefined) assertEnough(head, 'to validate on. Hold out more, or none');
  });
}

/**
 * Raises if a value is no `Samples`. Callers without TypeScript may pass a path or an array.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertSamples(samples: unknown): asserts samples is Samples {
  const isSamples = typeof samples === 'object' && samples !== null && 'read' in samples && 'classCounts' in samples;
  if (isSamples) return;
  const found = typeof samples === 'string' ? `'${samples}'` : kindOf(samples);
  const text = `expected samples, as fromArrays, defineSamples or imageFolder make them, got ${found}.`;
  throw new TransferKitError('INVALID_OPTION', text, { found });
}

/**
 * Raises if samples are empty, or have targets that are not labels of the head.
 *
 * @throws TransferKitError `NO_EXAMPLES`, `UNKNOWN_LABEL`, `INVALID_OPTION`, `OUT_OF_RANGE`.
 */
export function assertKnown(model: AnyModel, samples: Samples): void {
  assertSamples(samples);
  if (samples.size === 0) throw new TransferKitError('NO_EXAMPLES', 'expected examples, got none.');
  checkEach(model, samples, assertKnownLabels);
}

function assertKnownLabels(head: HeadSamples): void {
  const { part, samples } = head;
  if (tasks[part.task].labelled === undefined) return;
  if (hasNumbers(head)) {
    assertSameOrder(head);
    labelCounts(head);
    return;
  }
  if (samples.labels.length === 0) throw mismatch('labels', samples.target(0), 'the first example');
  const unknown = samples.labels.filter((label) => !part.labels.includes(label) && countOf(head, label) > 0);
  if (unknown.length === 0) return;
  throw new TransferKitError(
    'UNKNOWN_LABEL',
    `expected the labels of the head (${part.labels.join(', ')}), got examples of ${unknown.join(', ')} too. ` +
      'Give replaceHead the labels of the samples.',
    { unknown, labels: part.labels },
  );
}

/**
 * Number of examples of each of a head's labels. Shares are summed.
 *
 * @throws TransferKitError `INVALID_OPTION`, `OUT_OF_RANGE` for targets that are neither shares nor indexes of labels.
 */
export function labelCounts(head: HeadSamples): number[] {
  const { part, samples } = head;
  const { task, labels } = part;
  const { labelled } = tasks[task];
  if (labelled === undefined) return [];
  if (!hasNumbers(head)) return labels.map((label) => countOf(head, label));
  const counts = labels.map(() => 0);
  for (let index = 0; index < samples.size; index++) {
    const target = encodeTarget(part, samples.target(index), `example ${String(index)}`);
    const shares = labelled.shares(target);
    for (const [label, count] of counts.entries()) counts[label] = count + (shares[label] ?? 0);
  }
  return counts;
}

function hasNumbers({ samples }: HeadSamples): boolean {
  return isNumeric(samples.target(0));
}

/** Raises if numeric targets refer to a different order of the labels. */
function assertSameOrder({ part, samples }: HeadSamples): void {
  const { labels } = samples;
  if (labels.length === 0) return;
  if (labels.length === part.labels.length && labels.every((label, i) => label === part.labels[i])) return;
  throw new TransferKitError(
    'INVALID_OPTION',
    `expected targets that are numbers to be in the order of the head's labels (${part.labels.join(', ')}), got ` +
      `the order ${labels.join(', ')}. Give replaceHead the labels of the samples.`,
    { expected: part.labels, received: labels },
  );
}

/** Number of examples of a label. The label may be named like a member of every object: 'constructor'. */
function countOf({ samples: { classCounts } }: HeadSamples, label: string): number {
  return Object.hasOwn(classCounts, label) ? (classCounts[label] ?? 0) : 0;
}

function assertEnough({ part: { labels }, samples: { size } }: HeadSamples, rest: string): void {
  if (size >= labels.length) return;
  const text = `expected at least one example for each of ${String(labels.length)} labels, got ${String(size)} ${rest}.`;
  throw new TransferKitError('TOO_FEW_EXAMPLES', text, { labels, size });
}
