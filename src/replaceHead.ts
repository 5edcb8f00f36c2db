// The verb replaceHead: a base gets a new, untrained end.
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { TransferKitError } from './core/errors.ts';
import type { Base, Task, TransferModel } from './core/model.ts';
import { adoptHead } from './heads/adoptHead.ts';
import { buildHead, poolings, type HeadPlan, type Pooling } from './heads/buildHead.ts';
import { makeModel } from './heads/makeModel.ts';
import { nameOutputs } from './heads/nameOutputs.ts';
import { takenNames } from './heads/takenNames.ts';

/** Options of {@link replaceHead}. */
export interface HeadOptions<T extends Task = Task> {
  /** Default `'classes'`: one of the labels, by softmax. */
  readonly task?: T;
  /** Class names, in the order of the head's outputs. `binary` takes two: the one of logit < 0, then that of logit > 0. */
  readonly labels?: readonly string[];
  /** `regression` only: how many numbers to predict, or their names. Default 1. */
  readonly outputs?: number | readonly string[];
  /** Units of hidden layers with ReLU, from the features on. Default none: the head is linear. */
  readonly hidden?: readonly number[];
  /** Share of values that fall out before each dense layer in training, 0 … below 1. Default 0.2. */
  readonly dropout?: number;
  /** How feature maps become vectors; `'both'` joins average and maximum. Default `'average'`. */
  readonly pooling?: Pooling;
  /** A head of your own, giving logits; excludes `hidden`, `dropout` and `pooling`. It belongs to the model then. */
  readonly model?: LayersModel;
  /** Draws the first weights. Default 0. */
  readonly seed?: number;
}

/**
 * Puts a new head on a base. The base's weights are frozen, the head's are not.
 *
 * @param base - From `loadBase`. It belongs to the model from then on: `model.dispose()` frees it.
 * @param options - See {@link HeadOptions}.
 * @throws TransferKitError `INVALID_OPTION`, `TOO_FEW_CLASSES`, `WRONG_SHAPE`, `HEAD_WITHOUT_LOGITS`, `DISPOSED`; the
 * base stays usable.
 *
 * @example
 * ```ts
 * const model = replaceHead(base, { labels: ['cat', 'dog'], hidden: [64], dropout: 0.3 });
 * console.log(model.labels); // [ 'cat', 'dog' ]
 * ```
 */
export function replaceHead<T extends Task = 'classes'>(base: Base, options: HeadOptions<T>): TransferModel<T>;
export function replaceHead(base: Base, options: HeadOptions): TransferModel {
  const task = options.task ?? 'classes';
  const { labels, units } = nameOutputs(task, options);
  const features = base.trunk.output.shape;
  if (base.trunk.disposed) {
    throw new TransferKitError(
      'DISPOSED',
      `replaceHead: expected a usable base, got '${base.name}' after its dispose().`,
    );
  }
  const taken = takenNames(base.trunk);
  const trunk =
    options.model === undefined
      ? buildHead(features, { ...checkPlan(options), units }, taken)
      : adoptHead(assertAlone(options, options.model), features, units, taken);
  for (const weight of base.trunk.weights) weight.frozen = true;
  for (const weight of trunk.weights) weight.frozen = false;
  return makeModel(base, { task, trunk, trained: false }, labels);
}

function checkPlan({ hidden = [], dropout = 0.2, pooling, seed = 0 }: HeadOptions): Omit<HeadPlan, 'units'> {
  if (!Array.isArray(hidden) || !hidden.every((units) => Number.isInteger(units) && units > 0)) {
    throw invalid('hidden to list whole numbers above 0', hidden);
  }
  if (!(dropout >= 0 && dropout < 1)) throw invalid('dropout to be at least 0 and below 1', dropout);
  if (!Number.isInteger(seed)) throw invalid('seed to be a whole number', seed);
  if (pooling !== undefined && !poolings.includes(pooling))
    throw invalid(`pooling to be one of ${poolings.join(', ')}`, pooling);
  return { hidden, dropout, pooling, seed };
}

function assertAlone({ hidden, dropout, pooling }: HeadOptions, model: LayersModel): LayersModel {
  const given = Object.entries({ hidden, dropout, pooling }).filter(([, value]) => value !== undefined);
  if (given.length > 0) throw invalid('no layer options beside model', given.map(([name]) => name).join(', '));
  return model;
}

function invalid(expected: string, received: unknown): TransferKitError {
  const text = `replaceHead: expected ${expected}, got ${JSON.stringify(received)}.`;
  return new TransferKitError('INVALID_OPTION', text, { received });
}
