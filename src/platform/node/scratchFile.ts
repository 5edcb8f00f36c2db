// Rows in a file for the time of a training run: appended in order, read by position.
import { mkdir, open, rm, statfs, type FileHandle } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { TransferKitError } from '../../core/errors.ts';
import { runsOf, type RowStore, type Run, type ScratchPlan, type TakeRow } from '../../core/rowStore.ts';
import { newScratchName, scratchFolder } from './scratchNames.ts';

/** A file in use updates its modification time once an hour: see `clearScratch`. */
const touchEvery = 3600 * 1000;

/** Files in use by this process. They are removed when it exits during a run. */
const live = new Set<string>();

/**
 * Opens a file for rows.
 *
 * @throws TransferKitError `SAVE_FAILED` when the folder cannot be written or its disk has not enough space.
 */
export async function openScratch({ rowBytes, rows, directory }: ScratchPlan): Promise<RowStore> {
  const folder = await scratchFolder(directory);
  return explained(folder, async () => {
    await mkdir(folder, { recursive: true });
    await assertRoom(folder, rows * rowBytes);
    const path = join(folder, await newScratchName());
    const file = await open(path, 'wx+', 0o600);
    keepUntilExit(path);
    return new ScratchFile(folder, path, file, rowBytes);
  });
}

class ScratchFile implements RowStore {
  private length = 0;
  private readonly spare: Uint8Array[] = [];
  private touched = Date.now();

  constructor(
    private readonly folder: string,
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly rowBytes: number,
  ) {}

  append(rows: Uint8Array): Promise<void> {
    return explained(this.folder, async () => {
      for (let done = 0; done < rows.length;) {
        done += (await this.file.write(rows, done, rows.length - done, this.length + done)).bytesWritten;
      }
      this.length += rows.length;
    });
  }

  read(rows: readonly number[], take: TakeRow): Promise<void> {
    return explained(this.folder, async () => {
      await this.touch();
      const runs = runsOf(rows);
      const block = this.takeBlock(runs.reduce((sum, { first, last }) => sum + (last - first + 1) * this.rowBytes, 0));
      let end = 0;
      // All at once: the reads wait for the disk in parallel, outside the thread of the network.
      await Promise.all(
        runs.map((run) => {
          const start = end;
          end += (run.last - run.first + 1) * this.rowBytes;
          return this.readRun(run, block.subarray(start, end), take);
        }),
      );
      this.spare.push(block);
    });
  }

  async dispose(): Promise<void> {
    await this.file.close().catch(() => undefined);
    await rm(this.path, { force: true }).catch(() => undefined);
    forget(this.path);
  }

  /** Memory for a read: reuses that of an earlier read, to reduce garbage collection. */
  private takeBlock(length: number): Uint8Array {
    const block = this.spare.pop();
    return block !== undefined && block.length >= length ? block : new Uint8Array(length);
  }

  private async readRun({ first, wanted }: Run, bytes: Uint8Array, take: TakeRow): Promise<void> {
    const { rowBytes } = this;
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await this.file.read(bytes, done, bytes.length - done, first * rowBytes + done);
      if (bytesRead === 0) throw new Error(`${this.path} was cut short by somebody`);
      done += bytesRead;
    }
    for (const { place, row } of wanted) {
      take(place, bytes.subarray((row - first) * rowBytes, (row - first + 1) * rowBytes));
    }
  }

  private async touch(): Promise<void> {
    const now = Date.now();
    if (now - this.touched < touchEvery) return;
    this.touched = now;
    await this.file.utimes(now / 1000, now / 1000).catch(() => undefined);
  }
}

/** Fail now rather than after hours. */
async function assertRoom(folder: string, needed: number): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(folder);
  // Some network drives do not report it.
  if (blocks === 0 || bavail * bsize >= needed) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new Error(`features take ${gigabytes(needed)}, and its disk has ${gigabytes(bavail * bsize)} left`);
}

function keepUntilExit(path: string): void {
  if (live.size === 0) process.on('exit', removeLive);
  live.add(path);
}

function forget(path: string): void {
  live.delete(path);
  if (live.size === 0) process.off('exit', removeLive);
}

function removeLive(): void {
  for (const path of live) rmSync(path, { force: true });
}

async function explained<Value>(folder: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text =
      `expected to keep features in ${folder}, but: ${reason}. Choose another place by cache: { directory }, halve ` +
      "them by cache: { precision: 'float16' }, or allow more memory by cache: { memory }.";
    throw new TransferKitError('SAVE_FAILED', text, { folder, reason }, cause);
  }
}
