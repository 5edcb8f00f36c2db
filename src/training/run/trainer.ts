// Training steps: the gradients of a batch, and the update of the weights.
import { all, dispose, isFinite, stack, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { internalError, TransferKitError } from '../../core/errors.ts';
import type { TrunkWeight } from '../../core/types.ts';
import type { Rows } from '../../features/examples.ts';
import type { Totals } from '../../measure/totals.ts';
import { gradientNorms } from '../optimizers/gradientNorms.ts';
import { ratesOf } from '../options/rates.ts';
import { scheduleFactor, stepsOf } from '../options/scheduleFactor.ts';
import type { Run, Stretch } from '../state/plan.ts';
import { takeSnapshot, type Snapshot } from '../state/snapshot.ts';
import { TrainingState } from '../state/trainingState.ts';
import { gradientsOfBatch } from './batchGradients.ts';

/** Position of a batch in the run. */
interface Place {
  readonly epoch: number;
  /** Stage at which its rows enter the network. */
  readonly entry: number;
  /** Seed of dropout and blending. */
  readonly seed: number;
}

/** Trains the weights of one segment after another. */
export class Trainer {
  readonly state: TrainingState;
  private trainable: readonly TrunkWeight[] = [];
  /** Trained weights, and statistics that change with them. */
  private moving: readonly TrunkWeight[] = [];
  private rates: ReadonlyMap<TrunkWeight, number> = new Map();
  /** Highest rate of the base; undefined if none of its weights is trained. */
  private highestOfBase: number | undefined;
  private readonly ofBase: ReadonlySet<TrunkWeight>;
  /** Weights of the last finite loss, and whether the head was trained then. */
  private lastGood: { readonly weights: Snapshot; readonly trained: boolean } | undefined;

  constructor(private readonly run: Run) {
    this.state = new TrainingState(run);
    this.ofBase = new Set(run.model.base.trunk.weights);
  }

  /** Starts training some weights. Weights that were trained before keep their optimizer state. */
  begin({ trainable, statistics, train }: Pick<Stretch, 'trainable' | 'statistics' | 'train'>): void {
    const { state } = this;
    const { model, options, rates } = this.run;
    if (state.clock.total === 0) state.clock = { ...state.clock, total: stepsOf(options, train.size) };
    this.trainable = trainable;
    this.moving = [...trainable, ...statistics];
    this.rates = ratesOf(model, rates, trainable);
    const inBase = [...this.rates].flatMap(([weight, rate]) => (this.ofBase.has(weight) ? rate : []));
    this.highestOfBase = inBase.length === 0 ? undefined : Math.max(...inBase);
    state.averages?.follow(trainable);
    // tfjs computes gradients only for variables with this flag; which weights are frozen is decided by `frozen`.
    for (const { variable } of trainable) variable.trainable = true;
    state.slots.follow(trainable);
  }

  /** Adds the gradients of one batch; updates the weights after `gradientAccumulationSteps` batches. */
  async step(rows: Rows, { entry, epoch, seed }: Place, totals: Totals): Promise<void> {
    const found = gradientsOfBatch(this.run, this.trainable, rows, { entry, seed });
    const { loss, logits, headLosses, gradients } = found;
    const statistics = found.statistics.map(({ value }) => value);
    try {
      const byHead = headLosses === undefined ? Promise.resolve([]) : headLosses.data();
      const read = [loss.data(), logits.data(), byHead, areFinite(statistics)] as const;
      const [[value = NaN], predicted, ofHeads, isMeasured] = await Promise.all(read);
      if (!Number.isFinite(value)) throw this.notFinite(value, epoch);
      if (!isMeasured) throw this.notFinite(Infinity, epoch);
      if (!(predicted instanceof Float32Array)) throw internalError('logits are not float32');
      totals.add({ loss: value, logits: predicted, targets: rows.targetRows, headLosses: ofHeads });
      // The loss of these weights is finite.
      this.lastGood?.weights.dispose();
      this.lastGood = { weights: takeSnapshot(this.moving), trained: this.run.model.head.trained };
      for (const { weight, value: moved } of found.statistics) weight.write(moved);
      const { gradientAccumulationSteps } = this.run.options;
      if (gradientAccumulationSteps === 1) {
        await this.update(gradients, totals);
      } else {
        const waiting = this.state.gradients;
        waiting.add(gradients, rows.targetRows.length);
        if (waiting.batches === gradientAccumulationSteps) await this.flush(totals);
      }
    } finally {
      dispose([loss, logits, headLosses, ...gradients, ...statistics]);
    }
  }

  /** Updates the weights with the accumulated gradients, if there are any. */
  async flush(totals: Totals): Promise<void> {
    if (this.state.gradients.batches === 0) return;
    const gradients = this.state.gradients.take();
    try {
      await this.update(gradients, totals);
    } finally {
      dispose(gradients);
    }
  }

  /** Raises if the last update made a weight infinite: no later loss would show it. */
  async assertFinite(epoch: number): Promise<void> {
    if (!(await areFinite(this.moving.map(({ variable }) => variable)))) throw this.notFinite(Infinity, epoch);
  }

  dispose(): void {
    this.state.dispose();
    this.lastGood?.weights.dispose();
  }

  private async update(gradients: readonly Tensor[], totals: Totals): Promise<void> {
    const { clip } = this.run.options;
    const norms = await gradientNorms(gradients);
    totals.addStep(norms.together);
    const clipped = clip?.apply(gradients, norms) ?? gradients;
    try {
      this.move(clipped);
    } finally {
      if (clipped !== gradients) dispose([...clipped]);
    }
    const { averages, slots } = this.state;
    averages?.update(({ name }) => slots.byName.get(name)?.steps === 1);
  }

  private move(gradients: readonly Tensor[]): void {
    const { run, state } = this;
    const { head } = run.rates;
    const base = this.highestOfBase;
    const { steps: done, total, schedule } = state.clock;
    const factor = scheduleFactor(run, schedule, done, total);
    state.learningRate = { head: head * factor, ...(base === undefined ? {} : { base: base * factor }) };
    state.clock = { ...state.clock, steps: done + 1 };
    state.slots.step(this.trainable, gradients, (weight) => (this.rates.get(weight) ?? 0) * factor);
    if (this.trainable.some((weight) => !this.ofBase.has(weight))) run.model.head.trained = true;
  }

  private notFinite(value: number, epoch: number): TransferKitError {
    const { model } = this.run;
    this.lastGood?.weights.restore();
    model.head.trained = this.lastGood?.trained ?? model.head.trained;
    const { head, base } = this.run.rates;
    const rates = this.run.phase === 'head' ? `head ${String(head)}` : `head ${String(head)}, base ${String(base[1])}`;
    return new TransferKitError(
      'LOSS_NOT_FINITE',
      `expected a finite loss, got ${String(value)} in epoch ${String(epoch)} (learning rate: ${rates}). The weights are those ` +
        'of the last finite loss. Try a tenth of the learning rate; check the inputs for extreme values.',
      { loss: value, epoch, learningRate: this.run.rates },
    );
  }
}

async function areFinite(tensors: readonly Tensor[]): Promise<boolean> {
  if (tensors.length === 0) return true;
  const finite = tidy(() => all(stack(tensors.map((each) => all(isFinite(each))))));
  const [value = 0] = await finite.data();
  dispose(finite);
  return value !== 0;
}
