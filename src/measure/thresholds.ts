// Finds the best decision threshold of a label.
import { isChosen } from '../model/tasks/logits.ts';
import { f1Score } from '../model/tasks/metrics.ts';

/** Metric that a threshold maximises, for each label separately. */
export type ThresholdMetric = 'f1' | 'accuracy';

/** Logit and truth of one label of an example. */
export interface SaidOfLabel {
  readonly logit: number;
  readonly applies: boolean;
}

/** Examples by whether a label applies and is chosen. */
interface Counts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly positives: number;
  readonly all: number;
}

const scores: Readonly<Record<ThresholdMetric, (counts: Counts) => number>> = {
  f1: ({ truePositives, falsePositives, positives }) =>
    f1Score(truePositives, truePositives + falsePositives, positives),
  accuracy: ({ truePositives, falsePositives, positives, all }) =>
    (truePositives + (all - positives - falsePositives)) / all,
};

/** The score of the decisions that a threshold makes. */
export function scoreAt(metric: ThresholdMetric, said: readonly SaidOfLabel[], threshold: number | undefined): number {
  const chosen = said.filter(({ logit }) => isChosen(logit, threshold));
  const truePositives = chosen.filter(({ applies }) => applies).length;
  const positives = said.filter(({ applies }) => applies).length;
  return scores[metric]({ truePositives, falsePositives: chosen.length - truePositives, positives, all: said.length });
}

/**
 * The threshold with the best score: half-way between the probabilities of two examples, or between one and 0 or 1. Of
 * equally good ones the nearest to 0.5, and 0.5 itself if it decides the same. The score is that of the decisions when
 * the threshold is applied: probabilities that round to the same number cannot be separated.
 */
export function bestThreshold(metric: ThresholdMetric, said: readonly SaidOfLabel[]): number {
  const falling = [...said].sort((a, b) => b.logit - a.logit);
  // Number of applying labels before each place.
  const right = [0];
  for (const { applies } of falling) right.push((right.at(-1) ?? 0) + Number(applies));
  const positives = right.at(-1) ?? 0;
  let best = { score: -1, threshold: 0.5 };
  for (let place = 0; place <= falling.length; place++) {
    const [last, next] = [falling[place - 1], falling[place]];
    if (last !== undefined && last.logit === next?.logit) continue;
    const threshold = between(last?.logit ?? Infinity, next?.logit ?? -Infinity);
    const chosen = countChosen(falling, threshold);
    const truePositives = right[chosen] ?? 0;
    const falsePositives = chosen - truePositives;
    const score = scores[metric]({ truePositives, falsePositives, positives, all: said.length });
    const isNearer = Math.abs(threshold - 0.5) < Math.abs(best.threshold - 0.5);
    if (score > best.score || (score === best.score && isNearer)) best = { score, threshold };
  }
  return best.threshold;
}

/** Number of chosen ones, by bisection: if a logit is chosen, all larger ones are. */
function countChosen(falling: readonly SaidOfLabel[], threshold: number): number {
  let [from, to] = [0, falling.length];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (isChosen(falling[middle]?.logit ?? -Infinity, threshold)) from = middle + 1;
    else to = middle;
  }
  return from;
}

function between(above: number, below: number): number {
  if (below <= 0 && above > 0) return 0.5;
  return (1 / (1 + Math.exp(-above)) + 1 / (1 + Math.exp(-below))) / 2;
}
