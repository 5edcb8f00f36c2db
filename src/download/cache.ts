// What a cache of downloaded files must offer; kept in node/ (a folder) and browser/ (Cache Storage). And which addresses
// are kept.
import type { ReadOptions } from '../core/platform.ts';

/** What a server says about the version of a file, so that it can be asked whether it changed. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/** A whole file that is kept. */
export interface CachedCopy {
  readonly validators: Validators;
  /** Origin of the address that gave it in the end; undefined in copies of earlier versions. */
  readonly reached: string | undefined;
  /** Its bytes; undefined when they are gone or damaged. `unchecked` leaves it to the caller to look for damage. */
  read(unchecked?: 'unchecked'): Promise<Uint8Array | undefined>;
}

/** What is known of a file when it begins to come. */
export interface Announced {
  readonly validators: Validators;
  /** Bytes of the whole file, if known. */
  readonly total: number | undefined;
  /** Origin of the address that gives it in the end. */
  readonly reached: string;
}

/** The beginning of a file whose download was interrupted. */
export interface PartialCopy {
  readonly validators: Validators;
  /** Bytes of the whole file. */
  readonly total: number | undefined;
  /** Bytes that are here. */
  readonly length: number;
  /** Calls `take` with the pieces in order, until the beginning is through. */
  read(take: (piece: Uint8Array) => Promise<void>): Promise<void>;
}

/** A file on its way into the cache. Nobody finds it before `finish`. */
export interface CacheWriter {
  /** Adds the next piece. */
  append(piece: Uint8Array): Promise<void>;
  /** The file is whole and right: it takes the place of an earlier copy in one step. */
  finish(bytes: Uint8Array): Promise<void>;
  /** The download stopped. `keep` leaves what has come for another try. */
  leave(keep: boolean): Promise<void>;
}

/** Downloaded files by address. Several processes may use one at the same time. */
export interface ByteCache {
  find(address: string): Promise<CachedCopy | undefined>;
  findPartial(address: string): Promise<PartialCopy | undefined>;
  begin(address: string, announced: Announced): Promise<CacheWriter>;
}

/** Whether files of an address are looked for in the cache, and kept there if their server does not forbid it. */
export function usesCache(location: string, { cacheDir, hash }: ReadOptions): boolean {
  if (cacheDir === false || !/^https?:/i.test(location)) return false;
  return cacheDir !== undefined || hash !== undefined || !isOwnMachine(location);
}

/** Whether an answer may be kept: its version can be asked for again, or is known, or the user wants it kept. */
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

/** Whether there is anything to ask by. */
export function isKnown({ etag, lastModified }: Validators): boolean {
  return etag !== undefined || lastModified !== undefined;
}

/** Whether an address names a server on this machine. */
export function isOwnMachine(location: string): boolean {
  return URL.canParse(location) && /^(localhost|.*\.localhost|127\..*|\[::1\])$/.test(new URL(location).hostname);
}

/**
 * The same cache, whose failures (a full disk, a folder that may not be written) cost no download: it then keeps nothing.
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
