// Downloaded files in a folder. Each is one file: a head of fixed length with facts about it, then the bytes. It is
// written next to its target under its own name and moved there in one step. Processes need not wait for each other: a
// reader finds the old file, the new one or none.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../../core/json.ts';
import { isTransferKitError, TransferKitError } from '../../core/errors.ts';
import type { Announced, ByteCache, CachedCopy, CacheWriter, PartialCopy } from '../../download/cache.ts';

/** The content of a file's head. */
interface Head extends Omit<Announced, 'reached'> {
  readonly address: string;
  /** Missing in files of earlier versions. */
  readonly reached: string | undefined;
  /** Hash of the bytes, once they are complete. */
  readonly sha256: string | undefined;
}

const headBytes = 8192;
const pieceBytes = 2 ** 20;
/** Interrupted downloads are removed after a week. */
const partialAge = 7 * 24 * 3600 * 1000;

/** The cache in a folder, which is created when a file is stored. */
export function folderCache(folder: string): ByteCache {
  return {
    find: (address) => explained(folder, () => find(folder, address)),
    findPartial: (address) => explained(folder, () => findPartial(folder, address)),
    begin: (address, announced) =>
      explained(folder, async () => begin(folder, { ...announced, address, sha256: undefined })),
  };
}

/** Where the bytes of a cached file are on the disk; undefined when it is not complete. */
export async function locateCached(
  folder: string,
  address: string,
): Promise<{ path: string; offset: number } | undefined> {
  const path = join(folder, fileName(address));
  const head = await readHead(path, address);
  return head?.sha256 === undefined ? undefined : { path, offset: headBytes };
}

async function find(folder: string, address: string): Promise<CachedCopy | undefined> {
  const path = join(folder, fileName(address));
  const head = await readHead(path, address);
  if (head === undefined) return undefined;
  return {
    validators: head.validators,
    reached: head.reached,
    read: (unchecked) => readWhole(path, address, unchecked !== undefined).catch(() => undefined),
  };
}

/** Reads head and bytes through one handle, because another process may replace the file during the read. */
async function readWhole(path: string, address: string, unchecked: boolean): Promise<Uint8Array | undefined> {
  const file = await open(path).catch(() => undefined);
  try {
    const head = file === undefined ? undefined : await headOf(file, address);
    if (file === undefined || head?.sha256 === undefined) return undefined;
    const bytes = new Uint8Array((await file.stat()).size - headBytes);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, headBytes + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    const isGood = unchecked || createHash('sha256').update(bytes).digest('hex') === head.sha256;
    return isGood ? bytes : undefined;
  } finally {
    await file?.close();
  }
}

/**
 * Finds the longest first part. Other processes may still append to it; existing bytes do not change, so it can be
 * read.
 */
async function findPartial(folder: string, address: string): Promise<PartialCopy | undefined> {
  let longest: { readonly path: string; readonly length: number } | undefined;
  for (const path of await partialsOf(folder, address)) {
    const length = ((await stat(path).catch(() => undefined))?.size ?? 0) - headBytes;
    if (length > (longest?.length ?? 0)) longest = { path, length };
  }
  if (longest === undefined) return undefined;
  const { path, length } = longest;
  const head = await readHead(path, address);
  if (head === undefined || (head.total !== undefined && length >= head.total)) return undefined;
  return { validators: head.validators, total: head.total, length, read: (take) => readPieces(path, length, take) };
}

async function readPieces(path: string, length: number, take: (piece: Uint8Array) => Promise<void>): Promise<void> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return;
  try {
    for (let offset = 0; offset < length;) {
      const piece = new Uint8Array(Math.min(pieceBytes, length - offset));
      const { bytesRead } = await file.read(piece, 0, piece.length, headBytes + offset);
      if (bytesRead === 0) return;
      await take(piece.subarray(0, bytesRead));
      offset += bytesRead;
    }
  } finally {
    await file.close();
  }
}

async function begin(folder: string, head: Head): Promise<CacheWriter> {
  await mkdir(folder, { recursive: true });
  const name = fileName(head.address);
  const path = join(folder, `${name}.${randomBytes(6).toString('hex')}.partial`);
  const file = await open(path, 'wx');
  let length = 0;
  let isBroken = false;
  const leave = async (keep: boolean): Promise<void> => {
    await file.close().catch(() => undefined);
    if (!keep || isBroken || length === 0) await rm(path, { force: true });
  };
  /** A failure, such as a full disk, leaves no open file, and no partial file that fills the disk. */
  const orLeave = async (work: () => Promise<void>): Promise<void> =>
    explained(folder, work).catch(async (error: unknown) => {
      isBroken = true;
      await leave(false).catch(() => undefined);
      throw error;
    });
  await orLeave(async () => {
    await writeAll(file, encodeHead(head), 0);
  });
  return {
    append: (piece) =>
      orLeave(async () => {
        await writeAll(file, piece, headBytes + length);
        length += piece.length;
      }),
    finish: (bytes) =>
      orLeave(async () => {
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        await writeAll(file, encodeHead({ ...head, total: bytes.length, sha256 }), 0);
        await file.close();
        await place(path, join(folder, name));
        await clean(folder, head.address);
      }),
    leave,
  };
}

/**
 * Moves a complete file to its place. Another process that completes the file also removes this partial file, and
 * Windows does not replace a file that is being read. In both cases a complete file exists, which is enough.
 */
async function place(path: string, target: string): Promise<void> {
  try {
    await rename(path, target);
  } catch (error) {
    await rm(path, { force: true });
    const isThere = await stat(target).then(
      () => true,
      () => false,
    );
    if (!isThere) throw error;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** Removes the partial files of a file that is complete, and old ones of any file. */
async function clean(folder: string, address: string): Promise<void> {
  const own = await partialsOf(folder, address);
  const all = (await readdir(folder)).filter((name) => name.endsWith('.partial')).map((name) => join(folder, name));
  for (const path of all) {
    const { mtimeMs } = (await stat(path).catch(() => undefined)) ?? { mtimeMs: Infinity };
    if (own.includes(path) || mtimeMs < Date.now() - partialAge) await rm(path, { force: true }).catch(() => undefined);
  }
}

async function partialsOf(folder: string, address: string): Promise<string[]> {
  const start = `${fileName(address)}.`;
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.startsWith(start) && name.endsWith('.partial')).map((name) => join(folder, name));
}

/** A name that shows the address to a person, and is different for each address. */
function fileName(address: string): string {
  const [path = ''] = address.split(/[?#]/);
  const last = path.split('/').at(-1) ?? '';
  const key = createHash('sha256').update(address).digest('hex').slice(0, 24);
  return `${key}-${last.replace(/[^\w.-]/g, '_').slice(-80)}`;
}

async function readHead(path: string, address: string): Promise<Head | undefined> {
  const file = await open(path).catch(() => undefined);
  try {
    return file === undefined ? undefined : await headOf(file, address);
  } finally {
    await file?.close();
  }
}

async function headOf(file: FileHandle, address: string): Promise<Head | undefined> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(headBytes), 0, headBytes, 0);
  const head = bytesRead === headBytes ? parseHead(new TextDecoder().decode(buffer)) : undefined;
  return head?.address === address ? head : undefined;
}

function encodeHead(head: Head): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(head));
  if (text.length > headBytes) throw new Error(`its address and headers take ${text.length} bytes`);
  return new Uint8Array(headBytes).fill(0x20).map((space, i) => text[i] ?? space);
}

function parseHead(text: string): Head | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(json) || typeof json.address !== 'string' || !isJsonObject(json.validators)) return undefined;
  const { etag, lastModified } = json.validators;
  return {
    address: json.address,
    validators: {
      ...(typeof etag === 'string' ? { etag } : {}),
      ...(typeof lastModified === 'string' ? { lastModified } : {}),
    },
    total: typeof json.total === 'number' ? json.total : undefined,
    reached: typeof json.reached === 'string' ? json.reached : undefined,
    sha256: typeof json.sha256 === 'string' ? json.sha256 : undefined,
  };
}

async function explained<Value>(folder: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    if (isTransferKitError(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `expected to keep downloaded files in ${folder}, but: ${reason}. Choose another cacheDir, or false.`;
    throw new TransferKitError('SAVE_FAILED', text, { folder, reason }, cause);
  }
}
