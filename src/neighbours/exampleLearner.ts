// A learner that keeps examples instead of training, as `compare` takes it, and its accuracy.
import { isTransferKitError } from '../core/errors.ts';
import type { Samples, Target } from '../core/types.ts';
import { noneReadable } from '../features/examples.ts';

/** A model that learns from examples in one pass, such as `knn` and `nearestCentroid` make. */
export interface ExampleLearner {
  /** Adds all examples. `signal` stops it before the next batch. */
  addAll(samples: Samples, options?: { readonly signal?: AbortSignal }): Promise<unknown>;
  /** Predictions for each of the inputs, the most probable label first. */
  predict(inputs: readonly unknown[]): Promise<readonly (readonly { readonly label: string }[])[]>;
}

/** Accuracy on the examples that can be read. */
export async function accuracyOf(learner: ExampleLearner, test: Samples): Promise<number> {
  const atOnce = 32;
  const judged: boolean[] = [];
  for (let start = 0; start < test.size; start += atOnce) {
    const indexes = Array.from({ length: Math.min(atOnce, test.size - start) }, (_, i) => start + i);
    judged.push(...(await judge(learner, test, indexes)));
  }
  if (judged.length === 0) throw noneReadable(test);
  return judged.filter((isRight) => isRight).length / judged.length;
}

/**
 * Whether each example is labelled right. If an example cannot be read and may be left out, they are tried one by one.
 */
async function judge(learner: ExampleLearner, test: Samples, indexes: readonly number[]): Promise<boolean[]> {
  try {
    const read = await Promise.all(indexes.map(async (index) => test.read(index)));
    const predictions = await learner.predict(read.map(({ input }) => input));
    return predictions.map(([best], i) => isLabel(read[i]?.target, best?.label));
  } catch (error) {
    const mayBeLeftOut = isTransferKitError(error) && error.code === 'UNREADABLE' && test.onUnreadable === 'skip';
    if (!mayBeLeftOut) throw error;
    if (indexes.length === 1) return [];
    const judged: boolean[] = [];
    for (const index of indexes) judged.push(...(await judge(learner, test, [index])));
    return judged;
  }
}

function isLabel(target: Target | undefined, label: string | undefined): boolean {
  return (
    label !== undefined && (target === label || (Array.isArray(target) && target.length === 1 && target[0] === label))
  );
}
