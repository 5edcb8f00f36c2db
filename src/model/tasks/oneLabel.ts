// Figures of heads that decide for one label per example.
import { confusionFigures, confusionMatrix, type LabelFigures } from './metrics.ts';
import type { Answered, Baselines, Decider, OneLabel, Wanted } from './task.ts';

/** A wrong prediction with a large loss. */
export interface Mistake {
  readonly id: string;
  readonly actual: string;
  readonly predicted: string;
  /** Predicted probability of the actual label. */
  readonly probability: number;
  /** Probability of the predicted label. */
  readonly predictedProbability: number;
  readonly loss: number;
}

/** Figures that all tasks with one label per example have. */
export interface DecisionFigures {
  /** Share of right predictions. */
  readonly accuracy: number;
  readonly labels: readonly string[];
  /** `confusion[actual][predicted]`, numbers of examples in the order of `labels`. */
  readonly confusion: readonly (readonly number[])[];
  readonly perLabel: readonly LabelFigures[];
  /** Wrong predictions, those with the largest losses first. */
  readonly worst: readonly Mistake[];
  /** Accuracies that the model should exceed. Present with the option `baselines`. */
  readonly baselines?: Baselines;
}

/** Figures of a head that predicts one label: of tasks `classes` and `binary`. */
export interface OneLabelFigures extends DecisionFigures {
  readonly task: 'classes' | 'binary';
  /** Share of examples whose label is among the `topK` most probable ones. */
  readonly topKAccuracy: number;
}

/** Functions by which a task decides for one label. */
export interface OneLabelRules extends OneLabel {
  readonly outputs: (logits: Float32Array) => number[];
}

/** Indexes of the actual and the predicted label of an answer. */
export interface Decided {
  readonly actual: number;
  readonly predicted: number;
}

/** Actual and predicted label of each answer. */
export function decideAll(rules: OneLabel, { thresholds }: Decider, answers: readonly Answered[]): Decided[] {
  return answers.map(({ logits, target }) => ({
    actual: rules.labelOf(target),
    predicted: rules.decide(logits, thresholds),
  }));
}

/** Figures of decisions. */
export function decisionFigures(
  rules: OneLabelRules,
  { labels }: Decider,
  answers: readonly Answered[],
  { decided, accuracy, worst, baselines }: Wanted & { readonly decided: readonly Decided[] },
): DecisionFigures {
  const confusion = confusionMatrix(decided, labels.length);
  return {
    accuracy,
    labels,
    confusion,
    perLabel: confusionFigures(labels, confusion),
    worst: worstMistakes(rules, labels, { answers, decided, most: worst }),
    ...(baselines && { baselines }),
  };
}

/** The wrong answers, those with the largest losses first. */
function worstMistakes(
  { outputs }: OneLabelRules,
  labels: readonly string[],
  { answers, decided, most }: { answers: readonly Answered[]; decided: readonly Decided[]; most: number },
): Mistake[] {
  return answers
    .flatMap((answer, place) => {
      const found = decided[place];
      return found === undefined || found.actual === found.predicted ? [] : [{ answer, ...found }];
    })
    .sort((a, b) => b.answer.loss - a.answer.loss)
    .slice(0, most)
    .map(({ answer: { id, logits, loss }, actual, predicted }) => {
      const probabilities = outputs(logits);
      return {
        id,
        actual: labels[actual] ?? '',
        predicted: labels[predicted] ?? '',
        probability: probabilities[actual] ?? 0,
        predictedProbability: probabilities[predicted] ?? 0,
        loss,
      };
    });
}
