// What a run keeps from step to step: optimizer state by weight name, and the weights that last gave a finite loss.
import {
  all,
  add,
  clone,
  dispose,
  isFinite,
  keep,
  stack,
  tidy,
  type NamedTensorMap,
  type Scalar,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { differentiate } from './differentiate.ts';
import type { Rows } from './examples.ts';
import type { LoopPlan } from './loopPlan.ts';
import { taskRules, weightedMean } from './losses.ts';
import { takeSnapshot, type Snapshot } from './snapshot.ts';
import type { Totals } from './totals.ts';

/** Optimizer state and the last good weights; everything keyed by weight name. */
export class TrainingState {
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
    const moving = trainable.flatMap((weight) => {
      const gradient = gradients[weight.variable.name];
      const state = this.slots.get(weight.name);
      if (gradient === undefined || state === undefined) return [];
      const learningRate = ofBase.has(weight) ? (this.rates.base ?? this.rates.head) : this.rates.head;
      return [{ weight, step: { weight: weight.variable, gradient, state, learningRate, step: this.steps } }];
    });
    const together = optimizer.updateAll?.(moving.map(({ step }) => step));
    for (const [index, { weight, step }] of moving.entries()) {
      const moved = together?.[index];
      const next = moved === undefined ? optimizer.update(step) : { weight: moved, state: step.state };
      weight.write(next.weight);
      if (!ofBase.has(weight)) model.head.trained = true;
      dispose(next.weight);
      if (next.state === step.state) continue;
      dispose(step.state);
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
