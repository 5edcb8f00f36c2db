// BatchNorm in training mode: which layers use it, and the new values of their moving statistics during a run.
import { add, dispose, keep, moments, mul, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { internalError, TransferKitError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { MovedStatistic, RunOptions, TrunkWeight } from '../../core/types.ts';

/** A layer or node that normalises by its own statistics. */
export interface BatchNorm {
  readonly name: string;
  readonly mean: TrunkWeight;
  readonly variance: TrunkWeight;
  /** Keras configuration; {} for a node. */
  readonly config: JsonObject;
}

/** Mean and variance of each channel: [c] and [c]. */
export interface Moments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** Settings that make a BatchNorm normalise by other statistics than those of its batch. */
const otherModes = ['renorm', 'synchronized', 'virtual_batch_size'] as const;

/**
 * The statistics that {@link runWithStatistics} updates.
 *
 * @param unfrozen - Used instead of the weights that are not frozen now.
 */
export function movingStatistics(norms: readonly BatchNorm[], unfrozen?: readonly TrunkWeight[]): TrunkWeight[] {
  const moving = unfrozen && new Set(unfrozen);
  const trained = trainedOf(norms, (weight) => moving?.has(weight) ?? !weight.frozen);
  return trained.flatMap(({ mean, variance }) => [mean, variance]);
}

/**
 * Runs a network, with BatchNorm in training mode if the caller wants its statistics, and passes these to the caller
 * afterwards.
 *
 * @param run - Runs the network. The caller owns its result.
 */
export function runWithStatistics(
  norms: readonly BatchNorm[],
  { onStatistics, momentum }: Pick<RunOptions, 'onStatistics' | 'momentum'>,
  run: (statistics: BatchStatistics | undefined) => Tensor,
): Tensor {
  if (onStatistics === undefined) return run(undefined);
  const statistics = new BatchStatistics(
    trainedOf(norms, ({ frozen }) => !frozen),
    momentum,
  );
  const output = orDispose(statistics, () => run(statistics));
  return orDispose(output, () => {
    onStatistics(statistics.take());
    return output;
  });
}

function orDispose<Result>(tensors: { dispose(): void }, compute: () => Result): Result {
  try {
    return compute();
  } catch (error) {
    tensors.dispose();
    throw error;
  }
}

function trainedOf(norms: readonly BatchNorm[], moves: (weight: TrunkWeight) => boolean): readonly BatchNorm[] {
  const trained = norms.filter(({ mean, variance }) => moves(mean) && moves(variance));
  for (const { name, config } of trained) {
    const mode = otherModes.find((each) => Boolean(config[each]));
    if (mode !== undefined) throw otherMode(name, mode, config);
  }
  return trained;
}

function otherMode(name: string, mode: string, config: JsonObject): TransferKitError {
  const text =
    `expected BatchNorm layers that train by mean and variance of their batch, got '${name}' with ${mode} ` +
    `${String(config[mode])}. Freeze the layer, or train with BatchNorm in inference mode.`;
  return new TransferKitError('UNSUPPORTED_LAYER', text, { layer: name, setting: mode });
}

/**
 * Mean and variance of each channel over all other axes; the variance is divided by the number of values, as in Keras
 * 3.
 */
export function momentsOf(x: Tensor, axis: number): Moments {
  const others = [...x.shape.keys()].filter((each) => each !== axis);
  return moments(x, others);
}

/** The new statistics of one run. It owns them until they are taken. */
export class BatchStatistics {
  private readonly trained: ReadonlyMap<string, BatchNorm>;
  private readonly moved = new Map<TrunkWeight, Tensor>();

  /**
   * @param trained - The layers or nodes that normalise by their batch.
   * @param momentum - Used instead of their own.
   */
  constructor(
    trained: readonly BatchNorm[],
    private readonly momentum: number | undefined,
  ) {
    this.trained = new Map(trained.map((each) => [each.name, each]));
  }

  /** Whether a layer or node normalises by its batch. */
  has(name: string): boolean {
    return this.trained.has(name);
  }

  /** Updates the statistics of a layer or node with those of a batch; once for each of its calls, as in Keras. */
  move(name: string, batch: Moments): void {
    const norm = this.trained.get(name);
    if (norm === undefined) throw internalError(`${name} does not train`);
    const momentum = this.momentum ?? momentumOf(norm);
    this.moveOne(norm.mean, batch.mean, momentum);
    this.moveOne(norm.variance, batch.variance, momentum);
  }

  /** Returns the statistics. The caller owns them from now on. */
  take(): MovedStatistic[] {
    const taken = [...this.moved].map(([weight, value]) => ({ weight, value }));
    this.moved.clear();
    return taken;
  }

  dispose(): void {
    dispose(this.take().map(({ value }) => value));
  }

  // keras/src/layers/normalization/batch_normalization.py, call.
  private moveOne(weight: TrunkWeight, batch: Tensor, momentum: number): void {
    const before = this.moved.get(weight);
    const value = tidy(() => add(mul(before ?? weight.variable, momentum), mul(batch, 1 - momentum)));
    this.moved.set(weight, keep(value));
    if (before !== undefined) dispose(before);
  }
}

/** The momentum of a layer or node. Default: that of Keras. */
function momentumOf({ config: { momentum } }: BatchNorm): number {
  return typeof momentum === 'number' ? momentum : 0.99;
}
