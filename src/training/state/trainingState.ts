// State of a run between steps. With the weights of the model it is all that a checkpoint holds.
import type { BlendLog } from '../../core/logs.ts';
import { AccumulatedGradients } from '../optimizers/accumulatedGradients.ts';
import { Averages } from './averages.ts';
import { OptimizerSlots } from './optimizerSlots.ts';
import type { Run } from './plan.ts';
import type { Snapshot } from './snapshot.ts';
import { Watch, type StartFigures } from './watch.ts';

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
  /** Learning rates of the last step: that of the head, and the highest of the base. */
  learningRate: { readonly head: number; readonly base?: number };
  /** Figures of the initial weights, if they are measured. */
  before: StartFigures | undefined;
  /** Seconds that the validations at the end of the run will take, by the last one of this process; 0 before the first. */
  validationSeconds = 0;

  /** The weights before the run, if it blends them at its end. */
  start: Snapshot | undefined;
  /** The blend that validation chose at the end of the run. */
  blend: BlendLog | undefined;

  constructor({ options, rates }: Pick<Run, 'options' | 'rates'>) {
    const { ema, optimizer, watch, schedule } = options;
    this.learningRate = { head: rates.head };
    this.slots = new OptimizerSlots(optimizer);
    this.watch = new Watch(watch);
    this.averages = ema && new Averages(ema.decay);
    this.clock = { steps: 0, total: 0, schedule: schedule.init };
  }

  dispose(): void {
    this.slots.dispose();
    this.gradients.dispose();
    this.averages?.dispose();
    this.watch.dispose();
    this.start?.dispose();
    this.start = undefined;
  }
}
