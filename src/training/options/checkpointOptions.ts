// When and where training keeps checkpoints: the options, and their checks.
import type { CheckpointStore } from '../../core/checkpointStore.ts';
import type { TransferKitError } from '../../core/errors.ts';
import { assertWhole, invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/**
 * Writes checkpoints, from which a run can continue after its process was killed. A new checkpoint is written next to
 * the previous ones and replaces them in one step, so that a whole one always exists.
 *
 * If checkpoints cannot be written (a full disk), training continues, the log's `warnings` report it, and earlier
 * checkpoints remain.
 */
export interface CheckpointOptions {
  /**
   * Path of a folder (Node), `indexeddb://name` (browsers) or a custom store. Only one run at a time may write to it:
   * in browsers a second one, in whichever tab or worker of the site, is refused with `BUSY`. `trainHead` and
   * `fineTune` may share it one after the other: each has its own files there.
   */
  readonly to: string | CheckpointStore;
  /**
   * Interval between two checkpoints: a whole number of epochs from 1, `{ steps }` (updates of the weights), or `{
   * seconds }`. In each case there is one at the end, and one where `signal` stops the run. Default 1.
   */
  readonly every?: number | { readonly steps: number } | { readonly seconds: number };
  /** Number of checkpoints to keep, from 1. Older ones are used if the newest is damaged. Default 2. */
  readonly keep?: number;
  /**
   * Called once, and awaited, with the first error `SAVE_FAILED` of a checkpoint that could not be written or removed.
   */
  readonly onError?: (error: TransferKitError) => unknown;
}

/** Validated options, with all defaults filled in. */
export interface SettledCheckpoint {
  readonly to: string | CheckpointStore;
  readonly every: { readonly unit: 'epochs' | 'steps' | 'seconds'; readonly amount: number };
  readonly keep: number;
  readonly onError: ((error: TransferKitError) => unknown) | undefined;
  /** Whether to continue from the newest checkpoint, if there is one. */
  readonly resume: boolean;
}

/**
 * Validates options and fills in defaults.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleCheckpoint(
  checkpoint: CheckpointOptions | undefined,
  resume: boolean | undefined = false,
): SettledCheckpoint | undefined {
  if (typeof resume !== 'boolean') throw invalidOption('resume to be true or false', resume);
  if (checkpoint === undefined) {
    if (resume) throw invalidOption('checkpoint: { to } for resume: true', undefined, 'no checkpoint');
    return undefined;
  }
  if (!isObject(checkpoint)) throw invalidOption('checkpoint to be { to, every, keep }', checkpoint);
  assertOptions(checkpoint, { to: true, every: true, keep: true, onError: true }, { of: 'checkpoint' });
  const { to, every = 1, keep = 2, onError } = checkpoint;
  const isPlace = typeof to === 'string' ? to !== '' : isStore(to);
  if (!isPlace) {
    throw invalidOption('checkpoint.to to be a place or { list, read, write, remove }', to);
  }
  assertWhole('checkpoint.keep', keep, 1);
  return { to, every: settleEvery(every), keep, onError, resume };
}

function settleEvery(every: NonNullable<CheckpointOptions['every']>): SettledCheckpoint['every'] {
  if (!isObject(every)) {
    assertWhole('checkpoint.every', every, 1);
    return { unit: 'epochs', amount: every };
  }
  assertOptions(every, { steps: true, seconds: true }, { of: 'checkpoint.every', example: '{ steps: 100 }' });
  const { steps, seconds }: { readonly steps?: number; readonly seconds?: number } = every;
  if ((steps === undefined) === (seconds === undefined)) {
    throw invalidOption('checkpoint.every to be epochs, { steps } or { seconds }', every);
  }
  if (steps !== undefined) {
    assertWhole('checkpoint.every.steps', steps, 1);
    return { unit: 'steps', amount: steps };
  }
  if (seconds !== undefined && Number.isFinite(seconds) && seconds > 0) return { unit: 'seconds', amount: seconds };
  throw invalidOption('checkpoint.every.seconds to be a finite number above 0', seconds);
}

function isStore(value: unknown): boolean {
  const verbs = ['list', 'read', 'write', 'remove'];
  return isObject(value) && verbs.every((name) => name in value && typeof Reflect.get(value, name) === 'function');
}
