// Chooses the loss of a head, checks its results, and smooths targets.
import { add, clone, mean, mul, scalar, tensor1d, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { describeShape } from '../core/shapes.ts';
import { tasks, tasksTaking, type LossName, type TaskName } from '../model/tasks/tasks.ts';
import { sigmoidCrossEntropy, softmaxCrossEntropy } from './crossEntropy.ts';
import { focalLoss } from './focalLoss.ts';
import { binaryHinge, multiClassHinge } from './hingeLosses.ts';
import type { Loss } from './loss.ts';
import { assertOneOf, assertShare, invalidOption, isObject } from '../core/optionChecks.ts';
import { huberLoss, meanAbsoluteError, meanSquaredError } from './regressionLosses.ts';

/** A loss of a head's task. */
export interface SettledLoss {
  readonly name: string;
  /** Loss of each example, [b], for logits and targets [b, units]. The caller owns the result. */
  losses(logits: Tensor, targets: Tensor): Tensor;
}

const lossesByName: Readonly<Record<LossName, () => Loss>> = {
  crossEntropy: () => ofLabels('crossEntropy', { softmax: softmaxCrossEntropy, sigmoid: sigmoidCrossEntropy }),
  focal: () => focalLoss(),
  hinge: () => ofLabels('hinge', { softmax: multiClassHinge, sigmoid: binaryHinge }),
  meanSquaredError: () => ofNumbers('meanSquaredError', meanSquaredError),
  meanAbsoluteError: () => ofNumbers('meanAbsoluteError', meanAbsoluteError),
  huber: () => huberLoss(),
};

type LossFunction = (logits: Tensor, targets: Tensor) => Tensor;

/** A loss of labels: for labels that exclude each other, or as a mean over logits that are separate decisions. */
function ofLabels(name: LossName, { softmax, sigmoid }: Readonly<Record<'softmax' | 'sigmoid', LossFunction>>): Loss {
  return {
    name,
    tasks: tasksTaking(name),
    losses: (logits, targets, task) =>
      tasks[task].activation.layer === 'softmax' ? softmax(logits, targets) : sigmoid(logits, targets),
  };
}

function ofNumbers(name: LossName, losses: LossFunction): Loss {
  return { name, tasks: tasksTaking(name), losses };
}

/**
 * The loss of a task: the given one, or the task's default.
 *
 * @throws TransferKitError `INVALID_OPTION` for an unknown name, a value that is no loss, and a loss for other tasks.
 * The returned `losses` raises `WRONG_SHAPE` if the loss does not give one number per example.
 */
export function settleLoss(task: TaskName, loss?: LossName | Loss): SettledLoss {
  const chosen = chooseLoss(loss ?? tasks[task].losses[0]);
  const { name, tasks: takenBy } = chosen;
  if (takenBy !== undefined && !takenBy.includes(task)) {
    const text = `expected a loss for task '${task}', got '${name}', which is for ${takenBy.join(', ')}.`;
    throw new TransferKitError('INVALID_OPTION', text, { loss: name, task, tasks: takenBy });
  }
  return {
    name,
    losses: (logits, targets) => {
      const losses = chosen.losses(logits, targets, task);
      if (losses.shape.length === 1 && losses.shape[0] === logits.shape[0]) return losses;
      throw notOneForEach(name, losses.shape);
    },
  };
}

function chooseLoss(loss: LossName | Loss): Loss {
  if (typeof loss === 'string') {
    assertOneOf('loss', loss, Object.keys(lossesByName));
    return lossesByName[loss]();
  }
  const given: unknown = loss;
  if (isObject(given) && 'losses' in given && typeof given.losses === 'function') return loss;
  throw invalidOption('loss to be a name or a loss, such as focalLoss() makes', given);
}

function notOneForEach(name: string, shape: readonly number[]): TransferKitError {
  const text = `expected loss '${name}' to give a number for each example, [b], got ${describeShape(shape)}.`;
  return new TransferKitError('WRONG_SHAPE', text, { loss: name, shape });
}

/**
 * Raises unless targets of a task can be smoothed with this value.
 *
 * @throws TransferKitError `INVALID_OPTION` outside [0, 1), and above 0 for regression.
 */
export function assertSmoothing(task: TaskName, smoothing: unknown): asserts smoothing is number {
  assertShare('labelSmoothing', smoothing);
  if (tasks[task].labelled === undefined && smoothing > 0) {
    throw invalidOption(`labelSmoothing 0 for ${task}, whose targets are no labels`, smoothing);
  }
}

/**
 * Smooths targets by spreading the share `s` evenly over the outcomes: `t (1 - s) + s / K` for K classes, `t (1 - s) +
 * s / 2` for a label that applies or not. As Keras's `label_smoothing`. Targets of a regression stay unchanged.
 *
 * Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016, section 7.
 *
 * @param targets - [b, units]
 * @param smoothing - s, from 0 to below 1.
 * @returns [b, units], a new tensor.
 */
export function smoothTargets(task: TaskName, targets: Tensor, smoothing: number): Tensor {
  const { labelled } = tasks[task];
  if (smoothing === 0 || labelled === undefined) return clone(targets);
  const spread = labelled.spread(smoothing, targets.shape.at(-1) ?? 1);
  return tidy(() => add(mul(targets, scalar(1 - smoothing)), tensor1d(spread)));
}

/** Mean over the batch of losses times weights, both [b]: Keras's `sum_over_batch_size` with sample weights. */
export function weightedMean(losses: Tensor, weights: Tensor): Scalar {
  return tidy(() => mean<Scalar>(mul(losses, weights)));
}
