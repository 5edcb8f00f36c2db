// The checkpoints of a run: when the next one is due, their names, which are kept, and which one a run resumes from.
import { platform } from '#platform';
import type { CheckpointStore } from '../../core/checkpointStore.ts';
import { isTransferKitError, reasonOf, TransferKitError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { decodeCheckpoint, encodeCheckpoint, type StoredTensor } from './checkpointFile.ts';
import type { SettledCheckpoint } from '../options/checkpointOptions.ts';

/** Position of a run, always between two updates. */
export interface Position {
  /** The present epoch, or the next one. */
  readonly epoch: number;
  /** Number of its finished rows. */
  readonly done: number;
  /** Number of updates of the run so far. */
  readonly step: number;
}

/** Everything that is needed to resume a run. */
export interface Checkpoint {
  /** Identifies the run: a checkpoint of another run is refused. */
  readonly fingerprint: JsonObject;
  readonly position: Position;
  /** The state without its tensors. */
  readonly state: object;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** A checkpoint and the name of its file. */
export interface FoundCheckpoint extends Checkpoint {
  readonly name: string;
  readonly state: JsonObject;
}

/** Version of the file format. */
const version = 2;

/**
 * Opens the store of a run's checkpoints.
 *
 * @throws TransferKitError `INVALID_OPTION`, `SAVE_FAILED`; and the errors of a custom store.
 */
export async function openCheckpoints(phase: 'head' | 'fineTune', settled: SettledCheckpoint): Promise<Checkpoints> {
  const store = typeof settled.to === 'string' ? await platform.openCheckpoints(settled.to) : settled.to;
  const pattern = new RegExp(`^${phase}-\\d+\\.safetensors$`);
  const names = (await store.list()).filter((name) => pattern.test(name));
  return new Checkpoints(phase, settled, store, names);
}

/** The checkpoints of one run. */
export class Checkpoints {
  /** Warnings about failures that did not stop the run. */
  readonly warnings: string[] = [];
  /** Checkpoints of this run, the oldest first. */
  private own: string[] = [];
  /** Damaged checkpoints and those of another run: removed as soon as there is a new one. */
  private stale: string[];
  private readonly highest: number;
  private written = 0;
  private hasFailed = false;
  private found: FoundCheckpoint | undefined;
  private last = { epoch: 0, step: 0, time: 0 };

  constructor(
    private readonly phase: 'head' | 'fineTune',
    private readonly settled: SettledCheckpoint,
    private readonly store: CheckpointStore,
    names: readonly string[],
  ) {
    this.stale = [...names].sort((a, b) => numberOf(a) - numberOf(b));
    this.highest = numberOf(this.stale.at(-1) ?? '');
  }

  /**
   * Returns the newest undamaged checkpoint, if the run is to resume. Damaged ones are listed in the warnings.
   *
   * @throws TransferKitError `WEIGHTS_DAMAGED` if there are checkpoints and all of them are damaged.
   */
  async find(): Promise<FoundCheckpoint | undefined> {
    if (!this.settled.resume) return undefined;
    const newestFirst = [...this.stale].reverse();
    for (const [damaged, name] of newestFirst.entries()) {
      const found = await this.readWhole(name);
      if (found === undefined) continue;
      this.own = newestFirst.slice(damaged).reverse();
      this.stale = newestFirst.slice(0, damaged);
      this.found = found;
      return found;
    }
    if (newestFirst.length === 0) return undefined;
    const text =
      `expected a checkpoint to resume from, got none that is whole. ${this.warnings.join(' ')} ` +
      'Leave resume out to begin anew.';
    throw new TransferKitError('WEIGHTS_DAMAGED', text, { names: newestFirst });
  }

  /** Whether there is a checkpoint to resume from. */
  get resumes(): boolean {
    return this.found !== undefined;
  }

  /** The result of `find`, until `take`. */
  peek(): FoundCheckpoint | undefined {
    return this.found;
  }

  /** Returns the result of `find`, once: it is large. */
  take(): FoundCheckpoint | undefined {
    const { found } = this;
    this.found = undefined;
    return found;
  }

  /** Starts counting towards the next checkpoint from this position. */
  begin({ epoch, step }: Position): void {
    this.last = { epoch, step, time: performance.now() };
  }

  /** Whether a checkpoint is due. */
  isDue({ epoch, step }: Position): boolean {
    const { unit, amount } = this.settled.every;
    const { last } = this;
    const gone = {
      epochs: epoch - last.epoch,
      steps: step - last.step,
      seconds: (performance.now() - last.time) / 1000,
    };
    return gone[unit] >= amount;
  }

  /** Writes a checkpoint, and removes those that are then too old. If this fails, the run continues: see `warnings`. */
  async save(position: Position, make: () => Promise<Checkpoint>): Promise<void> {
    try {
      await this.write(await make());
      await this.removeOld();
    } catch (error) {
      await this.tell(position, error);
    }
    this.begin(position);
  }

  /** Reads a checkpoint. Returns undefined, with a warning, if it is damaged. */
  private async readWhole(name: string): Promise<FoundCheckpoint | undefined> {
    try {
      const { state, tensors } = decodeCheckpoint(name, await this.store.read(name));
      return { name, tensors, ...this.parse(name, state) };
    } catch (error) {
      if (isTransferKitError(error) && error.code === 'CHECKPOINT_MISMATCH') throw error;
      this.warn(`${asSentence(error)} It is left out.`);
      return undefined;
    }
  }

  private parse(name: string, all: JsonObject): Omit<FoundCheckpoint, 'name' | 'tensors'> {
    const { fingerprint, position, state } = all;
    if (all.version !== version) {
      const text =
        `expected ${name} to be a checkpoint of version ${version}, got version ${String(all.version)}. ` +
        'Resume with the transferkit that wrote it, or leave resume out to begin anew.';
      throw new TransferKitError('CHECKPOINT_MISMATCH', text, { name, version: all.version });
    }
    if (isJsonObject(fingerprint) && isPosition(position) && isJsonObject(state))
      return { fingerprint, position, state };
    throw new Error(`${name} lacks its fingerprint, position or state.`);
  }

  private async write({ fingerprint, position, state, tensors }: Checkpoint): Promise<void> {
    this.written++;
    const number = String(this.highest + this.written).padStart(6, '0');
    const name = `${this.phase}-${number}.safetensors`;
    const all = { version, fingerprint, position: { ...position }, state };
    await this.store.write(name, encodeCheckpoint({ state: all, tensors }));
    this.own.push(name);
  }

  private async removeOld(): Promise<void> {
    const old = [...this.stale, ...this.own.slice(0, -this.settled.keep)];
    for (const name of old) {
      await this.store.remove(name);
      this.stale = this.stale.filter((each) => each !== name);
      this.own = this.own.filter((each) => each !== name);
    }
  }

  /** Reports the first failure only, because a disk that is full remains full for a while. */
  private async tell({ epoch, step }: Position, cause: unknown): Promise<void> {
    if (this.hasFailed) return;
    this.hasFailed = true;
    const text =
      `expected to keep a checkpoint after step ${step} (epoch ${epoch}), but: ${asSentence(cause)} ` +
      'Training goes on, and tries again when the next one is due.';
    this.warn(text);
    await this.settled.onError?.(new TransferKitError('SAVE_FAILED', text, { epoch, step }, cause));
  }

  private warn(text: string): void {
    this.warnings.push(`${text.charAt(0).toUpperCase()}${text.slice(1)}`);
  }
}

function numberOf(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0);
}

function isPosition(value: unknown): value is Position & JsonObject {
  return isJsonObject(value) && [value.epoch, value.done, value.step].every(Number.isSafeInteger);
}

/** The reason, as the end of a sentence. */
function asSentence(error: unknown): string {
  return reasonOf(error).replace(/[^.]$/, '$&.');
}
