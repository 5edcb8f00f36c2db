// The task `multiLabel`: any number of labels, with one sigmoid each.
import { isNumbers } from '../../core/numericTarget.ts';
import { sigmoid } from './activations.ts';
import { assertProbability, indexOf, mismatch, namesIn, oneAt } from './labelTargets.ts';
import { labelLosses, meanBinaryEntropy, ranked, spreadOver, temperatureOfEach } from './labelTasks.ts';
import { agreement, isChosen, sigmoidOf } from './logits.ts';
import { labelFigures, type LabelFigures } from './metrics.ts';
import { sigmoidLoss } from './rowLosses.ts';
import type { TargetQuestion, Task } from './task.ts';

/** Figures of a head that predicts any number of labels. */
export interface MultiLabelFigures {
  readonly task: 'multiLabel';
  /** Share of right decisions over all labels of all examples, at the model's thresholds. */
  readonly accuracy: number;
  readonly labels: readonly string[];
  readonly perLabel: readonly LabelFigures[];
}

/** Any number of labels. The target is 0 … 1 for each label. One logit for each label. */
export const multiLabel = {
  name: 'multiLabel',
  losses: labelLosses,
  rowLoss: sigmoidLoss,
  scalesTargets: false,
  activation: sigmoid,
  unitsText: 'one label for each logit',
  units: (labels) => labels,
  labelsOf: (units) => units,
  endsIn: ({ activation, units }) => activation === sigmoid && units !== 1,
  encode,
  outputs: (logits) => Array.from(logits, sigmoidOf),
  correct: agreement,
  predictions: ({ labels, thresholds = [] }, logits, topK) => {
    const isLabelChosen = (label: number) => isChosen(logits[label] ?? 0, thresholds[label]);
    return ranked(labels, Array.from(logits, sigmoidOf), topK, isLabelChosen);
  },
  figures: ({ labels, thresholds }, answers, { accuracy }): MultiLabelFigures => {
    return { task: 'multiLabel', accuracy, labels, perLabel: labelFigures(labels, answers, thresholds) };
  },
  labelled: {
    count: { text: 'one or more', isRight: (length) => length >= 1 },
    one: undefined,
    shares: (target) => target,
    spread: (smoothing, units) => spreadOver(2, smoothing, units),
    chanceLoss: meanBinaryEntropy,
  },
  thresholds: (labels) => labels,
  temperature: temperatureOfEach,
} as const satisfies Task<'multiLabel'>;

/** A list of labels, or one number for each label. */
function encode({ labels, target, id }: TargetQuestion): Float32Array {
  const names = namesIn(target);
  if (names !== undefined) {
    const places = names.map((name) => indexOf(labels, name, id));
    return oneAt(labels.length, places);
  }
  if (!isNumbers(target) || target.length !== labels.length) {
    throw mismatch(`labels, or ${String(labels.length)} numbers 0 … 1,`, target, id);
  }
  for (const value of target) assertProbability(value, id);
  return Float32Array.from(target);
}
