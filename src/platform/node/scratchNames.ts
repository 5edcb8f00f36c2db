// Names and folders of scratch files. A name contains the process and the machine that write the file, so that files of
// crashed processes can be distinguished from those in use.
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, readlink, rm, stat, statfs } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** The content of a name. */
interface Owner {
  /** The machine on which the process number is valid. */
  readonly machine: string;
  readonly pid: number;
  /** When the process started, in ticks since the machine started; 0 where that is unknown. */
  readonly start: number;
}

const pattern = /^transferkit-features-([0-9a-f]{12})-(\d+)-(\d+)-[0-9a-f]{12}\.tmp$/;
/** A file that was not touched for a week is not in use. */
const oldAge = 7 * 24 * 3600 * 1000;
/** Type that statfs reports for a folder in memory. */
const tmpfs = 0x01021994;

/** Makes a unique name, also among threads of this process. */
export async function newScratchName(): Promise<string> {
  const start = (await startOf(process.pid))?.start ?? 0;
  return `transferkit-features-${await thisMachine()}-${process.pid}-${start}-${randomBytes(6).toString('hex')}.tmp`;
}

/** The folder for scratch files: the given one, or a temporary folder of the system that is on a disk. */
export async function scratchFolder(directory: string | undefined): Promise<string> {
  const usual = directory ?? tmpdir();
  const isChosen = directory !== undefined || process.env.TMPDIR !== undefined || process.platform !== 'linux';
  // Some distributions keep /tmp in memory, and use /var/tmp for large files.
  return !isChosen && (await isInMemory(usual)) && !(await isInMemory('/var/tmp')) ? '/var/tmp' : usual;
}

/**
 * Removes scratch files of this machine whose process has ended, and those of other machines and containers (a folder
 * may be shared) that were not touched for a week.
 */
export async function clearScratch(directory: string | undefined): Promise<void> {
  const folder = await scratchFolder(directory);
  const here = await thisMachine();
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = ownerOf(name);
    const path = join(folder, name);
    if (owner === undefined) continue;
    const isOrphan = owner.machine === here ? !(await isRunning(owner)) : await isOld(path);
    if (isOrphan) await rm(path, { force: true }).catch(() => undefined);
  }
}

function ownerOf(name: string): Owner | undefined {
  const [, machine, pid, start] = pattern.exec(name) ?? [];
  return machine === undefined ? undefined : { machine, pid: Number(pid), start: Number(start) };
}

/** Process numbers are only unique within a container: on Linux each has its own namespace. */
async function thisMachine(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 12);
}

/** Whether the process in a name is running, and its number was not reused by another process. */
async function isRunning({ pid, start }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // A process of another user cannot be signalled, but exists.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const now = await startOf(pid);
  return now === undefined || (!now.isOver && (start === 0 || now.start === start));
}

/** When a process started, and whether it is a zombie; undefined where that is unknown. */
async function startOf(pid: number): Promise<{ start: number; isOver: boolean } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  // The name of the program, in brackets, may contain any characters.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined) return undefined;
  const [state = ''] = fields;
  return { start: Number(fields[19]), isOver: state === 'Z' || state === 'X' };
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.mtimeMs < Date.now() - oldAge;
}

async function isInMemory(folder: string): Promise<boolean> {
  return (await statfs(folder).catch(() => undefined))?.type === tmpfs;
}
