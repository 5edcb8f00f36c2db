// The focal loss: a cross-entropy that reduces the weight of examples which are predicted well.
import { nameErrors } from '../core/edge.ts';
import {
  add,
  exp,
  logSoftmax,
  maximum,
  mean,
  mul,
  neg,
  pow,
  scalar,
  sub,
  sum,
  tidy,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { softplus } from './crossEntropy.ts';
import { tasks, tasksTaking } from '../model/tasks/tasks.ts';
import type { Loss } from './loss.ts';
import { assertOptions } from '../core/optionNames.ts';

/** Options of {@link focalLoss}. */
export interface FocalLossOptions {
  /**
   * Exponent, from 0. The larger it is, the less well predicted examples count; 0 gives the cross-entropy. Default 2.
   */
  readonly gamma?: number;
  /**
   * Weight of labels that apply, 0 … 1; labels that do not apply have weight `1 - alpha`. For the task `classes` it
   * scales the whole loss, as in Keras: use `classWeights` to balance classes. Default: all weights are 1.
   */
  readonly alpha?: number;
}

/**
 * Makes the focal loss, `-(1 - p)^gamma · log p`, where p is the predicted probability of the true answer. It suits
 * rare labels among many easy examples. It is linear in the targets, so that smoothed and blended targets give the
 * blend of the losses.
 *
 * Lin et al., "Focal Loss for Dense Object Detection", 2017. For one logit per label (`binary`, `multiLabel`) it is the
 * mean of torchvision's `sigmoid_focal_loss` over the labels. For `classes` it is Keras's
 * `CategoricalFocalCrossentropy`.
 *
 * @param options - See {@link FocalLossOptions}.
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { focalLoss } from 'transferkit';
 * const loss = focalLoss({ gamma: 1.5 });
 * await trainHead(model, samples, { loss, epochs: 2 });
 * ```
 */
export function focalLoss(options: FocalLossOptions = {}): Loss {
  return nameErrors('focalLoss', () => {
    assertOptions(options, { gamma: true, alpha: true });
    const { gamma = 2, alpha } = options;
    if (!(Number.isFinite(gamma) && gamma >= 0)) throw wrong('gamma to be a finite number from 0', gamma);
    if (alpha !== undefined && !(Number.isFinite(alpha) && alpha >= 0 && alpha <= 1))
      throw wrong('alpha to be 0 … 1', alpha);
    return {
      name: 'focal',
      settings: { gamma, ...(alpha === undefined ? {} : { alpha }) },
      tasks: tasksTaking('focal'),
      losses: (logits, targets, task) =>
        tidy(() =>
          tasks[task].activation.layer === 'softmax'
            ? mul(ofClasses(logits, targets, gamma), scalar(alpha ?? 1))
            : ofLabels(logits, targets, gamma, alpha ?? 1, 1 - (alpha ?? 0)),
        ),
    };
  });
}

function ofClasses(logits: Tensor, targets: Tensor, gamma: number): Tensor {
  const logs = logSoftmax(logits);
  // Bounded away from 0, where a root has no finite derivative.
  const missing = maximum(sub(scalar(1), exp(logs)), scalar(1e-7));
  return neg(sum(mul(targets, mul(pow(missing, scalar(gamma)), logs)), -1));
}

/**
 * `-log p` is softplus(-x) if the label applies, softplus(x) if it does not; `1 - p` is computed from the other one.
 */
function ofLabels(logits: Tensor, targets: Tensor, gamma: number, present: number, absent: number): Tensor {
  const [up, down] = [softplus(logits), softplus(neg(logits))];
  const loss = (surprise: Tensor, other: Tensor) => mul(exp(mul(other, scalar(-gamma))), surprise);
  const weightOfPresent = mul(targets, scalar(present));
  const weightOfAbsent = mul(sub(scalar(1), targets), scalar(absent));
  return mean(add(mul(weightOfPresent, loss(down, up)), mul(weightOfAbsent, loss(up, down))), -1);
}

function wrong(expected: string, received: unknown): TransferKitError {
  return new TransferKitError('INVALID_OPTION', `expected ${expected}, got ${String(received)}.`, {
    received,
  });
}
