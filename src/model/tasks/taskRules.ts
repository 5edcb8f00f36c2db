// How logits become decisions and probabilities, in plain numbers. One row of facts for each task.
import type { TaskName } from '../model.ts';

/** What a task makes of the logits of one example. */
export interface TaskRules {
  /** Probabilities of the labels, or the numbers themselves. */
  outputs(logits: Float32Array): number[];
  /**
   * Share of right decisions, or undefined where there is none to be right about.
   *
   * @param thresholds - See `HeadPart`.
   */
  correct(logits: Float32Array, targets: Float32Array, thresholds?: readonly number[]): number | undefined;
}

/** Rules of each task. */
export const taskRules: Readonly<Record<TaskName, TaskRules>> = {
  classes: {
    outputs: softmax,
    correct: (logits, targets) => (argMax(logits) === argMax(targets) ? 1 : 0),
  },
  binary: {
    outputs: ([logit = 0]) => [1 - sigmoid(logit), sigmoid(logit)],
    correct: agreement,
  },
  multiLabel: {
    outputs: (logits) => Array.from(logits, sigmoid),
    correct: agreement,
  },
  regression: {
    outputs: (values) => Array.from(values),
    correct: () => undefined,
  },
};

/** Index of the largest value; the first of equals. */
export function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}

function softmax(logits: Float32Array): number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  return Array.from(logits, (logit) => Math.exp(logit - total));
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Whether the label of a logit is chosen: whether its probability is above a threshold, 0 … 1. */
export function isChosen(logit: number, threshold = 0.5): boolean {
  return logit > Math.log(threshold / (1 - threshold));
}

/** Share of labels decided right. */
function agreement(logits: Float32Array, targets: Float32Array, thresholds: readonly number[] = []): number {
  const isRight = (logit: number, i: number) => isChosen(logit, thresholds[i]) === (targets[i] ?? 0) > 0.5;
  return logits.reduce((count, logit, i) => count + Number(isRight(logit, i)), 0) / logits.length;
}
