// Combines the tasks of a model's heads: one loss, smoothed targets, one share of right decisions. With several heads
// each has its own columns of logits and targets.
import { nameHead } from '../core/edge.ts';
import { add, clone, concat, mul, slice, stack, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { HeadPart } from '../model/model.ts';
import { nearestNames } from '../core/names.ts';
import type { Loss } from './loss.ts';
import { assertSmoothing, settleLoss, smoothTargets, type SettledLoss } from './losses.ts';
import { invalidOption, isObject } from '../core/optionChecks.ts';
import type { Task } from '../model/tasks/task.ts';
import { tasks, type LossName } from '../model/tasks/tasks.ts';

/** A loss for all heads, or losses of some heads by name. */
export type LossOption = LossName | Loss | Readonly<Record<string, LossName | Loss>>;

/** The loss of all heads: the sum of their losses, each multiplied by its weight. */
export interface HeadLoss extends SettledLoss {
  /** Loss of each example for each head, [b, heads], before weights. The caller owns the result. */
  byHead(logits: Tensor, targets: Tensor): Tensor;
  /** Weight of each head's loss in the sum. */
  readonly weights: readonly number[];
}

/**
 * The loss of a model's heads.
 *
 * @param lossWeights - Weight of each head's loss in the sum, from 0. Default 1 for each, as in Keras's `loss_weights`.
 * @throws TransferKitError `INVALID_OPTION` for names that no head has and for weights that are not finite or below 0,
 * and the errors of `settleLoss`.
 */
export function settleHeadLoss(
  parts: readonly HeadPart[],
  loss?: LossOption,
  lossWeights?: Readonly<Record<string, number>>,
): HeadLoss {
  const weights = settleWeights(parts, lossWeights);
  const chosen = lossByHead(parts, loss);
  const heads = parts.map((part, place) => nameHead(part.name, () => settleLoss(part.task, chosen[place])));
  const each = (logits: Tensor, targets: Tensor) =>
    heads.map((head, place) => head.losses(own(logits, parts, place), own(targets, parts, place)));
  const [first] = heads;
  return {
    name: heads.map(({ name }) => name).join(' + '),
    weights,
    losses: (logits, targets) => {
      if (first !== undefined && heads.length === 1 && weights[0] === 1) return first.losses(logits, targets);
      return tidy(() =>
        each(logits, targets)
          .map((losses, i) => mul(losses, weights[i] ?? 1))
          .reduce((a, b) => add(a, b)),
      );
    },
    byHead: (logits, targets) => tidy(() => stack(each(logits, targets), 1)),
  };
}

/**
 * Whether an option names the default losses of all heads.
 *
 * @throws TransferKitError `INVALID_OPTION` for names that no head has.
 */
export function isUsualLoss(parts: readonly HeadPart[], loss: LossOption | undefined): boolean {
  const chosen = lossByHead(parts, loss);
  return parts.every(({ task }, place) => (chosen[place] ?? tasks[task].losses[0]) === tasks[task].losses[0]);
}

/**
 * Smoothed targets of all heads, [b, units], a new tensor. Targets of a regression stay unchanged. See `smoothTargets`.
 */
export function smoothByHead(parts: readonly HeadPart[], targets: Tensor, smoothing: number): Tensor {
  if (smoothing === 0) return clone(targets);
  return tidy(() =>
    concat(
      parts.map(({ task }, i) => smoothTargets(task, own(targets, parts, i), smoothing)),
      -1,
    ),
  );
}

/**
 * Raises unless the targets of at least one head can be smoothed with this value.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertHeadSmoothing(parts: readonly HeadPart[], smoothing: unknown): void {
  const part = parts.find(({ task }) => tasks[task].labelled !== undefined) ?? parts[0];
  if (part !== undefined) assertSmoothing(part.task, smoothing);
}

/** Share of right decisions in one row. With several heads it is the mean over those that decide. */
export function correctOf(parts: readonly HeadPart[]): Task['correct'] {
  return (logits, targets) => {
    const shares = parts.flatMap(({ task, from, to, thresholds }) => {
      return tasks[task].correct(logits.subarray(from, to), targets.subarray(from, to), thresholds) ?? [];
    });
    return shares.length === 0 ? undefined : shares.reduce((sum, share) => sum + share, 0) / shares.length;
  };
}

/** The columns of one head. For a single head these are all columns. */
function own(values: Tensor, parts: readonly HeadPart[], place: number): Tensor {
  const { from, to } = parts[place] ?? { from: 0, to: 0 };
  if (parts.length === 1) return values;
  return slice(values, [0, from], [-1, to - from]);
}

function lossByHead(parts: readonly HeadPart[], loss: LossOption | undefined) {
  if (loss === undefined || typeof loss === 'string' || isLoss(loss)) return parts.map(() => loss);
  if (parts[0]?.name === '') throw invalidOption('loss to be a name or a loss, such as focalLoss() makes', loss);
  assertNames('loss', parts, loss);
  return parts.map(({ name }) => (Object.hasOwn(loss, name) ? loss[name] : undefined));
}

function isLoss(loss: unknown): loss is Loss {
  return isObject(loss) && 'losses' in loss && typeof loss.losses === 'function';
}

function settleWeights(parts: readonly HeadPart[], given: object = {}): number[] {
  assertNames('lossWeights', parts, given);
  const factors = new Map<string, unknown>(Object.entries(given));
  return parts.map(({ name }) => {
    const factor = factors.get(name) ?? 1;
    if (typeof factor === 'number' && Number.isFinite(factor) && factor >= 0) return factor;
    throw invalidOption(`the loss weight of head '${name}' to be a finite number from 0`, factor);
  });
}

/** Raises unless an option is a record whose keys are names of heads. */
function assertNames(option: string, parts: readonly HeadPart[], given: unknown): void {
  const names = parts.map(({ name }) => name).filter((name) => name !== '');
  if (!isObject(given) || Array.isArray(given)) {
    throw invalidOption(`${option} by the names of the model's heads, such as { ${names[0] ?? 'kind'}: … }`, given);
  }
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const known = names.length === 0 ? 'of a model with a record of heads' : `of the model's heads (${names.join(', ')})`;
  const [nearest = ''] = nearestNames(unknown, names);
  const found = nearest === '' ? `'${unknown}'` : `'${unknown}'; the nearest is '${nearest}'`;
  throw invalidOption(`${option} by the names ${known}`, unknown, found);
}
