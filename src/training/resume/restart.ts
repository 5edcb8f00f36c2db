// Reads and validates the record of an earlier process.
import { getBackend } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { TrainingLog } from '../../core/logs.ts';
import { assertSameRun } from './checkpointMismatch.ts';
import type { FoundCheckpoint, Position } from './checkpoints.ts';
import type { Run, Start } from '../state/plan.ts';
import type { SavedNumbers, SavedState } from './savedState.ts';

/** The content of a checkpoint besides position and tensors. */
export interface RunRecord extends Omit<Start, 'epoch'> {
  readonly training: SavedNumbers;
  /** Logs of the training that the model had before the run. */
  readonly history: readonly TrainingLog[];
  /** Duration of the run so far, without the work that was repeated. */
  readonly seconds: number;
  readonly backend: string;
}

/** Where a run resumes. */
export interface Restart {
  readonly position: Position;
  readonly record: RunRecord;
  readonly tensors: SavedState['tensors'];
}

/**
 * Reads a checkpoint of this run.
 *
 * @throws TransferKitError `CHECKPOINT_MISMATCH`; `WEIGHTS_DAMAGED` for a checkpoint that does not describe a run.
 */
export function restartFrom(run: Run, fingerprint: JsonObject, found: FoundCheckpoint): Restart {
  const { name, position, state: record, tensors } = found;
  if (!isRecord(record)) throw noRecord(name);
  // A model with less training was built anew, and its history comes from the checkpoint. A model with more training
  // begins another run with the same options.
  const longer = isLonger(run, found);
  const before = longer ? withoutRun(run, record) : run.model.history;
  const [here, there] = [finished(run, before), finished(run, record.history)];
  const seen = (runs: number) => (here > there ? { trainedBefore: runs } : {});
  // The default rates of a longer run differ.
  const { epochs = null, rates = null } = found.fingerprint;
  const own = longer ? { epochs, rates } : {};
  assertSameRun(name, { ...fingerprint, ...own, ...seen(here) }, { ...found.fingerprint, ...seen(there) });
  return { position, record: longer ? lengthened(record) : record, tensors };
}

/**
 * The logs of the training before the run of a checkpoint.
 *
 * @throws TransferKitError `WEIGHTS_DAMAGED` for a checkpoint that does not describe a run.
 */
export function historyOf({ name, state }: FoundCheckpoint): readonly TrainingLog[] {
  if (!isRecord(state)) throw noRecord(name);
  return state.history;
}

/** Whether a run continues after its former last epoch. */
function isLonger({ options }: Run, { fingerprint }: FoundCheckpoint): boolean {
  return typeof fingerprint.epochs === 'number' && fingerprint.epochs < options.epochs;
}

/** The history of a model without this run, if the model has finished it. */
function withoutRun({ phase, model }: Run, { epochs }: RunRecord): readonly TrainingLog[] {
  const last = model.history.at(-1);
  const isThis = last?.phase === phase && last.epochs.length === epochs.length;
  return isThis ? model.history.slice(0, -1) : model.history;
}

/** The steps are counted anew, because the schedule spans all of them. */
function lengthened(record: RunRecord): RunRecord {
  const { training } = record;
  return { ...record, training: { ...training, clock: { ...training.clock, total: 0 } } };
}

/**
 * Number of finished runs in a history. Runs that were stopped in this phase are not counted: this run may be one of
 * them.
 */
function finished({ phase }: Run, history: readonly TrainingLog[]): number {
  return history.filter((log) => log.phase !== phase || log.stoppedBy !== 'signal').length;
}

/** Warnings about resuming. */
export function warningsOf({ record }: Restart): string[] {
  if (record.backend === getBackend()) return [];
  return [`Resumed on ${getBackend()} what ${record.backend} began, so the last digits are those of neither.`];
}

/** Whether a value is a record. A file with our version and a correct checksum has all of its fields. */
function isRecord(value: unknown): value is RunRecord {
  if (!isJsonObject(value)) return false;
  const { training, epochs, history, seconds, backend } = value;
  const isRun = isJsonList(epochs) && isJsonList(history) && typeof seconds === 'number' && typeof backend === 'string';
  return isRun && isTraining(training);
}

/** Whether a value has all numbers that restoring reads. */
function isTraining(value: Json | undefined): boolean {
  if (!isJsonObject(value)) return false;
  const { clock, learningRate, watch, waiting, steps } = value;
  return (
    isJsonObject(clock) &&
    areNumbers([clock.steps, clock.total]) &&
    isJsonList(clock.schedule) &&
    isJsonObject(learningRate) &&
    areNumbers(Object.values(learningRate)) &&
    isJsonObject(watch) &&
    isJsonObject(waiting) &&
    areNumbers([waiting.batches, waiting.examples]) &&
    isJsonObject(steps) &&
    areNumbers(Object.values(steps))
  );
}

function areNumbers(values: readonly (Json | undefined)[]): boolean {
  return values.every((each) => typeof each === 'number');
}

function noRecord(name: string): TransferKitError {
  const text = `expected a checkpoint that describes its run, got ${name}, which does not. Remove it, or train anew without resume.`;
  return new TransferKitError('WEIGHTS_DAMAGED', text, { name });
}
