// The task `classes`: one of several labels, with a softmax.
import { softmax } from './activations.ts';
import { encodeLabel } from './labelTargets.ts';
import { entropy, labelLosses, ranked, spreadOver } from './labelTasks.ts';
import { argMax, softmaxOf } from './logits.ts';
import { decideAll, decisionFigures, type OneLabelFigures } from './oneLabel.ts';
import { softmaxLoss } from './rowLosses.ts';
import type { Answered, Task } from './task.ts';

const rules = { labelOf: argMax, decide: argMax, outputs: softmaxOf };

/** One of several labels. Targets are shares of the labels that sum to 1. One logit for each label. */
export const classes = {
  name: 'classes',
  losses: labelLosses,
  rowLoss: softmaxLoss,
  scalesTargets: false,
  activation: softmax,
  unitsText: 'one label for each logit',
  units: (labels) => labels,
  labelsOf: (units) => units,
  endsIn: ({ activation }) => activation === softmax,
  encode: encodeLabel,
  outputs: softmaxOf,
  correct: (logits, target) => (argMax(logits) === argMax(target) ? 1 : 0),
  predictions: ({ labels }, logits, topK) => ranked(labels, softmaxOf(logits), topK),
  figures: (head, answers, wanted): OneLabelFigures => ({
    task: 'classes',
    ...decisionFigures(rules, head, answers, { ...wanted, decided: decideAll(rules, head, answers) }),
    topKAccuracy: topKAccuracy(answers, Math.min(wanted.topK, head.labels.length)),
  }),
  labelled: {
    count: { text: 'two or more', isRight: (length) => length >= 2 },
    one: rules,
    shares: (target) => target,
    spread: (smoothing, units) => spreadOver(units, smoothing, units),
    chanceLoss: entropy,
  },
  thresholds: 'One of several classes is the most probable one, whatever its probability.',
  temperature: {
    losses: () => 1,
    regret: (logits, target) =>
      (logits[argMax(logits)] ?? 0) - logits.reduce((sum, logit, unit) => sum + logit * (target[unit] ?? 0), 0),
    decisions: (logits, target) => {
      const decided = argMax(logits);
      return [{ confidence: softmaxOf(logits)[decided] ?? NaN, isRight: decided === argMax(target) }];
    },
  },
} as const satisfies Task<'classes'>;

/** Share of examples whose label is among the `k` largest logits. Of equal logits the first one counts as larger. */
function topKAccuracy(answers: readonly Answered[], k: number): number {
  const hits = answers.filter(({ logits, target }) => {
    const actual = argMax(target);
    const own = logits[actual] ?? 0;
    return logits.filter((logit, i) => logit > own || (logit === own && i < actual)).length < k;
  });
  return hits.length / Math.max(answers.length, 1);
}
