// What an earlier process left of a run, checked.
import { getBackend } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { TrainingLog } from '../../core/logs.ts';
import { assertSameRun } from './checkpointMismatch.ts';
import type { FoundCheckpoint, Position } from './checkpoints.ts';
import type { Run, Start } from '../state/plan.ts';
import type { SavedNumbers, SavedState } from './savedState.ts';

/** What a checkpoint holds of a run besides position and tensors. */
export interface RunRecord extends Omit<Start, 'epoch'> {
  readonly training: SavedNumbers;
  /** Training that the model had seen before. */
  readonly history: readonly TrainingLog[];
  /** Of the run so far, what was done again left out. */
  readonly seconds: number;
  readonly backend: string;
}

/** Where to go on. */
export interface Restart {
  readonly position: Position;
  readonly record: RunRecord;
  readonly tensors: SavedState['tensors'];
}

/**
 * What a checkpoint says, if it is of this run.
 *
 * @throws TransferKitError `CHECKPOINT_MISMATCH`; `WEIGHTS_DAMAGED` for a checkpoint that does not describe a run.
 */
export function restartFrom(run: Run, fingerprint: JsonObject, found: FoundCheckpoint): Restart {
  const { name, position, state: record, tensors } = found;
  if (!isRecord(record)) throw noRecord(name);
  // A model that has seen less was made anew, and what it had seen comes from the checkpoint. One that has seen more goes
  // through another run of the same options.
  const longer = isLonger(run, found);
  const before = longer ? withoutRun(run, record) : run.model.history;
  const [here, there] = [finished(run, before), finished(run, record.history)];
  const seen = (runs: number) => (here > there ? { trainedBefore: runs } : {});
  // A longer run has other rates of its own accord.
  const { epochs = null, rates = null } = found.fingerprint;
  const own = longer ? { epochs, rates } : {};
  assertSameRun(run.verb, name, { ...fingerprint, ...own, ...seen(here) }, { ...found.fingerprint, ...seen(there) });
  return { position, record: longer ? lengthened(record) : record, tensors };
}

/** Whether a run goes on behind what was its end. */
function isLonger({ options }: Run, { fingerprint }: FoundCheckpoint): boolean {
  return typeof fingerprint.epochs === 'number' && fingerprint.epochs < options.epochs;
}

/** The history of a model without this run, if it has seen that to its end. */
function withoutRun({ phase, model }: Run, { epochs }: RunRecord): readonly TrainingLog[] {
  const last = model.history.at(-1);
  const isThis = last?.phase === phase && last.epochs.length === epochs.length;
  return isThis ? model.history.slice(0, -1) : model.history;
}

/** The number of steps is counted anew, as the schedule goes over all of them. */
function lengthened(record: RunRecord): RunRecord {
  const { training } = record;
  return { ...record, training: { ...training, clock: { ...training.clock, total: 0 } } };
}

/** How many runs there are in a history; those that were stopped in this phase, as this one may have been, left out. */
function finished({ phase }: Run, history: readonly TrainingLog[]): number {
  return history.filter((log) => log.phase !== phase || log.stoppedBy !== 'signal').length;
}

/** What to tell about going on. */
export function warningsOf({ verb }: Run, { record }: Restart): string[] {
  if (record.backend === getBackend()) return [];
  return [`${verb}: resumed on ${getBackend()} what ${record.backend} began, so the last digits are those of neither.`];
}

/** A file of our version and with the right checksum has all of it. */
function isRecord(value: unknown): value is RunRecord {
  if (!isJsonObject(value)) return false;
  const { training, epochs, history, seconds, backend } = value;
  const isRun = isJsonList(epochs) && isJsonList(history) && typeof seconds === 'number' && typeof backend === 'string';
  return isRun && isTraining(training);
}

/** Whether it has all numbers that restoring reads. */
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
  const text = `resume: expected a checkpoint that describes its run, got ${name}, which does not. Remove it, or train anew without resume.`;
  return new TransferKitError('WEIGHTS_DAMAGED', text, { name });
}
