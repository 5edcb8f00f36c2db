// Checks that samples and head mean the same labels, and that there is enough to learn from or to validate on.
import { TransferKitError } from '../core/errors.ts';
import type { TransferModel } from '../core/model.ts';
import type { Samples } from '../core/types.ts';
import { encodeTarget, isNumeric, mismatch } from './encodeTarget.ts';

/**
 * Raises when a head cannot learn from samples: labels it does not know, or labels without an example.
 *
 * @throws TransferKitError `NO_EXAMPLES`, `UNKNOWN_LABEL`, `TOO_FEW_EXAMPLES`, `CLASS_WITHOUT_EXAMPLES`; what `assertKnown`
 * raises.
 */
export function assertTrainable(verb: string, model: TransferModel, samples: Samples): void {
  assertKnown(verb, model, samples);
  if (model.head.task === 'regression') return;
  const { labels } = model;
  if (model.head.task !== 'multiLabel') assertEnough(verb, model, samples, 'examples. Add some');
  const counts = labelCounts(verb, model, samples);
  const without = labels.filter((_, index) => counts[index] === 0);
  if (without.length === 0) return;
  throw new TransferKitError(
    'CLASS_WITHOUT_EXAMPLES',
    `${verb}: expected examples of every label in training, got none of ${without.join(', ')}. Add some, split by ` +
      'samples.split (which keeps every class in both parts), or leave the labels out of replaceHead.',
    { without },
  );
}

/**
 * Raises when samples are too few to validate on: figures of fewer examples than labels say little.
 *
 * @throws TransferKitError `TOO_FEW_EXAMPLES`; what `assertKnown` raises.
 */
export function assertValidation(verb: string, model: TransferModel, validation: Samples): void {
  assertKnown(verb, model, validation);
  const { task } = model.head;
  if (task === 'classes' || task === 'binary')
    assertEnough(verb, model, validation, 'to validate on. Hold out more, or none');
}

/**
 * Raises when a value is no samples: a program without types may hand in a path or an array.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertSamples(verb: string, samples: unknown): asserts samples is Samples {
  const isSamples = typeof samples === 'object' && samples !== null && 'read' in samples && 'classCounts' in samples;
  if (isSamples) return;
  const found = Array.isArray(samples) ? 'a list' : typeof samples === 'string' ? `'${samples}'` : typeof samples;
  const text = `${verb}: expected samples, as fromArrays, defineSamples or imageFolder make them, got ${found}.`;
  throw new TransferKitError('INVALID_OPTION', text, { found });
}

/**
 * Raises when samples are empty, or have targets that are none of the head's labels.
 *
 * @throws TransferKitError `NO_EXAMPLES`, `UNKNOWN_LABEL`, `INVALID_OPTION`, `OUT_OF_RANGE`.
 */
export function assertKnown(verb: string, model: TransferModel, samples: Samples): void {
  assertSamples(verb, samples);
  if (samples.size === 0) throw new TransferKitError('NO_EXAMPLES', `${verb}: expected examples, got none.`);
  if (model.head.task === 'regression') return;
  if (hasNumbers(samples)) {
    assertSameOrder(verb, model, samples);
    labelCounts(verb, model, samples);
    return;
  }
  if (samples.labels.length === 0) throw mismatch(verb, 'labels', samples.target(0), 'the first example');
  const unknown = samples.labels.filter((label) => !model.labels.includes(label) && countOf(samples, label) > 0);
  if (unknown.length === 0) return;
  throw new TransferKitError(
    'UNKNOWN_LABEL',
    `${verb}: expected the labels of the head (${model.labels.join(', ')}), got examples of ${unknown.join(', ')} too. ` +
      'Give replaceHead the labels of the samples.',
    { unknown, labels: model.labels },
  );
}

/**
 * Examples of each of the model's labels. Shares of an example count as such.
 *
 * @throws TransferKitError `INVALID_OPTION`, `OUT_OF_RANGE` for targets that are no shares and no indexes of labels.
 */
export function labelCounts(verb: string, model: TransferModel, samples: Samples): number[] {
  const { head, labels } = model;
  if (!hasNumbers(samples)) return labels.map((label) => countOf(samples, label));
  const counts = labels.map(() => 0);
  for (let index = 0; index < samples.size; index++) {
    const shares = encodeTarget(verb, model, samples.target(index), `example ${String(index)}`);
    const each = head.task === 'binary' ? [1 - (shares[0] ?? 0), shares[0] ?? 0] : shares;
    each.forEach((share, label) => {
      counts[label] = (counts[label] ?? 0) + share;
    });
  }
  return counts;
}

function hasNumbers(samples: Samples): boolean {
  return isNumeric(samples.target(0));
}

/** Numbers mean labels by their order, which both sides may know. */
function assertSameOrder(verb: string, model: TransferModel, { labels }: Samples): void {
  if (labels.length === 0) return;
  if (labels.length === model.labels.length && labels.every((label, i) => label === model.labels[i])) return;
  throw new TransferKitError(
    'INVALID_OPTION',
    `${verb}: expected targets that are numbers to be in the order of the head's labels (${model.labels.join(', ')}), got ` +
      `the order ${labels.join(', ')}. Give replaceHead the labels of the samples.`,
    { expected: model.labels, received: labels },
  );
}

/** Examples of a label, which may be called as a member of every object is: 'constructor'. */
function countOf({ classCounts }: Samples, label: string): number {
  return Object.hasOwn(classCounts, label) ? (classCounts[label] ?? 0) : 0;
}

function assertEnough(verb: string, { labels }: TransferModel, { size }: Samples, rest: string): void {
  if (size >= labels.length) return;
  const text = `${verb}: expected at least one example for each of ${String(labels.length)} labels, got ${String(size)} ${rest}.`;
  throw new TransferKitError('TOO_FEW_EXAMPLES', text, { labels, size });
}
