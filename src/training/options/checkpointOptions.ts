// When and where training keeps checkpoints: the options, and their checks.
import type { CheckpointStore } from '../../core/checkpointStore.ts';
import type { TransferKitError } from '../../core/errors.ts';
import { assertWhole, invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/**
 * Keeps what a run needs to go on after its process was killed. A checkpoint is written beside the ones before and put in
 * place in one step, so that there is always a whole one; the older ones are removed after that.
 *
 * Where checkpoints cannot be written (a full disk), training goes on, the log's `warnings` say so, and what was written
 * before stays.
 */
export interface CheckpointOptions {
  /**
   * Path of a folder (Node), `indexeddb://name` (browsers) or a store of your own. One run at a time writes to it;
   * `trainHead` and `fineTune` may share it, as each keeps its own files there.
   */
  readonly to: string | CheckpointStore;
  /**
   * Epochs between two checkpoints, whole, from 1; or `{ steps }`, updates of the weights; or `{ seconds }`. In each case
   * there is one at the end, and one where `signal` stops the run. Default 1.
   */
  readonly every?: number | { readonly steps: number } | { readonly seconds: number };
  /** How many checkpoints are kept, from 1. The older ones are there for the case that the newest is damaged. Default 2. */
  readonly keep?: number;
  /** Called once, and waited for, with the first error `SAVE_FAILED` of a checkpoint that could not be written or removed. */
  readonly onError?: (error: TransferKitError) => unknown;
}

/** The same with every value settled. */
export interface SettledCheckpoint {
  readonly to: string | CheckpointStore;
  readonly every: { readonly unit: 'epochs' | 'steps' | 'seconds'; readonly amount: number };
  readonly keep: number;
  readonly onError: ((error: TransferKitError) => unknown) | undefined;
  /** Whether to go on from the newest checkpoint, if there is one. */
  readonly resume: boolean;
}

/**
 * Fills in defaults and checks values.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleCheckpoint(
  verb: string,
  checkpoint: CheckpointOptions | undefined,
  resume: boolean | undefined = false,
): SettledCheckpoint | undefined {
  if (typeof resume !== 'boolean') throw invalidOption(verb, 'resume to be true or false', resume);
  if (checkpoint === undefined) {
    if (resume) throw invalidOption(verb, 'checkpoint: { to } for resume: true', 'no checkpoint');
    return undefined;
  }
  if (!isObject(checkpoint)) throw invalidOption(verb, 'checkpoint to be { to, every, keep }', checkpoint);
  assertOptions(verb, checkpoint, { to: true, every: true, keep: true, onError: true }, { of: 'checkpoint' });
  const { to, every = 1, keep = 2, onError } = checkpoint;
  const isPlace = typeof to === 'string' ? to !== '' : isStore(to);
  if (!isPlace) {
    throw invalidOption(verb, 'checkpoint.to to be a place or { list, read, write, remove }', typeof to);
  }
  assertWhole(verb, 'checkpoint.keep', keep, 1);
  return { to, every: settleEvery(verb, every), keep, onError, resume };
}

function settleEvery(verb: string, every: NonNullable<CheckpointOptions['every']>): SettledCheckpoint['every'] {
  if (!isObject(every)) {
    assertWhole(verb, 'checkpoint.every', every, 1);
    return { unit: 'epochs', amount: every };
  }
  assertOptions(verb, every, { steps: true, seconds: true }, { of: 'checkpoint.every', example: '{ steps: 100 }' });
  const { steps, seconds }: { readonly steps?: number; readonly seconds?: number } = every;
  if ((steps === undefined) === (seconds === undefined)) {
    throw invalidOption(verb, 'checkpoint.every to be epochs, { steps } or { seconds }', every);
  }
  if (steps !== undefined) {
    assertWhole(verb, 'checkpoint.every.steps', steps, 1);
    return { unit: 'steps', amount: steps };
  }
  if (seconds !== undefined && Number.isFinite(seconds) && seconds > 0) return { unit: 'seconds', amount: seconds };
  throw invalidOption(verb, 'checkpoint.every.seconds to be a finite number above 0', seconds);
}

function isStore(value: unknown): boolean {
  const verbs = ['list', 'read', 'write', 'remove'];
  return isObject(value) && verbs.every((name) => name in value && typeof Reflect.get(value, name) === 'function');
}
