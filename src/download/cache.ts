// The interface of a cache of downloaded files, implemented in node/ (a folder) and browser/ (Cache Storage), and the
// rules for which addresses are cached.
import type { ReadOptions } from '../core/platform.ts';
import { parseUrl } from '../core/parseUrl.ts';

/** The version of a file according to its server, for asking whether it has changed. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/** A complete file in the cache. */
export interface CachedCopy {
  readonly validators: Validators;
  /** Origin of the final address; undefined in copies made by earlier versions. */
  readonly reached: string | undefined;
  /** Returns its bytes; undefined when they are missing or damaged. With `unchecked` the caller checks for damage. */
  read(unchecked?: 'unchecked'): Promise<Uint8Array | undefined>;
}

/** Facts about a file at the start of its download. */
export interface Announced {
  readonly validators: Validators;
  /** Bytes of the whole file, if known. */
  readonly total: number | undefined;
  /** Origin of the final address. */
  readonly reached: string;
}

/** The first part of a file whose download was interrupted. */
export interface PartialCopy {
  readonly validators: Validators;
  /** Bytes of the whole file. */
  readonly total: number | undefined;
  /** Number of bytes present. */
  readonly length: number;
  /** Calls `take` with the pieces in order. */
  read(take: (piece: Uint8Array) => Promise<void>): Promise<void>;
}

/** A file that is being written to the cache. Readers do not find it before `finish`. */
export interface CacheWriter {
  /** Adds the next piece. */
  append(piece: Uint8Array): Promise<void>;
  /** Called when the file is complete and checked: replaces an earlier copy in one step. */
  finish(bytes: Uint8Array): Promise<void>;
  /** Called when the download stopped. `keep` leaves the received bytes for another attempt. */
  leave(keep: boolean): Promise<void>;
}

/** Downloaded files by address. Several processes may use one at the same time. */
export interface ByteCache {
  find(address: string): Promise<CachedCopy | undefined>;
  findPartial(address: string): Promise<PartialCopy | undefined>;
  begin(address: string, announced: Announced): Promise<CacheWriter>;
}

/** Whether the cache is searched for files of an address, and stores them if their server does not forbid it. */
export function usesCache(location: string, { cacheDir, hash }: ReadOptions): boolean {
  if (cacheDir === false || !/^https?:/i.test(location)) return false;
  return cacheDir !== undefined || hash !== undefined || !isOwnMachine(location);
}

/** Whether an answer may be stored: its version can be checked later, or is known, or the user wants it stored. */
export function maybeKept(headers: Headers, { cacheDir, hash }: ReadOptions): boolean {
  if (cacheDir !== undefined || hash !== undefined) return true;
  return isKnown(validatorsOf(headers)) && !/no-store/i.test(headers.get('cache-control') ?? '');
}

/** The validators of an answer. */
export function validatorsOf(headers: Headers): Validators {
  const etag = headers.get('etag');
  const lastModified = headers.get('last-modified');
  return { ...(etag === null ? {} : { etag }), ...(lastModified === null ? {} : { lastModified }) };
}

/** Whether there is any validator. */
export function isKnown({ etag, lastModified }: Validators): boolean {
  return etag !== undefined || lastModified !== undefined;
}

/** Whether an address is on this machine. */
export function isOwnMachine(location: string): boolean {
  return /^(localhost|.*\.localhost|127\..*|\[::1\])$/.test(parseUrl(location)?.hostname ?? '');
}

/**
 * Wraps a cache so that its failures (a full disk, a read-only folder) do not fail a download: it then stores nothing.
 */
export function forgiving(cache: ByteCache): ByteCache {
  const nothing: CacheWriter = {
    append: async () => undefined,
    finish: async () => undefined,
    leave: async () => undefined,
  };
  return {
    find: (address) => cache.find(address).catch(() => undefined),
    findPartial: (address) => cache.findPartial(address).catch(() => undefined),
    begin: async (address, announced) => {
      let writer = await cache.begin(address, announced).catch(() => nothing);
      const stop = async (): Promise<void> => {
        const broken = writer;
        writer = nothing;
        await broken.leave(false).catch(() => undefined);
      };
      return {
        append: (piece) => writer.append(piece).catch(stop),
        finish: (bytes) => writer.finish(bytes).catch(stop),
        leave: (keep) => writer.leave(keep).catch(() => undefined),
      };
    },
  };
}
