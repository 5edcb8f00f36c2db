// Figures of a classifier or a regression, from its judgements of single examples. Plain numbers, no tensors.
import type { Judgement } from './measure.ts';
import { argMax, isChosen, taskRules } from '../model/tasks/taskRules.ts';

/** Figures of one class. Precision, recall and F1 are 0 where their denominator is. */
export interface LabelFigures {
  readonly label: string;
  /** Share of right ones among the examples predicted as this class. */
  readonly precision: number;
  /** Share of the class's examples that were found. */
  readonly recall: number;
  /** Harmonic mean of the two. */
  readonly f1: number;
  /** Examples of this class. */
  readonly support: number;
}

/** An example that the model was most wrong about. */
export interface Mistake {
  readonly id: string;
  readonly actual: string;
  readonly predicted: string;
  /** Probability that the model gave the actual label. */
  readonly probability: number;
  /** Probability that it gave the predicted label. */
  readonly predictedProbability: number;
  readonly loss: number;
}

/** Examples counted by actual class (row) and predicted class (column). `decide` gives the classes' indexes. */
export function confusionMatrix(
  pairs: readonly { readonly actual: number; readonly predicted: number }[],
  classes: number,
): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { actual, predicted } of pairs) {
    const row = matrix[actual];
    if (row !== undefined) row[predicted] = (row[predicted] ?? 0) + 1;
  }
  return matrix;
}

/** Precision, recall and F1 of every class of a confusion matrix. */
export function confusionFigures(labels: readonly string[], confusion: readonly (readonly number[])[]): LabelFigures[] {
  return labels.map((label, index) => {
    const right = confusion[index]?.[index] ?? 0;
    const support = (confusion[index] ?? []).reduce((sum, count) => sum + count, 0);
    const predicted = confusion.reduce((sum, row) => sum + (row[index] ?? 0), 0);
    return figures(label, right, predicted, support);
  });
}

/** Precision, recall and F1 of every label of a multi-label model. */
export function labelFigures(
  labels: readonly string[],
  judgements: readonly Judgement[],
  thresholds: readonly number[] = [],
): LabelFigures[] {
  return labels.map((label, index) => {
    const isActual = ({ target }: Judgement) => (target[index] ?? 0) > 0.5;
    const isPredicted = ({ logits }: Judgement) => isChosen(logits[index] ?? 0, thresholds[index]);
    const right = judgements.filter((each) => isActual(each) && isPredicted(each)).length;
    return figures(label, right, judgements.filter(isPredicted).length, judgements.filter(isActual).length);
  });
}

function figures(label: string, right: number, predicted: number, support: number): LabelFigures {
  const precision = predicted === 0 ? 0 : right / predicted;
  const recall = support === 0 ? 0 : right / support;
  return { label, precision, recall, f1: f1Score(right, predicted, support), support };
}

/** Harmonic mean of precision and recall, from counts; 0 where there is nothing to be found and nothing found. */
export function f1Score(right: number, predicted: number, actual: number): number {
  return predicted + actual === 0 ? 0 : (2 * right) / (predicted + actual);
}

/** Actual and predicted class of each judgement, for one label each: by one logit (binary) or by the largest. */
export function decide(
  { logits, target }: Pick<Judgement, 'logits' | 'target'>,
  thresholds: readonly number[] = [],
): { readonly actual: number; readonly predicted: number } {
  if (logits.length > 1) return { actual: argMax(target), predicted: argMax(logits) };
  return { actual: (target[0] ?? 0) > 0.5 ? 1 : 0, predicted: isChosen(logits[0] ?? 0, thresholds[0]) ? 1 : 0 };
}

/** Share of examples whose actual class is among the `k` with the largest logits; of equal ones the first counts as larger. */
export function topKAccuracy(judgements: readonly Judgement[], k: number, thresholds?: readonly number[]): number {
  const hits = judgements.filter((each) => {
    if (each.logits.length === 1) {
      const { actual, predicted } = decide(each, thresholds);
      return k > 1 || actual === predicted;
    }
    const actual = argMax(each.target);
    const own = each.logits[actual] ?? 0;
    return each.logits.filter((logit, i) => logit > own || (logit === own && i < actual)).length < k;
  });
  return hits.length / Math.max(judgements.length, 1);
}

/** What decides for one label. */
export interface Decider {
  readonly task: 'classes' | 'binary';
  readonly labels: readonly string[];
  /** See `HeadPart`. */
  readonly thresholds?: readonly number[] | undefined;
}

/** The wrong judgements with the largest losses first. */
export function worstMistakes(
  { task, labels, thresholds }: Decider,
  judgements: readonly Judgement[],
  most: number,
): Mistake[] {
  return judgements
    .map((judgement) => ({ judgement, ...decide(judgement, thresholds) }))
    .filter(({ actual, predicted }) => actual !== predicted)
    .sort((a, b) => b.judgement.loss - a.judgement.loss)
    .slice(0, most)
    .map(({ judgement, actual, predicted }) => {
      const probabilities = taskRules[task].outputs(judgement.logits);
      return {
        id: judgement.id,
        actual: labels[actual] ?? '',
        predicted: labels[predicted] ?? '',
        probability: probabilities[actual] ?? 0,
        predictedProbability: probabilities[predicted] ?? 0,
        loss: judgement.loss,
      };
    });
}

/** Figures of a regression, over all outputs or one. */
export interface RegressionFigures {
  readonly meanSquaredError: number;
  readonly meanAbsoluteError: number;
  /** `1 - Σ(y - ŷ)² / Σ(y - ȳ)²`, the mean of the outputs' own; NaN where all targets are equal. */
  readonly rSquared: number;
}

/** Figures of one output of a regression. */
export function regressionFigures(judgements: readonly Judgement[], output: number): RegressionFigures {
  const actual = judgements.map(({ target }) => target[output] ?? 0);
  const errors = judgements.map(({ logits }, i) => (logits[output] ?? 0) - (actual[i] ?? 0));
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
  const centre = mean(actual);
  const spread = mean(actual.map((value) => (value - centre) ** 2));
  const meanSquaredError = mean(errors.map((error) => error ** 2));
  return {
    meanSquaredError,
    meanAbsoluteError: mean(errors.map(Math.abs)),
    rSquared: spread === 0 ? NaN : 1 - meanSquaredError / spread,
  };
}
