// Where scratch files lie and whose they are. A name says which process of which machine writes the file, so that the file
// of a process that crashed can be told from one that is in use.
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, readlink, rm, stat, statfs } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a name says. */
interface Owner {
  /** Where its number is known. */
  readonly machine: string;
  readonly pid: number;
  /** When the process started, in ticks since the machine did; 0 where that is not told. */
  readonly start: number;
}

const pattern = /^transferkit-features-([0-9a-f]{12})-(\d+)-(\d+)-[0-9a-f]{12}\.tmp$/;
/** Nobody is at work on a file that was left alone for a week. */
const oldAge = 7 * 24 * 3600 * 1000;
/** What statfs calls a folder that lies in memory. */
const tmpfs = 0x01021994;

/** A name that nobody else gives a file, other threads of this process included. */
export async function newScratchName(): Promise<string> {
  const start = (await startOf(process.pid))?.start ?? 0;
  return `transferkit-features-${await thisMachine()}-${process.pid}-${start}-${randomBytes(6).toString('hex')}.tmp`;
}

/** The folder for scratch files: the one given, or the system's for temporary files that is on a disk. */
export async function scratchFolder(directory: string | undefined): Promise<string> {
  const usual = directory ?? tmpdir();
  const isChosen = directory !== undefined || process.env.TMPDIR !== undefined || process.platform !== 'linux';
  // Some distributions keep /tmp in memory, and /var/tmp for what is too big for that.
  return !isChosen && (await isInMemory(usual)) && !(await isInMemory('/var/tmp')) ? '/var/tmp' : usual;
}

/**
 * Removes scratch files of this machine whose process is gone, and those of other machines and containers (a folder may
 * be shared) that nobody has touched for a week.
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

/** Containers number their processes by themselves: on Linux each has a namespace for that. */
async function thisMachine(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 12);
}

/** Whether the process that a name speaks of is alive, and not another one that got its number. */
async function isRunning({ pid, start }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process cannot be signalled, but is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const now = await startOf(pid);
  return now === undefined || (!now.isOver && (start === 0 || now.start === start));
}

/** When a process started, and whether it has ended and only waits to be noticed; undefined where that is not told. */
async function startOf(pid: number): Promise<{ start: number; isOver: boolean } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  // The name of the program, in brackets, may hold anything.
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
