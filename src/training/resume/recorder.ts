// Writes down where a run is, so that a later process can go on from there; and goes on from there. States of a run:
//
//   findCheckpoints          openRecorder               begin                   keep: its rows are ready
//   opened ──┬─ a whole one ─► found ──── same run ───► matched ─► restored ─────────────┐
//            │                   └─ another run: error               └─ undo: the model  │
//            │                      CHECKPOINT_MISMATCH                 as it was before ▼
//            ├─ resume, all damaged: error WEIGHTS_DAMAGED                             recording ─┬─► over (afterEpoch)
//            └─ none, or no resume ────────────────────► new ──────── begin ────────────►│  ▲     └─► stopped (signal)
//                                                                                        └──┘ due: one more checkpoint
//
// checkpoints.ts chooses and writes files, checkpointFile.ts encodes them, fingerprint.ts and checkpointMismatch.ts say
// whether it is the same run, restart.ts reads the record, savedState.ts turns a `TrainingState` into values and back.
import { getBackend } from '@tensorflow/tfjs-core';
import type { JsonObject } from '../../core/json.ts';
import type { EpochLog, TrainingLog } from '../../core/logs.ts';
import type { Checkpoints, Position } from './checkpoints.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { EarlyEnd, EpochPart, KnownRows, Run, Start } from '../state/plan.ts';
import { restartFrom, warningsOf, type Restart, type RunRecord } from './restart.ts';
import { restoreState, saveState, unfrozenIn } from './savedState.ts';
import { takeSnapshot, type Snapshot } from '../state/snapshot.ts';
import type { TrainingState } from '../state/trainingState.ts';

/**
 * Prepares the recording of a run.
 *
 * @throws TransferKitError `CHECKPOINT_MISMATCH` for a checkpoint of another run.
 */
export async function openRecorder(run: Run, checkpoints: Checkpoints): Promise<Recorder> {
  const fingerprint = await fingerprintOf(run);
  const found = checkpoints.take();
  const restart = found && restartFrom(run, fingerprint, found);
  if (restart !== undefined) checkpoints.warnings.push(...warningsOf(restart));
  return new Recorder(run, checkpoints, fingerprint, restart);
}

/** The objects whose state is recorded. */
export interface Recorded {
  readonly state: TrainingState;
  /** The finished epochs; the loop appends to them. */
  readonly epochs: readonly EpochLog[];
  readonly rows: { readonly known: KnownRows };
}

/** Records one run. */
export class Recorder {
  /** Where this process starts; undefined for the beginning of the run. */
  readonly start: Start | undefined;
  /** Logs of the training that the model had before the run. */
  readonly history: readonly TrainingLog[];
  /** Start time of the run, from `performance.now()`. For a resumed run, the time of the interruption is subtracted. */
  readonly startedAt: number;
  private recorded: Recorded | undefined;
  /** Position of the last checkpoint, or of the start of the run. */
  private position: Position;

  constructor(
    private readonly run: Run,
    private readonly checkpoints: Checkpoints,
    private readonly fingerprint: JsonObject,
    private restart: Restart | undefined,
  ) {
    this.start = restart && { ...restart.record, epoch: restart.position.epoch };
    this.history = restart?.record.history ?? run.model.history;
    this.startedAt = run.startedAt - (restart?.record.seconds ?? 0) * 1000;
    this.position = restart?.position ?? { epoch: run.options.initialEpoch, done: 0, step: 0 };
    checkpoints.begin(this.position);
  }

  /** Warnings about failures that did not stop the run. */
  get warnings(): readonly string[] {
    return this.checkpoints.warnings;
  }

  /**
   * Begins to record a run. For a resumed run, restores model and state from the checkpoint; until `keep` is called,
   * `undo` gives the model its former weights.
   */
  begin(recorded: Recorded): { readonly undo: () => void; readonly keep: () => void } {
    this.recorded = recorded;
    const { run, restart } = this;
    if (restart === undefined) return { undo: () => undefined, keep: () => undefined };
    this.restart = undefined;
    const { head } = run.model;
    const { trained } = head;
    let before: Snapshot | undefined = takeSnapshot(unfrozenIn(run));
    restoreState(run, recorded.state, { numbers: restart.record.training, tensors: restart.tensors });
    const keep = () => {
      before?.dispose();
      before = undefined;
    };
    const undo = () => {
      if (before === undefined) return;
      before.restore();
      head.trained = trained;
    };
    return { undo, keep };
  }

  /** Writes a checkpoint between two batches, if one is due. */
  async between(part: EpochPart): Promise<void> {
    if (this.checkpoints.isDue(this.positionIn(part))) await this.save(this.positionIn(part), part, undefined);
  }

  /** Writes a checkpoint where the run is stopped between two batches, if there was an update since the last one. */
  async stopped(part: EpochPart): Promise<void> {
    await this.saveChanges(this.positionIn(part), part);
  }

  /** The same between two epochs. */
  async stoppedBefore(epoch: number): Promise<void> {
    await this.saveChanges(this.positionIn({ epoch, done: 0 }), undefined);
  }

  /** Writes a checkpoint after an epoch, if one is due or the run is over. */
  async afterEpoch(epoch: number, end: EarlyEnd | undefined): Promise<void> {
    const position = this.positionIn({ epoch: epoch + 1, done: 0 });
    const isOver = end !== undefined || position.epoch === this.run.options.epochs;
    if (isOver || this.checkpoints.isDue(position)) await this.save(position, undefined, end);
  }

  private positionIn({ epoch, done }: Pick<EpochPart, 'epoch' | 'done'>): Position {
    return { epoch, done, step: this.recorded?.state.clock.steps ?? 0 };
  }

  private async saveChanges(position: Position, part: EpochPart | undefined): Promise<void> {
    const { epoch, step } = this.position;
    if (position.epoch !== epoch || position.step !== step) await this.save(position, part, undefined);
  }

  private async save(position: Position, part: EpochPart | undefined, end: EarlyEnd | undefined): Promise<void> {
    const { run, recorded, fingerprint } = this;
    if (recorded === undefined) return;
    await this.checkpoints.save(position, async () => {
      const { numbers, tensors } = await saveState(run, recorded.state);
      const record: RunRecord = {
        training: numbers,
        epochs: recorded.epochs,
        history: this.history,
        part,
        end,
        ...recorded.rows.known,
        seconds: (performance.now() - this.startedAt) / 1000,
        backend: getBackend(),
      };
      return { fingerprint, position, state: record, tensors };
    });
    this.position = position;
  }
}
