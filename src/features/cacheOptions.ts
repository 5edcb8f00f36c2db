// Options for caching the features of the frozen prefix.
import { platform } from '#platform';
import { assertOneOf, assertWhole, invalidOption, isObject } from '../core/optionChecks.ts';
import { assertOptions } from '../core/optionNames.ts';

/** Options for caching the features of the frozen prefix during training. */
export interface FeatureCacheOptions {
  /**
   * Number type of stored features. `'float16'` needs half the memory, keeps three decimal digits and holds values up
   * to 65504; a larger value is an error. Default `'float32'`, which loses no precision.
   */
  readonly precision?: 'float32' | 'float16';
  /**
   * Limit on the memory for features, in bytes, a whole number from 0. It includes features of validation samples.
   * Features above the limit go to a file in Node, or to IndexedDB in browsers. These are removed at the end of
   * training; after a crash, at the start of the next training. Default in Node: a quarter of the free memory (the
   * limit of a container is respected). Default in browsers: an eighth of the device's memory if the browser reports
   * it, otherwise 256 MiB.
   */
  readonly memory?: number;
  /** Folder of that file, created if it is missing. Node only. Default: the system's folder for temporary files. */
  readonly directory?: string;
}

/** Options of a cache with defaults filled in. */
export interface SettledCache {
  readonly precision: 'float32' | 'float16';
  /** Undefined: decided by the free memory that the platform reports. */
  readonly memory: number | undefined;
  readonly directory: string | undefined;
}

/**
 * Fills in defaults and validates values. Undefined if caching is off.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleCache(cache: boolean | FeatureCacheOptions = true): SettledCache | undefined {
  if (cache === false) return undefined;
  if (cache !== true && !isObject(cache)) {
    throw invalidOption('cache to be true, false or { precision, memory, directory }', cache);
  }
  if (cache !== true) assertOptions(cache, { precision: true, memory: true, directory: true }, { of: 'cache' });
  const { precision = 'float32', memory, directory }: FeatureCacheOptions = cache === true ? {} : cache;
  assertOneOf('cache.precision', precision, ['float32', 'float16']);
  if (memory !== undefined) assertWhole('cache.memory', memory, 0);
  if (directory !== undefined && (typeof directory !== 'string' || platform.name === 'browser')) {
    throw invalidOption('cache.directory to be a folder, in Node', directory);
  }
  return { precision, memory, directory };
}
