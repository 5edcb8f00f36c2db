// The interface between the package and its environment, Node or a browser. It is implemented in node/ and browser/;
// the imports map of the package chooses one under the name #platform.
import type { io } from '@tensorflow/tfjs-core';
import type { CheckpointStore } from './checkpointStore.ts';
import type { WorkerLinks } from './endpoint.ts';
import type { Hdf5Storage } from './hdf5Storage.ts';
import type { OnnxRuntime } from './onnxRuntime.ts';
import type { Picture } from './picture.ts';
import type { DecodeOptions } from './pictureLimits.ts';
import { shorten } from './shown.ts';
import type { RowStore, ScratchPlan } from './rowStore.ts';

/** Progress of a read. */
export interface DownloadProgress {
  /** The file that is being read, one of possibly several. */
  readonly address: string;
  /** Bytes received so far, including those of an earlier, interrupted download. */
  readonly received: number;
  /** Size of the whole file in bytes; undefined when the server does not send it. */
  readonly total: number | undefined;
}

/**
 * How files are read. Only `signal`, `maxBytes` and `allowElsewhere` affect files on a disk; the other options are for
 * addresses.
 */
export interface DownloadOptions {
  /** Replaces the global `fetch` for addresses. */
  readonly fetch?: typeof globalThis.fetch;
  /** Cancels reading; the verb raises `ABORTED`. */
  readonly signal?: AbortSignal;
  /**
   * Called for each received piece, and once for a file that is taken from the cache. A returned promise is awaited. If
   * the callback throws or rejects, the verb rejects with the same error.
   */
  readonly onProgress?: (progress: DownloadProgress) => unknown;
  /**
   * Where downloaded files are kept: a folder in Node (default: environment variable `TRANSFERKIT_CACHE`, else
   * `~/.cache/transferkit`), or a name in the Cache Storage of a browser (default `transferkit`). `false` turns the
   * cache off, for reading and for writing.
   *
   * A file with a known hash is taken from the cache without a request. For any other file the server is asked, by ETag
   * or Last-Modified, whether it has changed. The kept copy is used when it has not, and when there is no connection or
   * the server fails. Some answers are kept only when `cacheDir` or a hash is given: those of local servers
   * (localhost), those that forbid it (`no-store`), and those without ETag and Last-Modified.
   */
  readonly cacheDir?: string | false;
  /**
   * Server to download from instead: it replaces scheme and host, and the path is appended. With
   * `https://my.host/models/`, `https://example.org/a/b.h5` is downloaded from `https://my.host/models/a/b.h5`. The
   * query is sent to the mirror too. Default: environment variable `TRANSFERKIT_MIRROR` in Node, else none. `false`
   * ignores the variable. Addresses of this machine (localhost) do not use the mirror. Cached copies are stored under
   * the original address.
   */
  readonly mirror?: string | false;
  /**
   * Largest accepted file in bytes, from a server, a disk, a device or a pipe. A larger one is refused before memory is
   * allocated, or, where its length is not known in advance, as soon as more bytes have come. Default 2 GiB. An HDF5
   * file on a disk is read in place, and is limited only when this option is given.
   */
  readonly maxBytes?: number;
  /**
   * Number of retries after a broken connection or from a busy server. The waits are 0.5, 1, 2, … seconds, or the time
   * that the server requests. The download continues where it broke if the server supports it. Default 3.
   */
  readonly retries?: number;
  /**
   * Whether a model may refer to files outside its own place. By default the `model.json` of a server may name only
   * files of its own origin (that of its address, or of the address that it was redirected to), and one on a disk only
   * files in its folder and below it. Links in that folder are followed. `true` allows other origins, private networks
   * included, and other folders. A file from a server never refers to local files, nor from `https:` to `http:`, and
   * its query, which may hold a token, is sent to no other origin. Default false.
   */
  readonly allowElsewhere?: boolean;
}

/** The hash of a file as published. */
export interface FileHash {
  readonly algorithm: 'md5' | 'sha256';
  /** Hexadecimal. */
  readonly digest: string;
}

/** Options of a read. */
export interface ReadOptions extends DownloadOptions {
  /** Expected hash of the file; it is checked before the bytes are used. */
  readonly hash?: FileHash;
  /** Wait before the first retry, in milliseconds; it doubles with each retry. Default 500. */
  readonly retryDelay?: number;
  /** The file that named this one; undefined when the user did. It limits the allowed redirects. */
  readonly from?: FileOrigin;
}

/** Where a file came from. */
export interface FileOrigin {
  /** Path or address that was requested. */
  readonly location: string;
  /** Final address, after redirects or through a mirror. Without these, equal to `location`. */
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
  readonly workers: WorkerLinks;
  /** Loads ONNX Runtime. Raises MissingPackage, or an error whose message is the reason. Browsers do not have it. */
  readonly onnxRuntime?: () => Promise<OnnxRuntime>;
  /**
   * Reads a file (Node) or an address. Raises NOT_FOUND with the reason, NOT_TRUSTED for a redirect that is not
   * allowed, ABORTED, WEIGHTS_DAMAGED for a wrong hash, OUT_OF_RANGE for a file over `maxBytes`.
   */
  readFile(location: string, options?: ReadOptions): Promise<ReadFile>;
  /** Returns only the bytes of {@link readFile}. */
  readBytes(location: string, options?: ReadOptions): Promise<Uint8Array>;
  /**
   * SHA-256 as lower-case hexadecimal digits; undefined in pages without access to it (neither https: nor localhost).
   */
  sha256(bytes: Uint8Array): Promise<string | undefined>;
  /**
   * A folder, or a file that ends in `.zip`, as storage of a model. Browsers have none. Raises INVALID_OPTION for the
   * path of another file.
   */
  readonly placeToSave?: (location: string) => io.IOHandler;
  /**
   * Writes a file that is a whole model to a path (Node), replaced in one step. Browsers have no paths. Raises
   * INVALID_OPTION for a location that is no path, SAVE_FAILED.
   */
  readonly saveFile?: (location: string, bytes: Uint8Array) => Promise<void>;
  /** Lets the user of a page download a file. Node has no downloads. Raises INVALID_OPTION in a worker. */
  readonly download?: (name: string, file: Blob) => Promise<void>;
  /**
   * The store of a page for whole models, as storage of one: `indexeddb://name`, shared with tfjs. Node has none. Its
   * `save` raises SAVE_FAILED.
   */
  readonly modelStore?: (name: string) => io.IOHandler;
  /**
   * Opens an HDF5 file on a disk without reading all of it; gives undefined for any other file. Browsers do not have
   * it.
   */
  readonly openHdf5?: (location: string, options?: ReadOptions) => Promise<Hdf5Storage | undefined>;
  /**
   * Decodes a picture and applies its EXIF orientation. Big pictures may be reduced, but not below `atLeast` where that
   * is given and the picture was larger. Raises UNREADABLE, also for pictures over the limits.
   */
  decodePicture(source: unknown, options?: DecodeOptions): Promise<Picture>;
  /** Takes back the pixels of {@link decodePicture}, which nobody uses any more. */
  releasePixels(pixels: Picture['data']): void;
  /** Free memory of this process in bytes. In browsers, which do not report it, an estimate. */
  freeMemory(): number;
  /** Opens storage for rows outside memory. Raises SAVE_FAILED when there is not enough space. */
  openScratch(plan: ScratchPlan): Promise<RowStore>;
  /** Removes rows of `openScratch` that were left by crashed processes. */
  clearScratch(directory: string | undefined): Promise<void>;
  /**
   * Opens a place for checkpoints and removes files that killed processes left incomplete: a folder in Node, which is
   * created when it is missing; `indexeddb://name` in browsers. Raises INVALID_OPTION for another location, SAVE_FAILED
   * when it cannot be written.
   */
  openCheckpoints(location: string): Promise<CheckpointStore>;
  /**
   * Keeps other pages and workers from training with the checkpoints of a location, until the returned function is
   * called. Raises BUSY when one of them does. Node has no such locks.
   */
  readonly holdCheckpoints?: (location: string) => Promise<() => Promise<void>>;
}

/** A thread that runs in parallel with the calling one. It never keeps a process alive. */
export interface Thread {
  terminate(): void;
}

/** Threads that share memory. */
export interface Threads {
  /** Number of cores that this process may use, from 1. */
  cores(): number;
  /** Whether the calling thread may block until another one wakes it: false in a page. */
  readonly mayWait: boolean;
  /**
   * Starts a thread that calls `source`, the text of a function of one argument, with a copy of `data`. Rejects with the
   * reason where it does not start.
   */
  start(source: string, data: unknown): Promise<Thread>;
}

/** A tfjs backend that the platform can load. */
export interface BackendLoader {
  readonly name: string;
  /** npm package that contains it. */
  readonly packageName: string;
  /**
   * Imports the package, which registers the backend with tfjs, and starts it where that takes more than tfjs does.
   *
   * @param binary - For wasm: where its binary is, in place of the one that this package carries.
   */
  load(binary?: BinaryAddress): Promise<void>;
  /** Whether `load` also starts it, so that it is called for a backend that the app has registered but not started. */
  readonly starts?: boolean;
  /** Whether it is started only by its name, never as the platform's default. */
  readonly isOnlyAskedFor?: boolean;
  /**
   * Why the platform's default takes the others first here, such as a renderer in software or 16 bits; undefined where it
   * does not.
   */
  readonly drawback?: () => Promise<string | undefined>;
}

/** Where the binary of tfjs's wasm backend is. */
export interface BinaryAddress {
  /** Address of `tfjs-backend-wasm-simd.wasm`, of the installed version. */
  readonly address: string;
  /** Its hash, as in the attribute `integrity` of a script: `'sha384-…'`. Other bytes are refused. */
  readonly integrity?: string;
}

/** Largest accepted file in bytes, where `maxBytes` is not given. */
export const defaultMaxBytes = 2 ** 31;

/** Whether a location is an address for fetch (`http:`, `https:`, `data:`, `blob:`) rather than a path. */
export function isAddress(location: string): boolean {
  return /^(https?|data|blob):/i.test(location);
}

/**
 * An address or path as error texts show it. A `data:` address can be megabytes long, and a name and password before
 * the host must not be shown.
 */
export function shortAddress(location: string): string {
  return shorten(location.replace(/^(https?:\/\/)[^/?#]*@/i, '$1'));
}
