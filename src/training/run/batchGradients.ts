// Loss, logits and gradients of one batch.
import {
  add,
  clone,
  dispose,
  expandDims,
  keep,
  mean,
  mul,
  tensor1d,
  tidy,
  zerosLike,
  type NamedTensorMap,
  type Scalar,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import { deriveSeed } from '../../core/random.ts';
import type { MovedStatistic, TrunkWeight } from '../../core/types.ts';
import { differentiate } from './differentiate.ts';
import type { Rows } from '../../features/examples.ts';
import type { Run } from '../state/plan.ts';
import { smoothByHead } from '../../losses/headRules.ts';
import { weightedMean } from '../../losses/losses.ts';
import { mixBatch } from '../../losses/mixBatch.ts';

/** Separates these random numbers from all others of the same seed. */
const mixing = 0x6d6978;

/** Results of a batch; the caller owns the tensors. */
export interface BatchGradients {
  readonly loss: Scalar;
  readonly logits: Tensor;
  /** Losses of several heads, [heads], without `lossWeights`. */
  readonly headLosses: Tensor | undefined;
  /** In the order of the weights. */
  readonly gradients: Tensor[];
  /** New statistics of BatchNorm layers in training mode. */
  readonly statistics: readonly MovedStatistic[];
}

/**
 * Computes loss, logits and gradients of a batch.
 *
 * @param at - The stage at which its rows enter, and the seed of dropout and blending.
 */
export function gradientsOfBatch(
  run: Run,
  trainable: readonly TrunkWeight[],
  rows: Rows,
  { entry, seed }: { readonly entry: number; readonly seed: number },
): BatchGradients {
  const { model, network, loss, options } = run;
  const kept: Tensor[] = [];
  const statistics: MovedStatistic[] = [];
  const onStatistics = (moved: readonly MovedStatistic[]) => {
    statistics.push(...moved);
    kept.push(...moved.map(({ value }) => value));
  };
  const mode = options.batchNorm === 'inference' ? {} : { onStatistics, ...options.batchNorm };
  const named = model.head.parts[0]?.name !== '';
  const batch = blend(run, rows, seed);
  try {
    const { value, grads } = differentiate(
      kept,
      () => {
        const logits = network.run(batch.input, { from: entry, dropoutSeed: seed, ...mode });
        const targets = smoothByHead(model.head.parts, batch.targets, options.labelSmoothing);
        kept.push(keep(clone(logits)));
        if (named) kept.push(keep(meansByHead(run, logits, targets, batch.weights)));
        const total = weightedMean(loss.losses(logits, targets), batch.weights);
        return [model.base, model.head]
          .map(({ trunk }) => trunk.penalty?.(trainable))
          .reduce<Scalar>((sum, penalty) => (penalty === undefined ? sum : add(sum, penalty)), total);
      },
      trainable.map((weight) => weight.variable),
    );
    const [logits, headLosses] = kept.slice(named ? -2 : -1);
    if (logits === undefined) throw internalError('no logits');
    return { loss: value, logits, headLosses, gradients: inOrder(grads, trainable), statistics };
  } finally {
    if (batch !== rows) dispose([batch.input, batch.targets, batch.weights]);
  }
}

/** Mean loss of each head. */
function meansByHead({ loss }: Run, logits: Tensor, targets: Tensor, weights: Tensor): Tensor {
  return tidy(() => mean(mul(loss.byHead(logits, targets), expandDims(weights, 1)), 0));
}

/** Gradients in the order of the weights; zeros for a weight that the loss does not depend on. */
function inOrder(grads: NamedTensorMap, trainable: readonly TrunkWeight[]): Tensor[] {
  return trainable.map(({ variable }) => grads[variable.name] ?? zerosLike(variable));
}

/** The batch after class weights and blending. */
function blend(run: Run, rows: Rows, seed: number): Pick<Rows, 'input' | 'targets' | 'weights'> {
  const { classWeight, model, options } = run;
  if (classWeight === undefined && options.mix === undefined) return rows;
  const { input, targets } = rows;
  const weights =
    classWeight === undefined
      ? clone(rows.weights)
      : tensor1d(rows.targetRows.map((target, row) => classWeight(target) * (rows.weightRows[row] ?? 1)));
  if (options.mix === undefined) return { input: clone(input), targets: clone(targets), weights };
  try {
    return mixBatch(options.mix, { input, targets, weights, parts: model.head.parts }, deriveSeed(seed, mixing));
  } finally {
    dispose(weights);
  }
}
