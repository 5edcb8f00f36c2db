// By which figure epochs are compared, and when training stops early: the options, and their checks.
import type { Monitor } from '../../core/logs.ts';
import { assertOneOf, assertWhole, invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import { monitors } from '../schedules/monitors.ts';

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
  /** Whether the initial weights are compared too. */
  readonly weighsStart: boolean;
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
export function settleWatch(options: WatchOptions, validated: boolean): SettledWatch {
  const { monitor = validated ? 'validationLoss' : undefined, restoreBest = true, earlyStopping = false } = options;
  if (monitor !== undefined) assertOneOf('monitor', monitor, monitors);
  if (monitor?.startsWith('validation') === true && !validated) {
    throw invalidOption(`validation samples for monitor '${monitor}'`, undefined, 'none');
  }
  if (typeof restoreBest !== 'boolean') throw invalidOption('restoreBest to be true or false', restoreBest);
  const stopping = settleStopping(earlyStopping);
  if (stopping !== undefined && monitor === undefined) {
    throw invalidOption("validation samples, or monitor: 'loss', for earlyStopping", 'neither');
  }
  const weighsStart = restoreBest && monitor?.startsWith('validation') === true;
  return { monitor, restoreBest: restoreBest && monitor !== undefined, weighsStart, stopping };
}

function settleStopping(option: boolean | number | EarlyStoppingOptions): SettledWatch['stopping'] {
  if (option === false) return undefined;
  if (option !== true && typeof option !== 'number' && !isObject(option)) {
    throw invalidOption('earlyStopping to be true, a number of epochs or { patience, minDelta, baseline }', option);
  }
  const given: EarlyStoppingOptions = option === true ? {} : typeof option === 'number' ? { patience: option } : option;
  assertOptions(given, { patience: true, minDelta: true, baseline: true }, { of: 'earlyStopping' });
  const { patience = 3, minDelta = 0, baseline } = given;
  assertWhole('earlyStopping.patience', patience, 1);
  if (!(Number.isFinite(minDelta) && minDelta >= 0)) {
    throw invalidOption('earlyStopping.minDelta to be a finite number from 0', minDelta);
  }
  if (baseline !== undefined && !Number.isFinite(baseline)) {
    throw invalidOption('earlyStopping.baseline to be a finite number', baseline);
  }
  return { patience, minDelta, baseline };
}
