// Computes figures of a classifier or a regression from its answers to single examples. Plain numbers, no tensors.
import { isChosen } from './logits.ts';
import type { Answered } from './task.ts';

/** Figures of one class. Precision, recall and F1 are 0 if their denominator is 0. */
export interface LabelFigures {
  readonly label: string;
  /** Share of the examples predicted as this class that belong to it. */
  readonly precision: number;
  /** Share of the class's examples that were predicted as this class. */
  readonly recall: number;
  /** Harmonic mean of precision and recall. */
  readonly f1: number;
  /** Number of examples of this class. */
  readonly support: number;
}

/** Examples counted by actual class (row) and predicted class (column). Classes are indexes. */
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
  answers: readonly Answered[],
  thresholds: readonly number[] = [],
): LabelFigures[] {
  return labels.map((label, index) => {
    const isActual = ({ target }: Answered) => (target[index] ?? 0) > 0.5;
    const isPredicted = ({ logits }: Answered) => isChosen(logits[index] ?? 0, thresholds[index]);
    const right = answers.filter((each) => isActual(each) && isPredicted(each)).length;
    return figures(label, right, answers.filter(isPredicted).length, answers.filter(isActual).length);
  });
}

function figures(label: string, right: number, predicted: number, support: number): LabelFigures {
  const precision = predicted === 0 ? 0 : right / predicted;
  const recall = support === 0 ? 0 : right / support;
  return { label, precision, recall, f1: f1Score(right, predicted, support), support };
}

/** Harmonic mean of precision and recall, from counts. 0 if there are neither examples nor predictions. */
export function f1Score(right: number, predicted: number, actual: number): number {
  return predicted + actual === 0 ? 0 : (2 * right) / (predicted + actual);
}

/** Figures of a regression, over all outputs or for one. */
export interface RegressionFigures {
  readonly meanSquaredError: number;
  readonly meanAbsoluteError: number;
  /** `1 - Σ(y - ŷ)² / Σ(y - ȳ)²`, averaged over the outputs. NaN if all targets are equal. */
  readonly rSquared: number;
}

/** Figures of one output of a regression. */
export function regressionFigures(answers: readonly Answered[], output: number): RegressionFigures {
  const actual = answers.map(({ target }) => target[output] ?? 0);
  const errors = answers.map(({ logits }, i) => (logits[output] ?? 0) - (actual[i] ?? 0));
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
