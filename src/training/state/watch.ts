// Compares epochs by one figure: keeps the weights of the best epoch, and detects when the figure stops improving.
import type { EpochLog, Monitor, TrainingLog } from '../../core/logs.ts';
import type { SettledWatch } from '../options/watchOptions.ts';
import { isBetter } from '../schedules/monitors.ts';
import type { Snapshot } from './snapshot.ts';

/** Figures of the initial weights. */
export type StartFigures = NonNullable<TrainingLog['before']>;

/** State of a watch, as plain data. */
export interface WatchState {
  readonly best: { readonly epoch: number; readonly value: number } | undefined;
  /** Figure that the next one must beat for patience to start anew. */
  readonly reference: number | undefined;
  /** Number of epochs since it was beaten. */
  readonly waited: number;
}

/** The watch of a run. */
export class Watch {
  state: WatchState;
  /** Weights of the best epoch. */
  private kept: Snapshot | undefined;

  constructor(private readonly settled: SettledWatch) {
    this.state = { best: undefined, reference: settled.stopping?.baseline, waited: 0 };
  }

  /** Compares an epoch; returns whether its weights are to be kept. */
  observe(epoch: EpochLog): boolean {
    const { monitor, restoreBest, stopping } = this.settled;
    if (monitor === undefined) return false;
    const value = epoch[monitor] ?? NaN;
    const { best, reference, waited } = this.state;
    const isBest = isBetter(monitor, value, best?.value, 0);
    const moves = isBetter(monitor, value, reference, stopping?.minDelta ?? 0);
    this.state = {
      best: isBest ? { epoch: epoch.epoch, value } : best,
      reference: moves ? value : reference,
      waited: moves ? 0 : waited + 1,
    };
    return isBest && restoreBest;
  }

  /** Whether the initial weights are to be measured: they are restored if no epoch is better. */
  get weighsStart(): boolean {
    return this.settled.weighsStart;
  }

  /**
   * Compares the initial weights, under the number before that of the first epoch; returns whether they are to be kept.
   * Patience ignores them: as in Keras, the first epoch always counts as an improvement.
   */
  observeStart(epoch: number, figures: StartFigures): boolean {
    const { monitor } = this.settled;
    if (monitor !== 'validationLoss' && monitor !== 'validationAccuracy') return false;
    const value = figures[monitor] ?? NaN;
    if (!isBetter(monitor, value, undefined, 0)) return false;
    this.state = { ...this.state, best: { epoch, value } };
    return true;
  }

  /** Whether patience is over. */
  get exhausted(): boolean {
    const { stopping } = this.settled;
    return stopping !== undefined && this.state.waited >= stopping.patience;
  }

  /** Remembers weights as those of the best epoch. */
  keep(weights: Snapshot): void {
    this.kept?.dispose();
    this.kept = weights;
  }

  /** The weights of the best epoch. */
  get bestWeights(): Snapshot | undefined {
    return this.kept;
  }

  /** Restores the weights of the best epoch, if they are kept; returns the best figure. */
  finish(): { epoch: number; monitor: Monitor; value: number; restored: boolean } | undefined {
    const { monitor } = this.settled;
    const { best } = this.state;
    if (monitor === undefined || best === undefined) return undefined;
    this.kept?.restore();
    return { ...best, monitor, restored: this.kept !== undefined };
  }

  dispose(): void {
    this.kept?.dispose();
    this.kept = undefined;
  }
}
