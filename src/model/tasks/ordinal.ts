// The task `ordinal`: one of several labels that have an order, with one logit for each step between two labels.
import { sigmoid } from './activations.ts';
import { encodeLabel } from './labelTargets.ts';
import { labelLosses, meanBinaryEntropy, ranked } from './labelTasks.ts';
import { isChosen, sigmoidOf } from './logits.ts';
import { decideAll, decisionFigures, type DecisionFigures, type OneLabelRules } from './oneLabel.ts';
import { sigmoidLoss } from './rowLosses.ts';
import type { Task } from './task.ts';

/** Figures of a head that predicts one of several ordered labels. */
export interface OrdinalFigures extends DecisionFigures {
  readonly task: 'ordinal';
  /** Mean number of places between the predicted label and the actual one, in the order of the labels. */
  readonly meanAbsoluteError: number;
}

const rules: OneLabelRules = {
  labelOf: (target) => countOf(target, (share) => share > 0.5),
  decide: (logits) => countOf(logits, (logit) => isChosen(logit)),
  outputs: labelProbabilities,
};

/**
 * One of several labels that have an order. A head with K labels has K - 1 logits; logit k predicts whether the label
 * is beyond label k. Its target is the share of the labels beyond k. The loss is the mean of the K - 1 binary
 * cross-entropies: a mean, so that losses and learning rates do not depend on the number of labels. Its optimum is that
 * of the sum. The index of the predicted label is the number of probabilities above one half.
 *
 * Niu et al., "Ordinal Regression with Multiple Output CNN for Age Estimation", 2016; all weights of the K - 1
 * decisions are 1.
 */
export const ordinal = {
  name: 'ordinal',
  losses: labelLosses,
  rowLoss: sigmoidLoss,
  scalesTargets: false,
  activation: sigmoid,
  unitsText: 'one label more than logits',
  units: (labels) => labels - 1,
  labelsOf: (units) => units + 1,
  endsIn: ({ activation }) => activation === sigmoid,
  encode: (question) => Float32Array.from(beyondEach(encodeLabel(question))),
  outputs: labelProbabilities,
  correct: (logits, target) => Number(rules.decide(logits) === rules.labelOf(target)),
  predictions: ({ labels }, logits, topK) => {
    const decided = rules.decide(logits);
    return ranked(labels, labelProbabilities(logits), topK, (label) => label === decided);
  },
  figures: (head, answers, wanted): OrdinalFigures => {
    const decided = decideAll(rules, head, answers);
    const places = decided.reduce((sum, { actual, predicted }) => sum + Math.abs(actual - predicted), 0);
    return {
      task: 'ordinal',
      ...decisionFigures(rules, head, answers, { ...wanted, decided }),
      meanAbsoluteError: places / Math.max(answers.length, 1),
    };
  },
  labelled: {
    count: { text: 'two or more', isRight: (length) => length >= 2 },
    one: rules,
    shares: differences,
    // If all labels are equally probable, the share (K - 1 - k) / K is beyond label k.
    spread: (smoothing, units) =>
      Array.from({ length: units }, (_, unit) => (smoothing * (units - unit)) / (units + 1)),
    chanceLoss: (shares) => meanBinaryEntropy(beyondEach(shares)),
  },
  thresholds: 'The label of an ordinal head is decided by all of its logits together.',
  temperature: 'Label probabilities of an ordinal head are differences, which one temperature does not calibrate.',
} as const satisfies Task<'ordinal'>;

/** For each label but the last: the share of the labels beyond it. */
function beyondEach(shares: ArrayLike<number>): number[] {
  const beyond = new Array<number>(shares.length - 1);
  let sum = 0;
  for (let label = shares.length - 1; label > 0; label--) {
    sum += shares[label] ?? 0;
    beyond[label - 1] = Math.min(sum, 1);
  }
  return beyond;
}

/** Share of each label, from the falling shares beyond each label. */
function differences(beyond: ArrayLike<number>): number[] {
  return Array.from({ length: beyond.length + 1 }, (_, label) => (beyond[label - 1] ?? 1) - (beyond[label] ?? 0));
}

/**
 * Probability of each label: differences of the probabilities to be beyond a label, sorted in falling order. The K - 1
 * decisions are made separately and may contradict each other. Sorting removes contradictions and keeps the number of
 * probabilities above one half, so the predicted label is the median of the labels.
 *
 * Chernozhukov, Fernández-Val and Galichon, "Improving point and interval estimators of monotone functions by
 * rearrangement", 2009.
 */
function labelProbabilities(logits: Float32Array): number[] {
  return differences(Array.from(logits, sigmoidOf).sort((a, b) => b - a));
}

function countOf(values: ArrayLike<number>, is: (value: number) => boolean): number {
  return Array.from(values).filter(is).length;
}
