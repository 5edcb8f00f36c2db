// Weights of examples by their label.
import { TransferKitError } from '../../core/errors.ts';
import type { AnyModel } from '../../model/model.ts';
import { nearestNames } from '../../core/names.ts';
import type { Samples } from '../../core/types.ts';
import { byHeads } from '../../model/headTargets.ts';
import { invalidOption, isObject } from '../../core/optionChecks.ts';
import { labelCounts } from '../../model/checkLabels.ts';
import { tasks } from '../../model/tasks/tasks.ts';

/**
 * The weight of an example with some target: that of its label. With shares of several labels it is the mean of their
 * weights by share; `multiLabel` does the same, and an example without any label has weight 1.
 *
 * `'balanced'` gives a label the weight `n / (k n_c)` with n examples, k labels and n_c examples of the label, as
 * scikit-learn does, so that all labels have the same total weight; for `multiLabel` n counts an example once for each
 * label that it has. In a record, labels that are not named have weight 1.
 *
 * @throws TransferKitError `INVALID_OPTION` unless weights are finite numbers from 0, and for regression;
 * `UNKNOWN_LABEL`.
 */
export function settleClassWeights(
  model: AnyModel,
  samples: Samples,
  option: 'balanced' | Readonly<Record<string, number>>,
): (target: Float32Array) => number {
  const [head, another] = byHeads(model, samples);
  if (head === undefined || another !== undefined) {
    throw invalidOption('no classWeights for several heads (weigh examples, or heads by lossWeights)', option);
  }
  const { task, labels } = head.part;
  const { labelled } = tasks[task];
  if (labelled === undefined) throw invalidOption(`no classWeights for ${task}, which has no labels`, option);
  const weights = option === 'balanced' ? balance(labelCounts(head)) : givenWeights(labels, option);
  return (target) => {
    const shares = Array.from(labelled.shares(target));
    const total = shares.reduce((sum, share) => sum + share, 0);
    return total === 0 ? 1 : shares.reduce((sum, share, label) => sum + share * (weights[label] ?? 1), 0) / total;
  };
}

/** Weights for equal totals; 1 for a label without examples. */
function balance(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (count === 0 ? 1 : total / (counts.length * count)));
}

function givenWeights(labels: readonly string[], option: unknown): number[] {
  if (!isObject(option) || Array.isArray(option)) {
    throw invalidOption("classWeights to be 'balanced' or a weight by label, such as { cat: 2 }", option);
  }
  const given = new Map<string, unknown>(Object.entries(option));
  for (const [label, weight] of given) {
    if (!labels.includes(label)) throw unknownLabel(labels, label);
    if (typeof weight === 'number' && Number.isFinite(weight) && weight >= 0) continue;
    throw invalidOption(`the class weight of '${label}' to be a finite number from 0`, weight);
  }
  const weights = labels.map((label) => Number(given.get(label) ?? 1));
  if (weights.some((weight) => weight > 0)) return weights;
  throw invalidOption('the class weight of some label to be above 0', option);
}

function unknownLabel(labels: readonly string[], label: string): TransferKitError {
  const nearest = nearestNames(label, labels);
  const text = `expected classWeights of labels of the head, got '${label}'. Nearest: ${nearest.join(', ')}.`;
  return new TransferKitError('UNKNOWN_LABEL', text, { label, nearest });
}
