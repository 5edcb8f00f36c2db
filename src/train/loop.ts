// The training loop: one pass over the rows for each epoch, gradients of the unfrozen weights alone, optimizer state by
// weight name, the last good weights kept.
import {
  all,
  clone,
  dispose,
  keep,
  tidy,
  add,
  isFinite,
  stack,
  type NamedTensorMap,
  type Scalar,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { isTransferKitError, TransferKitError } from '../core/errors.ts';
import { deriveSeed, permutation } from '../core/random.ts';
import type { EpochLog, TransferModel, TrunkWeight } from '../core/types.ts';
import { differentiate } from './differentiate.ts';
import type { Examples, Rows } from './examples.ts';
import { taskRules, weightedMean, type TaskRules } from './losses.ts';
import type { Network } from './network.ts';
import type { Optimizer } from './optimizers.ts';
import type { Pace } from './pace.ts';
import type { Schedule } from './schedules.ts';
import { takeSnapshot, type Snapshot } from './snapshot.ts';
import { measure } from './measure.ts';

/** All that a run is made of; every option has its value. */
export interface LoopPlan {
  readonly verb: string;
  readonly model: TransferModel;
  readonly network: Network;
  readonly train: Examples;
  readonly validation: Examples | undefined;
  /** Weights that move, with the learning rate of each. */
  readonly trainable: readonly TrunkWeight[];
  readonly learningRate: { readonly head: number; readonly base?: number };
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  /** First epoch, and the one to stop before. */
  readonly initialEpoch: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  readonly onEpoch: ((epoch: EpochLog) => void) | undefined;
}

/** What a run did. */
export interface LoopResult {
  readonly epochs: readonly EpochLog[];
  readonly stoppedBy: 'epochs' | 'signal';
}

/**
 * Trains.
 *
 * @throws TransferKitError `LOSS_NOT_FINITE`, with the weights as they were when the loss was last finite.
 */
export async function runLoop(plan: LoopPlan, pace: Pace): Promise<LoopResult> {
  const state = new TrainingState(plan);
  const epochs: EpochLog[] = [];
  try {
    for (let epoch = plan.initialEpoch; epoch < plan.epochs; epoch++) {
      const log = await orRestore(plan, () => runEpoch(plan, state, epoch, pace));
      if (log === undefined) return { epochs, stoppedBy: 'signal' };
      epochs.push(log);
      plan.onEpoch?.(log);
    }
    return { epochs, stoppedBy: 'epochs' };
  } finally {
    state.dispose();
  }
}

/**
 * Runs an epoch. When it fails (an example that cannot be read, a callback that raises), the weights are as they were at
 * its start; after a loss that is not finite they are the last good ones.
 */
async function orRestore(plan: LoopPlan, run: () => Promise<EpochLog | undefined>): Promise<EpochLog | undefined> {
  const { head } = plan.model;
  const before = { trained: head.trained, weights: takeSnapshot(plan.trainable) };
  try {
    return await run();
  } catch (error) {
    if (!isTransferKitError(error) || error.code !== 'LOSS_NOT_FINITE') {
      before.weights.restore();
      head.trained = before.trained;
    }
    throw error;
  } finally {
    before.weights.dispose();
  }
}

/** One epoch with its validation; undefined when the signal stopped it. */
async function runEpoch(
  plan: LoopPlan,
  state: TrainingState,
  epoch: number,
  pace: Pace,
): Promise<EpochLog | undefined> {
  const start = performance.now();
  const figures = await passOverRows(plan, state, epoch, pace);
  if (figures === undefined) return undefined;
  await state.assertFinite(epoch);
  const { model, network, batchSize } = plan;
  const validation = plan.validation && (await measure(model, network, plan.validation, batchSize));
  return {
    epoch,
    ...figures,
    ...(validation === undefined ? {} : { validationLoss: validation.loss }),
    ...(validation?.accuracy === undefined ? {} : { validationAccuracy: validation.accuracy }),
    learningRate: state.rates,
    seconds: (performance.now() - start) / 1000,
  };
}

/** One pass over all rows in an order drawn by the seed; undefined when the signal stopped it. */
async function passOverRows(plan: LoopPlan, state: TrainingState, epoch: number, pace: Pace) {
  const { train, batchSize, seed, signal } = plan;
  const order = permutation(train.size, deriveSeed(seed, epoch));
  const totals = new Totals(taskRules[plan.model.head.task]);
  let next = train.batch(order.slice(0, batchSize));
  for (let start = 0; start < train.size; start += batchSize) {
    const rows = await next;
    if (signal?.aborted === true) {
      disposeRows(rows);
      return undefined;
    }
    // Streamed rows are read while the network works on these; a failure is raised when its turn comes.
    next =
      start + batchSize < train.size
        ? train.batch(order.slice(start + batchSize, start + 2 * batchSize))
        : Promise.resolve(undefined);
    next.catch(() => undefined);
    try {
      if (rows !== undefined) await state.step(rows, deriveSeed(seed, epoch, start), epoch, totals);
      await pace.advance(Math.min(batchSize, train.size - start));
    } catch (error) {
      disposeRows(await next.catch(() => undefined));
      throw error;
    } finally {
      disposeRows(rows);
    }
  }
  return totals.figures();
}

/** Sums of an epoch. */
class Totals {
  private loss = 0;
  private correct = 0;
  private rows = 0;
  private judged = true;

  constructor(private readonly rules: TaskRules) {}

  add(loss: number, logits: Float32Array, targets: readonly Float32Array[]): void {
    this.loss += loss * targets.length;
    this.rows += targets.length;
    const width = logits.length / targets.length;
    targets.forEach((target, row) => {
      const correct = this.rules.correct(logits.subarray(row * width, (row + 1) * width), target);
      if (correct === undefined) this.judged = false;
      this.correct += correct ?? 0;
    });
  }

  figures(): { loss: number; accuracy?: number } {
    const rows = Math.max(this.rows, 1);
    return { loss: this.loss / rows, ...(this.judged ? { accuracy: this.correct / rows } : {}) };
  }
}

/** Optimizer state and the last good weights; everything keyed by weight name. */
class TrainingState {
  private readonly slots = new Map<string, Tensor[]>();
  private lastGood: Snapshot | undefined;
  private steps = 0;
  /** Learning rates of the step that was done last. */
  rates: LoopPlan['learningRate'];

  constructor(private readonly plan: LoopPlan) {
    this.rates = plan.learningRate;
    for (const weight of plan.trainable) {
      // The flag decides whether tfjs computes a gradient; ours of what is frozen is the truth.
      weight.variable.trainable = true;
      this.slots.set(
        weight.name,
        tidy(() => plan.optimizer.init(weight.variable)),
      );
    }
  }

  /** Moves the weights by the gradients of one batch. */
  async step(rows: Rows, dropoutSeed: number, epoch: number, totals: Totals): Promise<void> {
    const { loss, logits, gradients } = this.differentiate(rows, dropoutSeed);
    try {
      const [[value = NaN], predicted] = await Promise.all([loss.data(), logits.data()]);
      if (!Number.isFinite(value)) throw this.notFinite(value, epoch);
      if (!(predicted instanceof Float32Array)) throw new TypeError('logits are not float32');
      totals.add(value, predicted, rows.targetRows);
      // These weights gave a finite loss.
      this.lastGood?.dispose();
      this.lastGood = takeSnapshot(this.plan.trainable);
      this.update(gradients);
    } finally {
      dispose([loss, logits, Object.values(gradients)]);
    }
  }

  /** Raises when the last update has left a weight infinite: no later loss would tell. */
  async assertFinite(epoch: number): Promise<void> {
    const finite = tidy(() => all(stack(this.plan.trainable.map((weight) => all(isFinite(weight.variable))))));
    const [value = 0] = await finite.data();
    dispose(finite);
    if (value === 0) throw this.notFinite(Infinity, epoch);
  }

  dispose(): void {
    dispose([...this.slots.values()]);
    this.lastGood?.dispose();
  }

  private differentiate(rows: Rows, dropoutSeed: number): { loss: Scalar; logits: Tensor; gradients: NamedTensorMap } {
    const { verb, model, network, train, trainable } = this.plan;
    const kept: Tensor[] = [];
    const { value, grads } = differentiate(
      verb,
      kept,
      () => {
        const logits = network.run(rows.input, { from: train.entry, dropoutSeed });
        kept.push(keep(clone(logits)));
        const loss = weightedMean(taskRules[model.head.task].losses(logits, rows.targets), rows.weights);
        return [model.base.trunk.penalty(trainable), model.head.trunk.penalty(trainable)].reduce<Scalar>(
          (sum, penalty) => (penalty === undefined ? sum : add(sum, penalty)),
          loss,
        );
      },
      trainable.map((weight) => weight.variable),
    );
    const [logits] = kept;
    if (logits === undefined) throw new RangeError('no logits');
    return { loss: value, logits, gradients: grads };
  }

  private update(gradients: NamedTensorMap): void {
    const { trainable, optimizer, model } = this.plan;
    const ofBase = new Set(model.base.trunk.weights);
    this.rates = this.ratesNow();
    this.steps++;
    for (const weight of trainable) {
      const gradient = gradients[weight.variable.name];
      const state = this.slots.get(weight.name);
      if (gradient === undefined || state === undefined) continue;
      const rate = ofBase.has(weight) ? (this.rates.base ?? this.rates.head) : this.rates.head;
      const next = optimizer.update({ weight: weight.variable, gradient, state, learningRate: rate, step: this.steps });
      weight.write(next.weight);
      if (!ofBase.has(weight)) model.head.trained = true;
      dispose([next.weight, state]);
      this.slots.set(weight.name, next.state);
    }
  }

  private ratesNow(): LoopPlan['learningRate'] {
    const { schedule, train, batchSize, epochs, initialEpoch, learningRate } = this.plan;
    const factor = schedule(this.steps, Math.ceil(train.size / batchSize) * (epochs - initialEpoch));
    const head = learningRate.head * factor;
    return learningRate.base === undefined ? { head } : { head, base: learningRate.base * factor };
  }

  private notFinite(value: number, epoch: number): TransferKitError {
    this.lastGood?.restore();
    const { verb, learningRate } = this.plan;
    const rates = Object.entries(learningRate)
      .map(([group, rate]) => `${group} ${String(rate)}`)
      .join(', ');
    return new TransferKitError(
      'LOSS_NOT_FINITE',
      `${verb}: expected a finite loss, got ${String(value)} in epoch ${String(epoch)} (learning rate: ${rates}). The weights are those ` +
        'of the last finite loss. Try a tenth of the learning rate; check the inputs for extreme values.',
      { loss: value, epoch, learningRate },
    );
  }
}

function disposeRows(rows: Rows | undefined): void {
  if (rows !== undefined) dispose([rows.input, rows.targets, rows.weights]);
}
