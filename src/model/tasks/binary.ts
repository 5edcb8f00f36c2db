// The task `binary`: one of two labels, by one logit and a sigmoid.
import { isNumbers } from '../../core/numericTarget.ts';
import { sigmoid } from './activations.ts';
import { assertProbability, mismatch, oneLabelIn, sharesIn } from './labelTargets.ts';
import { entropy, labelLosses, ranked, spreadOver, temperatureOfEach } from './labelTasks.ts';
import { agreement, isChosen, sigmoidOf } from './logits.ts';
import { decideAll, decisionFigures, type OneLabelFigures, type OneLabelRules } from './oneLabel.ts';
import { sigmoidLoss } from './rowLosses.ts';
import type { TargetQuestion, Task } from './task.ts';

const rules: OneLabelRules = {
  labelOf: (target) => Number((target[0] ?? 0) > 0.5),
  decide: (logits, thresholds = []) => Number(isChosen(logits[0] ?? 0, thresholds[0])),
  outputs: ([logit = 0]) => [1 - sigmoidOf(logit), sigmoidOf(logit)],
};

/** One of two labels. The target is the share of the second label. One logit; above 0 it means the second label. */
export const binary = {
  name: 'binary',
  losses: labelLosses,
  rowLoss: sigmoidLoss,
  scalesTargets: false,
  activation: sigmoid,
  unitsText: 'two labels for one logit',
  units: () => 1,
  labelsOf: () => 2,
  endsIn: ({ activation, units }) => activation === sigmoid && units === 1,
  encode,
  outputs: rules.outputs,
  correct: agreement,
  predictions: ({ labels, thresholds }, logits, topK) => {
    const decided = rules.decide(logits, thresholds);
    return ranked(labels, rules.outputs(logits), topK, (label) => label === decided);
  },
  figures: (head, answers, wanted): OneLabelFigures => {
    const decided = decideAll(rules, head, answers);
    const hits = decided.filter(({ actual, predicted }) => wanted.topK > 1 || actual === predicted);
    return {
      task: 'binary',
      ...decisionFigures(rules, head, answers, { ...wanted, decided }),
      topKAccuracy: hits.length / Math.max(answers.length, 1),
    };
  },
  labelled: {
    count: { text: 'exactly two', isRight: (length) => length === 2 },
    one: rules,
    shares: ([share = 0]) => [1 - share, share],
    spread: (smoothing, units) => spreadOver(2, smoothing, units),
    chanceLoss: entropy,
  },
  thresholds: (labels) => labels.slice(1),
  temperature: temperatureOfEach,
} as const satisfies Task<'binary'>;

/** A label, the share of the second label, or the shares of both. */
function encode(question: TargetQuestion): Float32Array {
  const { target, id } = question;
  const index = oneLabelIn(question);
  if (index !== undefined) return Float32Array.of(index);
  const shares = sharesIn(question);
  if (shares !== undefined) return Float32Array.of(shares[1] ?? 0);
  const [value, ...rest] = isNumbers(target) ? target : [target];
  if (typeof value !== 'number' || rest.length > 0) throw mismatch('one label or a number 0 … 1', target, id);
  assertProbability(value, id);
  return Float32Array.of(value);
}
