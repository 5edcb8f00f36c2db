// How a backend is to be completed, and what came of it. Types only.

/** How the wasm backend is to work; other backends heed none of it. */
export interface KernelOptions {
  /** Threads that share the work, from 1. Default: the cores that the process may use, at most 16. */
  readonly threads?: number | undefined;
  /**
   * Whether the kernels of this package do the heavy work, in SIMD and on all threads. Default true; false leaves tfjs's
   * own, on one thread, and compositions of them.
   */
  readonly kernels?: boolean | undefined;
}

/** What a backend uses of this package, and how it works. */
export interface Completion {
  /** Kernels of this package that are in place. */
  readonly registered: readonly string[];
  readonly threads: number;
  /** Why there are fewer threads or kernels than asked for. */
  readonly notes: readonly string[];
}
