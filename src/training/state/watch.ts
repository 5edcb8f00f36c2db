// Compares epochs by one figure: keeps the weights of the best epoch, and detects when the figure stops improving.
import type { EpochLog, Monitor, TrainingLog } from '../../core/logs.ts';
import { isBetter, monitors } from '../schedules/monitors.ts';
import type { Snapshot } from './snapshot.ts';
import { assertOneOf, assertWhole, invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of early stopping, as in Keras's `EarlyStopping`. */
export interface EarlyStoppingOptions {
  /** Epochs without a better figure before training stops, from 1. Default 3. */
  readonly patience?: number;
  /** A figure counts as better if the improvement is larger than this, from 0. Default 0. */
  readonly minDelta?: number;
  /**
   * A value that the figure must beat for patience to start anew. Until then training stops after `patience` epochs,
   * even if each is better than the one before (unlike in Keras 3). Default: none.
   */
  readonly baseline?: number;
}

/** Validated options of the watch. */
export interface SettledWatch {
  /** Undefined: epochs are not compared. */
  readonly monitor: Monitor | undefined;
  readonly restoreBest: boolean;
  readonly stopping:
    (Required<Omit<EarlyStoppingOptions, 'baseline'>> & { readonly baseline: number | undefined }) | undefined;
}

/** The options that a watch uses. */
export interface WatchOptions {
  readonly monitor?: Monitor | undefined;
  readonly restoreBest?: boolean | undefined;
  readonly earlyStopping?: boolean | number | EarlyStoppingOptions | undefined;
}

/**
 * Validates options and fills in defaults.
 *
 * @param validated - Whether there are samples to validate on.
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleWatch(verb: string, options: WatchOptions, validated: boolean): SettledWatch {
  const { monitor = validated ? 'validationLoss' : undefined, restoreBest = true, earlyStopping = false } = options;
  if (monitor !== undefined) assertOneOf(verb, 'monitor', monitor, monitors);
  if (monitor?.startsWith('validation') === true && !validated) {
    throw invalidOption(verb, `validation samples for monitor '${monitor}'`, 'none');
  }
  if (typeof restoreBest !== 'boolean') throw invalidOption(verb, 'restoreBest to be true or false', restoreBest);
  const stopping = settleStopping(verb, earlyStopping);
  if (stopping !== undefined && monitor === undefined) {
    throw invalidOption(verb, "validation samples, or monitor: 'loss', for earlyStopping", 'neither');
  }
  return { monitor, restoreBest: restoreBest && monitor !== undefined, stopping };
}

function settleStopping(verb: string, option: boolean | number | EarlyStoppingOptions): SettledWatch['stopping'] {
  if (option === false) return undefined;
  if (option !== true && typeof option !== 'number' && !isObject(option)) {
    throw invalidOption(
      verb,
      'earlyStopping to be true, a number of epochs or { patience, minDelta, baseline }',
      option,
    );
  }
  const given: EarlyStoppingOptions = option === true ? {} : typeof option === 'number' ? { patience: option } : option;
  assertOptions(verb, given, { patience: true, minDelta: true, baseline: true }, { of: 'earlyStopping' });
  const { patience = 3, minDelta = 0, baseline } = given;
  assertWhole(verb, 'earlyStopping.patience', patience, 1);
  if (!(Number.isFinite(minDelta) && minDelta >= 0)) {
    throw invalidOption(verb, 'earlyStopping.minDelta to be a finite number from 0', minDelta);
  }
  if (baseline !== undefined && !Number.isFinite(baseline)) {
    throw invalidOption(verb, 'earlyStopping.baseline to be a finite number', baseline);
  }
  return { patience, minDelta, baseline };
}

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
    const { monitor, restoreBest } = this.settled;
    return restoreBest && monitor?.startsWith('validation') === true;
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
