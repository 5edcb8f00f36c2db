// What the environment must offer: the one seam between Node and browsers. Implemented in node/ and browser/, chosen by
// the package's imports map under the name #platform.
import type { io } from '@tensorflow/tfjs-core';
import type { CheckpointStore } from './checkpointStore.ts';
import type { Hdf5Storage } from './hdf5Storage.ts';
import type { Picture } from './picture.ts';
import type { DecodeOptions } from './pictureLimits.ts';
import { shorten } from './shown.ts';
import type { RowStore, ScratchPlan } from './rowStore.ts';

/** How far a read has come. */
export interface DownloadProgress {
  /** What is being read: one file of possibly several. */
  readonly address: string;
  /** Bytes that are here, those of an earlier, interrupted download included. */
  readonly received: number;
  /** Bytes of the whole file; undefined when the server does not say. */
  readonly total: number | undefined;
}

/** How files are read. Files on a disk heed `signal`, `maxBytes` and `allowElsewhere`; the others are for addresses. */
export interface DownloadOptions {
  /** Replaces the global `fetch` for addresses. */
  readonly fetch?: typeof globalThis.fetch;
  /** Cancels reading; the verb raises `ABORTED`. */
  readonly signal?: AbortSignal;
  /**
   * Called for each piece that has come, and once for a file that is taken from the cache, and waited for. What it throws, or
   * rejects with, ends the verb as it came.
   */
  readonly onProgress?: (progress: DownloadProgress) => unknown;
  /**
   * Where downloaded files are kept: a folder in Node (default: environment variable `TRANSFERKIT_CACHE`, else
   * `~/.cache/transferkit`), a name in the Cache Storage of a browser (default `transferkit`). `false` keeps nothing and
   * uses nothing that is kept.
   *
   * A file with a known hash is used from the cache without asking anybody. Any other is asked for again by its ETag or
   * Last-Modified, so that a model that changed at its address is seen; the kept copy is used when the server says that it
   * is still right, and when there is no connection or the server fails. Without a `cacheDir` and a hash, nothing is kept
   * of this machine's own servers (localhost), nor of answers that forbid it (`no-store`) or that have neither header.
   */
  readonly cacheDir?: string | false;
  /**
   * Address to fetch from instead: it takes the place of scheme and host, the path stays. With `https://my.host/models/`,
   * `https://example.org/a/b.h5` is fetched from `https://my.host/models/a/b.h5`. Default: environment variable
   * `TRANSFERKIT_MIRROR` in Node, else none. Addresses of this machine (localhost) are fetched as they are. `false`
   * ignores the variable. Kept copies are found under the original address. The mirror gets the query too: it stands for
   * the server.
   */
  readonly mirror?: string | false;
  /**
   * Largest file that is accepted, in bytes, from a server, a disk, a device or a pipe: a bigger one is refused before
   * memory is taken, or, where the length is not known in advance, as soon as more has come. Default 2 GiB; an HDF5 file on
   * a disk is read in place, and limited only when this is given.
   */
  readonly maxBytes?: number;
  /**
   * How often a broken connection or a busy server is tried again before giving up, after 0.5, 1, 2, … seconds or what
   * the server asks for. What has come is kept, where the server can send the rest. Default 3.
   */
  readonly retries?: number;
  /**
   * Whether a model may lead elsewhere. By default the `model.json` of a server names files of its own origin only (that
   * of its address, or the one that it was redirected to), and one on a disk names files in its folder and below it; links
   * in that folder are yours and are followed. `true` allows other origins, private networks included, and other folders.
   * What came from a server never leads to local files, nor from `https:` to `http:`, and its query, which may hold a
   * token, goes to no other origin. Default false.
   */
  readonly allowElsewhere?: boolean;
}

/** The hash of a file, as its publisher gives it. */
export interface FileHash {
  readonly algorithm: 'md5' | 'sha256';
  /** Hexadecimal. */
  readonly digest: string;
}

/** Options of a read. */
export interface ReadOptions extends DownloadOptions {
  /** What the file's bytes must hash to; checked before they are used. */
  readonly hash?: FileHash;
  /** Wait before the first new try, in milliseconds; it doubles with each. Default 500. */
  readonly retryDelay?: number;
  /** The file that named this one; undefined when the user did. It limits where redirects may lead. */
  readonly from?: FileOrigin;
}

/** Where a file came from. */
export interface FileOrigin {
  /** Path, or address, that it was asked for by. */
  readonly location: string;
  /** Address that gave it in the end: after redirects, or of a mirror. Else as `location`. */
  readonly reached: string;
}

/** A file that was read. */
export interface ReadFile {
  readonly bytes: Uint8Array;
  readonly origin: FileOrigin;
}

/** Reading bytes and decoding pictures. */
export interface Platform {
  readonly name: 'node' | 'browser';
  /** Preferred backends, best first. */
  readonly backends: readonly BackendLoader[];
  readonly threads: Threads;
  /**
   * Reads a file (Node) or an address. Raises NOT_FOUND with the reason, NOT_TRUSTED for a redirect that leads too far,
   * ABORTED, WEIGHTS_DAMAGED for a wrong hash, OUT_OF_RANGE for a file over `maxBytes`.
   */
  readFile(location: string, options?: ReadOptions): Promise<ReadFile>;
  /** The bytes that {@link readFile} gives. */
  readBytes(location: string, options?: ReadOptions): Promise<Uint8Array>;
  /** SHA-256 in lower-case hexadecimal digits; undefined in pages that may not hash (neither https: nor localhost). */
  sha256(bytes: Uint8Array): Promise<string | undefined>;
  /** A folder as a place for a model. Browsers have none. Raises INVALID_OPTION for the path of a file. */
  readonly openFolder?: (location: string) => io.IOHandler;
  /**
   * Opens an HDF5 file on a disk without reading it whole; gives undefined for any other file. Browsers have no disk.
   */
  readonly openHdf5?: (location: string, options?: ReadOptions) => Promise<Hdf5Storage | undefined>;
  /**
   * Decodes a picture, upright. Big pictures may come back smaller, but never below `atLeast` where that is given and the
   * picture was larger. Raises UNREADABLE, also for what is over the limits.
   */
  decodePicture(source: unknown, options?: DecodeOptions): Promise<Picture>;
  /** Bytes of memory that are free for this process; in browsers, which do not tell, an estimate. */
  freeMemory(): number;
  /** Opens rows outside memory. Raises SAVE_FAILED when there is no room. */
  openScratch(plan: ScratchPlan): Promise<RowStore>;
  /** Removes rows of `openScratch` that nobody disposed of because their process crashed. */
  clearScratch(directory: string | undefined): Promise<void>;
  /**
   * Opens a place for checkpoints and clears away what killed processes left half written: a folder in Node, made when it
   * is missing; `indexeddb://name` in browsers. Raises INVALID_OPTION for another location, SAVE_FAILED when it cannot be
   * written.
   */
  openCheckpoints(location: string): Promise<CheckpointStore>;
}

/** A thread that runs beside the calling one. It never keeps a process alive. */
export interface Thread {
  terminate(): void;
}

/** Threads that share memory. */
export interface Threads {
  /** Cores that this process may use, from 1. */
  cores(): number;
  /** Whether the calling thread may sleep until another one wakes it: not in a page. */
  readonly mayWait: boolean;
  /** Starts a thread that calls `source`, the text of a function of one argument, with a copy of `data`. */
  start(source: string, data: unknown): Thread;
}

/** A tfjs backend that the platform can load. */
export interface BackendLoader {
  readonly name: string;
  /** npm package that brings it. */
  readonly packageName: string;
  /** Imports the package, so that tfjs knows the backend, and sets its paths. */
  load(): Promise<void>;
}

/** Whether a location is an address for fetch (`http:`, `https:`, `data:`, `blob:`) rather than a path. */
export function isAddress(location: string): boolean {
  return /^(https?|data|blob):/i.test(location);
}

/**
 * An address or path as error texts show it: a `data:` address can be megabytes long, and a name and password before the
 * host are nobody's business.
 */
export function shortAddress(location: string): string {
  return shorten(location.replace(/^(https?:\/\/)[^/?#]*@/i, '$1'));
}
