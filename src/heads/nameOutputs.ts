// Names and number of a head's outputs, checked.
import { TransferKitError } from '../core/errors.ts';
import type { Task } from '../core/model.ts';

const tasks: readonly string[] = ['classes', 'binary', 'multiLabel', 'regression'];

interface OutputNames {
  readonly labels: readonly string[];
  /** Number of logits. */
  readonly units: number;
}

/**
 * The labels of a head and how many logits they take.
 *
 * @throws TransferKitError `INVALID_OPTION`, `TOO_FEW_CLASSES`.
 */
export function nameOutputs(
  task: Task,
  { labels, outputs }: { readonly labels?: readonly string[]; readonly outputs?: number | readonly string[] },
): OutputNames {
  if (!tasks.includes(task)) throw invalid(`task to be one of ${tasks.join(', ')}`, task);
  if (task === 'regression') {
    if (labels !== undefined) throw invalid('outputs instead of labels for regression', labels);
    return regressionNames(outputs ?? 1);
  }
  if (outputs !== undefined) throw invalid(`labels instead of outputs for task '${task}'`, outputs);
  if (labels === undefined) throw invalid("labels, such as { labels: ['cat', 'dog'] }", labels);
  assertNames(labels);
  const enough =
    task === 'multiLabel' ? labels.length >= 1 : task === 'binary' ? labels.length === 2 : labels.length >= 2;
  if (enough) return { labels: [...labels], units: task === 'binary' ? 1 : labels.length };
  const count = { classes: 'two or more', binary: 'exactly two', multiLabel: 'one or more' }[task];
  throw new TransferKitError(
    'TOO_FEW_CLASSES',
    `replaceHead: expected ${count} labels for task '${task}', got ${String(labels.length)} (${labels.join(', ') || 'none'}). ` +
      'A classifier needs something to tell apart: add examples of another class.',
    { task, labels },
  );
}

function regressionNames(outputs: number | readonly string[]): OutputNames {
  if (typeof outputs !== 'number') {
    assertNames(outputs);
    if (outputs.length === 0) throw invalid('at least one output', outputs);
    return { labels: [...outputs], units: outputs.length };
  }
  if (!Number.isInteger(outputs) || outputs < 1) throw invalid('outputs to be a whole number above 0', outputs);
  const labels = Array.from({ length: outputs }, (_, index) =>
    outputs === 1 ? 'output' : `output ${String(index + 1)}`,
  );
  return { labels, units: outputs };
}

function assertNames(names: readonly string[]): void {
  const given: unknown = names;
  if (!Array.isArray(given)) throw invalid('a list of names', given);
  if (!names.every((name) => typeof name === 'string' && name !== '')) throw invalid('names that are not empty', names);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid('names that differ', `'${twice}' twice`);
}

function invalid(expected: string, received: unknown): TransferKitError {
  const shown = received === undefined ? 'nothing' : typeof received === 'string' ? received : JSON.stringify(received);
  return new TransferKitError('INVALID_OPTION', `replaceHead: expected ${expected}, got ${shown}.`, { received });
}
