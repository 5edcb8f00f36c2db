// State of a run between steps: optimizer state, averages, accumulated gradients, position in the schedule, and the
// weights of the last finite loss.
import { all, dispose, isFinite, stack, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { internalError, TransferKitError } from '../../core/errors.ts';
import type { EpochLog } from '../../core/logs.ts';
import type { TrunkWeight } from '../../core/types.ts';
import { AccumulatedGradients } from '../optimizers/accumulatedGradients.ts';
import { Averages } from './averages.ts';
import { gradientsOfBatch } from '../run/batchGradients.ts';
import type { Rows } from '../../features/examples.ts';
import { gradientNorms } from '../optimizers/gradientNorms.ts';
import type { Run, Stretch } from './plan.ts';
import { OptimizerSlots } from './optimizerSlots.ts';
import { ratesOf } from '../options/rates.ts';
import { scheduleFactor, stepsOf } from '../options/scheduleFactor.ts';
import { takeSnapshot, type Snapshot } from './snapshot.ts';
import type { Totals } from '../../measure/totals.ts';
import { Watch, type StartFigures } from './watch.ts';

/** Position of a batch in the run. */
interface Place {
  readonly epoch: number;
  /** Stage at which its rows enter the network. */
  readonly entry: number;
  /** Seed of dropout and blending. */
  readonly seed: number;
}

/** Progress of a run. */
export interface Clock {
  /** Number of updates so far, and of the whole run. */
  readonly steps: number;
  readonly total: number;
  /** State of the schedule. */
  readonly schedule: readonly number[];
}

/** State of a run, by weight name. */
export class TrainingState {
  readonly watch: Watch;
  readonly averages: Averages | undefined;
  readonly slots: OptimizerSlots;
  /** Accumulated gradients of batches since the last update. */
  readonly gradients = new AccumulatedGradients();
  clock: Clock;
  private trainable: readonly TrunkWeight[] = [];
  /** Trained weights, and statistics that change with them. */
  private moving: readonly TrunkWeight[] = [];
  private rates: ReadonlyMap<TrunkWeight, number> = new Map();
  /** Highest rate of the base; undefined if none of its weights is trained. */
  private highestOfBase: number | undefined;
  private readonly ofBase: ReadonlySet<TrunkWeight>;
  /** Weights of the last finite loss, and whether the head was trained then. */
  private lastGood: { readonly weights: Snapshot; readonly trained: boolean } | undefined;
  /** Weights that any segment of the run trains. */
  private readonly movable: readonly TrunkWeight[];
  /** Learning rates of the last step: that of the head, and the highest of the base. */
  learningRate: { readonly head: number; readonly base?: number };
  /** Figures of the initial weights, if they are measured. */
  before: StartFigures | undefined;

  constructor(private readonly run: Run) {
    const { ema, optimizer, watch, schedule } = run.options;
    this.ofBase = new Set(run.model.base.trunk.weights);
    this.movable = [...new Set(run.segments.flatMap(({ trainable, statistics }) => [...trainable, ...statistics]))];
    this.learningRate = { head: run.rates.head };
    this.slots = new OptimizerSlots(optimizer);
    this.watch = new Watch(watch);
    this.averages = ema && new Averages(ema.decay);
    this.clock = { steps: 0, total: 0, schedule: schedule.init };
  }

  /** Starts training some weights. Weights that were trained before keep their optimizer state. */
  begin({ trainable, statistics, train }: Pick<Stretch, 'trainable' | 'statistics' | 'train'>): void {
    const { model, options, rates } = this.run;
    if (this.clock.total === 0) this.clock = { ...this.clock, total: stepsOf(options, train.size) };
    this.trainable = trainable;
    this.moving = [...trainable, ...statistics];
    this.rates = ratesOf(model, rates, trainable);
    const inBase = [...this.rates].flatMap(([weight, rate]) => (this.ofBase.has(weight) ? rate : []));
    this.highestOfBase = inBase.length === 0 ? undefined : Math.max(...inBase);
    this.averages?.follow(trainable);
    // tfjs computes gradients only for variables with this flag; which weights are frozen is decided by `frozen`.
    for (const { variable } of trainable) variable.trainable = true;
    this.slots.follow(trainable);
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
        this.gradients.add(gradients, rows.targetRows.length);
        if (this.gradients.batches === gradientAccumulationSteps) await this.flush(totals);
      }
    } finally {
      dispose([loss, logits, headLosses, ...gradients, ...statistics]);
    }
  }

  /** Updates the weights with the accumulated gradients, if there are any. */
  async flush(totals: Totals): Promise<void> {
    if (this.gradients.batches === 0) return;
    const gradients = this.gradients.take();
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

  /**
   * Whether the initial weights are measured. Keras's callbacks do not measure them, but users expect it of the best
   * model. Those of a head that was never trained are not measured: they are not worth restoring.
   */
  get weighsStart(): boolean {
    const isStart = this.clock.steps === 0 && this.before === undefined;
    return isStart && this.watch.weighsStart && this.run.model.head.trained;
  }

  /** Passes the figures of the initial weights to the watch. */
  begun(before: StartFigures): void {
    this.before = before;
    if (this.watch.observeStart(this.run.options.initialEpoch - 1, before)) this.watch.keep(takeSnapshot(this.movable));
  }

  /** Passes the figures of an epoch to schedule and watch. */
  async finishEpoch(epoch: EpochLog): Promise<void> {
    const schedule = this.run.options.schedule.afterEpoch(this.clock.schedule, epoch);
    this.clock = { ...this.clock, schedule };
    const take = () => takeSnapshot(this.movable);
    if (!this.watch.observe(epoch)) return;
    this.watch.keep(await (this.endsWithAverages ? this.withAverages(take) : take()));
  }

  /** Runs a function with the weights that are validated: the averages, if there are any. */
  async withAverages<T>(run: () => T | Promise<T>): Promise<T> {
    return this.averages === undefined ? run() : this.averages.during(run);
  }

  /** Writes the final weights of the run into the model. */
  finish(): ReturnType<Watch['finish']> {
    const best = this.watch.finish();
    if (best?.restored !== true && this.endsWithAverages) this.averages?.write();
    return best;
  }

  /** Discards accumulated gradients: their batches are not trained on. */
  drop(): void {
    this.gradients.dispose();
  }

  dispose(): void {
    this.slots.dispose();
    this.gradients.dispose();
    this.averages?.dispose();
    this.watch.dispose();
    this.lastGood?.weights.dispose();
  }

  private get endsWithAverages(): boolean {
    return this.run.options.ema?.keep === 'averages';
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
    this.averages?.update(({ name }) => this.slots.byName.get(name)?.steps === 1);
  }

  private move(gradients: readonly Tensor[]): void {
    const { head } = this.run.rates;
    const base = this.highestOfBase;
    const { steps: done, total, schedule } = this.clock;
    const factor = scheduleFactor(this.run, schedule, done, total);
    this.learningRate = { head: head * factor, ...(base === undefined ? {} : { base: base * factor }) };
    this.clock = { ...this.clock, steps: done + 1 };
    this.slots.step(this.trainable, gradients, (weight) => (this.rates.get(weight) ?? 0) * factor);
    if (this.trainable.some((weight) => !this.ofBase.has(weight))) this.run.model.head.trained = true;
  }

  private notFinite(value: number, epoch: number): TransferKitError {
    const { verb, model } = this.run;
    this.lastGood?.weights.restore();
    model.head.trained = this.lastGood?.trained ?? model.head.trained;
    const { head, base } = this.run.rates;
    const rates = this.run.phase === 'head' ? `head ${String(head)}` : `head ${String(head)}, base ${String(base[1])}`;
    return new TransferKitError(
      'LOSS_NOT_FINITE',
      `${verb}: expected a finite loss, got ${String(value)} in epoch ${String(epoch)} (learning rate: ${rates}). The weights are those ` +
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
