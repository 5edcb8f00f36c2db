// How logits become decisions and probabilities, in plain numbers. One row of facts for each task.
import type { Task } from '../core/model.ts';

/** What a task makes of the logits of one example. */
export interface TaskRules {
  /** Probabilities of the labels, or the numbers themselves. */
  outputs(logits: Float32Array): number[];
  /** Share of right decisions, or undefined where there is none to be right about. */
  correct(logits: Float32Array, targets: Float32Array): number | undefined;
}

/** Rules of each task. */
export const taskRules: Readonly<Record<Task, TaskRules>> = {
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

/** Share of labels decided right at a probability of one half. */
function agreement(logits: Float32Array, targets: Float32Array): number {
  const right = logits.reduce((count, logit, i) => count + (logit > 0 === (targets[i] ?? 0) > 0.5 ? 1 : 0), 0);
  return right / logits.length;
}
