// How features of the frozen front are kept.
import { platform } from '#platform';
import { assertOneOf, assertWhole, invalidOption, isObject } from '../core/optionChecks.ts';
import { assertOptions } from '../core/optionNames.ts';

/** How features of the frozen front are kept while a verb trains. */
export interface FeatureCacheOptions {
  /**
   * Numbers that features are kept in. `'float16'` takes half the room, keeps three decimal digits and holds values up to
   * 65504; a larger one is an error. Default `'float32'`, which changes nothing.
   */
  readonly precision?: 'float32' | 'float16';
  /**
   * Bytes of memory that features may take, those for validation included: whole, from 0. What does not fit goes to a
   * file in Node, to IndexedDB in browsers, and is removed at the end; after a crash, when training starts the next time.
   * Default: a quarter of the memory that is free in Node (a container's limit is heeded), an eighth of what the device
   * has in browsers that tell it, else 256 MiB.
   */
  readonly memory?: number;
  /** Folder for that file, made when it is needed. Node only. Default: the system's folder for temporary files. */
  readonly directory?: string;
}

/** How to keep features, with every value settled. */
export interface SettledCache {
  readonly precision: 'float32' | 'float16';
  /** Undefined: what the platform says is free decides. */
  readonly memory: number | undefined;
  readonly directory: string | undefined;
}

/**
 * Fills in defaults and checks values; undefined when nothing is to be kept.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleCache(verb: string, cache: boolean | FeatureCacheOptions = true): SettledCache | undefined {
  if (cache === false) return undefined;
  if (cache !== true && !isObject(cache)) {
    throw invalidOption(verb, 'cache to be true, false or { precision, memory, directory }', cache);
  }
  if (cache !== true) assertOptions(verb, cache, { precision: true, memory: true, directory: true }, { of: 'cache' });
  const { precision = 'float32', memory, directory }: FeatureCacheOptions = cache === true ? {} : cache;
  assertOneOf(verb, 'cache.precision', precision, ['float32', 'float16']);
  if (memory !== undefined) assertWhole(verb, 'cache.memory', memory, 0);
  if (directory !== undefined && (typeof directory !== 'string' || platform.name === 'browser')) {
    throw invalidOption(verb, 'cache.directory to be a folder, in Node', directory);
  }
  return { precision, memory, directory };
}
