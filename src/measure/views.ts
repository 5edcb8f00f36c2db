// Test-time augmentation: the mean of what a model says about several views of each input.
import { dispose, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../core/errors.ts';
import { assertWhole, invalidOption } from '../core/optionChecks.ts';
import { augmentInputs, settleAugmentation, type AugmentOption } from '../data/augment/augment.ts';
import { augmentPictures } from '../data/augment/augmentPictures.ts';
import { fixedViews, mostFixedViews } from '../data/augment/fixedViews.ts';
import type { AnyModel, HeadPart } from '../model/model.ts';
import { tasks } from '../model/tasks/tasks.ts';
import type { InferViews, Run, ViewOptions } from './viewOptions.ts';

/** Makes a view of a batch of inputs. The caller owns the result and keeps the input. */
type Change = (input: Tensor) => Promise<Tensor>;

/**
 * Checks the options. Undefined if there is only the input as it is.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleViews(model: AnyModel, { views, augment }: ViewOptions): InferViews | undefined {
  if (views === undefined) {
    if (augment === undefined) return undefined;
    throw invalidOption('views beside augment: the number of views', undefined, 'no views');
  }
  assertWhole('views', views, 1);
  const changes = augment === undefined ? fixedChanges(model, views) : drawnChanges(model, views, augment);
  return views === 1 ? undefined : (input, run) => inferViews({ changes, parts: model.head.parts }, input, run);
}

function fixedChanges({ base }: AnyModel, views: number): Change[] {
  if (views === 1) return [];
  if (views > mostFixedViews) {
    throw invalidOption(`views up to ${String(mostFixedViews)}, or augment beside them`, views);
  }
  return fixedViews(base, views).map((change) => async (input) => {
    const [size = 0] = input.shape;
    return augmentPictures(change, input, new Array<number>(size).fill(0));
  });
}

function drawnChanges(model: AnyModel, views: number, augment: AugmentOption): Change[] {
  const settled = settleAugmentation({ augment, views, seed: 0, epochs: views, model });
  if (settled === undefined) throw invalidOption('augment that changes the views', augment);
  return Array.from({ length: views - 1 }, (_, place) => (input) => {
    const [size = 0] = input.shape;
    // The same index for each input, so that a prediction does not depend on the other inputs.
    const indexes = new Array<number>(size).fill(0);
    const ids = Array.from(indexes, (_, row) => `view ${String(place + 1)} of input ${String(row)}`);
    return augmentInputs(settled, { input, indexes, ids }, place + 1);
  });
}

interface Views {
  /** What makes the second view and the following ones. */
  readonly changes: readonly Change[];
  /** The heads. Each has its own mean. */
  readonly parts: readonly HeadPart[];
}

async function inferViews({ changes, parts }: Views, input: Tensor, run: Run): Promise<Tensor> {
  const views = [await logitsOf(run, input)];
  for (const change of changes) {
    const changed = await change(input);
    try {
      views.push(await logitsOf(run, changed));
    } finally {
      dispose(changed);
    }
  }
  const [size = 0] = input.shape;
  const width = (views[0]?.length ?? 0) / size;
  const means = new Float32Array(size * width);
  for (let row = 0; row < size; row++) {
    for (const { task, from, to } of parts) {
      const own = views.map((values) => values.subarray(row * width + from, row * width + to));
      means.set(meanOf(task, own), row * width + from);
    }
  }
  return tensor(means, [size, width]);
}

/** A view whose outputs are not finite makes the mean NaN, which is reported; a mean of probabilities might hide it. */
function meanOf(task: HeadPart['task'], views: readonly Float32Array[]): ArrayLike<number> {
  const isFinite = views.every((logits) => logits.every(Number.isFinite));
  return isFinite ? tasks[task].activation.ofMean(views) : new Float32Array(views[0]?.length ?? 0).fill(NaN);
}

async function logitsOf(run: Run, input: Tensor): Promise<Float32Array> {
  const logits = await run(input);
  try {
    const values = await logits.data();
    if (!(values instanceof Float32Array)) throw internalError(`logits are ${logits.dtype}`);
    return values;
  } finally {
    dispose(logits);
  }
}
