// Options and result of completing a backend. Types only.
import type { BinaryAddress } from '../../core/platform.ts';

/** Settings of the wasm backend; other backends ignore them. */
export interface KernelOptions {
  /** Number of threads that share the work, from 1. Default: the cores that the process may use, at most 16. */
  readonly threads?: number | undefined;
  /**
   * Whether the kernels of this package do the heavy work, in SIMD and on all threads. Default true. With false tfjs's
   * own kernels and compositions of them do it, on one thread.
   */
  readonly kernels?: boolean | undefined;
  /**
   * Address of tfjs's `tfjs-backend-wasm-simd.wasm`, with its hash if wanted. Default: the copy that this package carries.
   * It has no effect on a backend that has started.
   */
  readonly binary?: string | BinaryAddress | undefined;
}

/** Which backends may be chosen, and their settings. */
export interface ChoiceOptions extends KernelOptions {
  /**
   * Whether `cpu`, which is 50 to 90 times slower than wasm, may be chosen where no other backend starts. Default true, with a
   * warning. With false that is an error, unless `cpu` is asked for by name.
   */
  readonly fallback?: boolean | undefined;
}

/** The parts of this package that a backend uses, and its settings. */
export interface Completion {
  /** Names of the placed kernels of this package. */
  readonly registered: readonly string[];
  readonly threads: number;
  /** Reasons for fewer threads or kernels than requested, and for not training on it. */
  readonly notes: readonly string[];
}
