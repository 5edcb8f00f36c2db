// Shared parts of tasks with labels: losses, label smoothing, loss of the label frequencies, predictions.
import { sigmoidOf } from './logits.ts';
import type { LabelPrediction, TemperatureRules } from './task.ts';

/** Names of losses for labels, the default first. */
export const labelLosses = ['crossEntropy', 'focal', 'hinge'] as const;

/** Spreads a share evenly over the outcomes of each unit. */
export function spreadOver(outcomes: number, smoothing: number, units: number): number[] {
  return new Array<number>(units).fill(smoothing / outcomes);
}

/** `-Σ share · log share`: the cross-entropy of always predicting the shares of labels that exclude each other. */
export function entropy(shares: readonly number[]): number {
  return shares.reduce((sum, share) => sum + surprise(share), 0);
}

/** Mean binary cross-entropy of always predicting the shares of labels that do not exclude each other. */
export function meanBinaryEntropy(shares: readonly number[]): number {
  return shares.reduce((sum, share) => sum + (surprise(share) + surprise(1 - share)), 0) / shares.length;
}

function surprise(share: number): number {
  return share > 0 ? -share * Math.log(share) : 0;
}

/** Labels with probabilities, in falling order. */
export function ranked(
  labels: readonly string[],
  probabilities: readonly number[],
  topK: number,
  chosen?: (label: number) => boolean,
): LabelPrediction[] {
  return labels
    .map((label, index) => {
      return { label, probability: probabilities[index] ?? NaN, ...(chosen && { chosen: chosen(index) }) };
    })
    .sort((a, b) => b.probability - a.probability)
    .slice(0, topK);
}

/** Temperature of a task whose logits are separate decisions at one half. */
export const temperatureOfEach: TemperatureRules = {
  losses: (units) => units,
  regret: (logits, target) =>
    logits.reduce((sum, logit) => sum + Math.max(logit, 0), 0) -
    logits.reduce((sum, logit, unit) => sum + logit * (target[unit] ?? 0), 0),
  decisions: (logits, target) =>
    Array.from(logits, (logit, unit) => {
      const probability = sigmoidOf(logit);
      return { confidence: Math.max(probability, 1 - probability), isRight: logit > 0 === (target[unit] ?? 0) > 0.5 };
    }),
};
