// Targets as the head takes them, and the checks that samples and head mean the same labels.
import { TransferKitError } from '../core/errors.ts';
import { nearestNames } from '../core/names.ts';
import type { Task, TransferModel } from '../core/model.ts';
import type { Samples, Target } from '../core/types.ts';

/** What targets have to answer: a task and its labels. Every model is one. */
export interface Question {
  readonly head: { readonly task: Task };
  readonly labels: readonly string[];
}

/** Number of target values of one example. */
export function targetSize({ head, labels }: TransferModel): number {
  return head.task === 'binary' ? 1 : labels.length;
}

/**
 * One example's target as values for the loss: one-hot, 0 or 1, or numbers.
 *
 * @throws TransferKitError `UNKNOWN_LABEL`, `INVALID_OPTION` when the kind of target does not fit the task.
 */
export function encodeTarget(verb: string, model: Question, target: Target, id: string): Float32Array {
  const { head, labels } = model;
  if (head.task === 'regression') return encodeNumbers(verb, labels, target, id);
  const names = typeof target === 'string' ? [target] : isNames(target) ? target : undefined;
  if (names === undefined || (head.task !== 'multiLabel' && names.length !== 1)) {
    throw mismatch(verb, head.task === 'multiLabel' ? 'labels' : 'one label', target, id);
  }
  const indexes = names.map((name) => indexOf(verb, labels, name, id));
  if (head.task === 'binary') return Float32Array.of(indexes[0] ?? 0);
  const row = new Float32Array(labels.length);
  for (const index of indexes) row[index] = 1;
  return row;
}

/**
 * Raises when a head cannot learn from samples: labels it does not know, or labels without an example.
 *
 * @throws TransferKitError `NO_EXAMPLES`, `UNKNOWN_LABEL`, `TOO_FEW_EXAMPLES`, `CLASS_WITHOUT_EXAMPLES`.
 */
export function assertTrainable(verb: string, model: TransferModel, samples: Samples): void {
  assertKnown(verb, model, samples);
  if (model.head.task === 'regression') return;
  const { labels } = model;
  if (samples.size < labels.length && model.head.task !== 'multiLabel') {
    throw new TransferKitError(
      'TOO_FEW_EXAMPLES',
      `${verb}: expected at least one example for each of ${String(labels.length)} labels, got ${String(samples.size)} examples.`,
      { labels, size: samples.size },
    );
  }
  const without = labels.filter((label) => countOf(samples, label) === 0);
  if (without.length === 0) return;
  throw new TransferKitError(
    'CLASS_WITHOUT_EXAMPLES',
    `${verb}: expected examples of every label in training, got none of ${without.join(', ')}. Add some, split by ` +
      'samples.split (which keeps every class in both parts), or leave the labels out of replaceHead.',
    { without },
  );
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
 * Raises when samples are empty or have labels that the head does not know.
 *
 * @throws TransferKitError `NO_EXAMPLES`, `UNKNOWN_LABEL`, `INVALID_OPTION`.
 */
export function assertKnown(verb: string, model: TransferModel, samples: Samples): void {
  assertSamples(verb, samples);
  if (samples.size === 0) throw new TransferKitError('NO_EXAMPLES', `${verb}: expected examples, got none.`);
  if (model.head.task === 'regression') return;
  if (samples.labels.length === 0) {
    throw mismatch(verb, 'labels', samples.target(0), 'the first example');
  }
  const unknown = samples.labels.filter((label) => !model.labels.includes(label) && countOf(samples, label) > 0);
  if (unknown.length === 0) return;
  throw new TransferKitError(
    'UNKNOWN_LABEL',
    `${verb}: expected the labels of the head (${model.labels.join(', ')}), got examples of ${unknown.join(', ')} too. ` +
      'Give replaceHead the labels of the samples.',
    { unknown, labels: model.labels },
  );
}

/** Examples of a label, which may be called as a member of every object is: 'constructor'. */
function countOf({ classCounts }: Samples, label: string): number {
  return Object.hasOwn(classCounts, label) ? (classCounts[label] ?? 0) : 0;
}

function encodeNumbers(verb: string, outputs: readonly string[], target: Target, id: string): Float32Array {
  const values = typeof target === 'number' ? [target] : isNumbers(target) ? target : undefined;
  if (values?.length !== outputs.length) throw mismatch(verb, `${String(outputs.length)} numbers`, target, id);
  if (values.every((value) => Number.isFinite(value))) return Float32Array.from(values);
  throw new TransferKitError('NOT_FINITE', `${verb}: expected finite targets, got ${values.join(', ')} for ${id}.`, {
    id,
  });
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

function mismatch(verb: string, expected: string, target: Target, id: string): TransferKitError {
  const text = `${verb}: expected ${expected} as target of ${id}, got ${JSON.stringify(target)}. Choose replaceHead's task to fit.`;
  return new TransferKitError('INVALID_OPTION', text, { id, target });
}

function isNames(target: Target): target is readonly string[] {
  return Array.isArray(target) && target.every((each) => typeof each === 'string');
}

function isNumbers(target: Target): target is readonly number[] {
  return Array.isArray(target) && target.every((each) => typeof each === 'number');
}
