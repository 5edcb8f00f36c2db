// Starts the kernels of this package on the wasm backend: once for each instance, with the requested number of threads.
import { platform } from '#platform';
import { isShared, startKernels, threadSource, type KernelModule } from '../kernels/kernelModule.ts';
import { memoryOf, type WasmBackend } from '../kernels/wasmHeap.ts';
import type { KernelOptions } from './completion.ts';

/** The result of starting them. */
export interface RunningKernels {
  /** Undefined where the backend runs without the kernels. */
  readonly module: KernelModule | undefined;
  readonly threads: number;
  /** Why there are fewer threads than requested, or no kernels. */
  readonly note: string | undefined;
}

/** More threads than this cost more time in waiting than they save in a network of small layers. */
const mostThreads = 16;

/** More threads than this are not started, also if they are requested: each takes memory, and thousands end the process. */
const mostRequested = 64;

let current: (RunningKernels & { readonly backend: WasmBackend; readonly wanted: number }) | undefined;

/**
 * Starts the kernels on a backend, or changes their number of threads. Without options a running module stays
 * unchanged.
 */
export async function useKernels(backend: WasmBackend, options: KernelOptions = {}): Promise<RunningKernels> {
  const isRunning = current?.backend === backend;
  if (current !== undefined && isRunning && options.threads === undefined && options.kernels === undefined)
    return current;
  const wanted = options.kernels === false ? 0 : (options.threads ?? Math.min(platform.threads.cores(), mostThreads));
  if (current !== undefined && isRunning && current.wanted === wanted) return current;
  const before = current?.module;
  current = { backend, wanted, ...(await start(backend, wanted)) };
  before?.dispose();
  return current;
}

async function start(backend: WasmBackend, wanted: number): Promise<RunningKernels> {
  if (wanted === 0) return { module: undefined, threads: 1, note: undefined };
  const shared = isShared(memoryOf(backend));
  const module = await startKernels({
    backend,
    threads: shared ? Math.min(wanted, mostRequested) : 1,
    startThread: (start) => platform.threads.start(threadSource(), start),
    mayWait: platform.threads.mayWait,
  });
  if (module === undefined) {
    return { module, threads: 1, note: 'one thread and no kernels of its own: WebAssembly SIMD is missing here' };
  }
  const { threads, refusal } = module;
  const whyNoMore =
    refusal === undefined ? 'transferkit starts no more' : `the environment starts no more (${refusal})`;
  const reason = shared ? whyNoMore : whyNotShared;
  const note = `${threads === 1 ? 'one thread' : `${String(threads)} threads`}: ${reason}`;
  return { module, threads, note: threads < wanted ? note : undefined };
}

const whyNotShared =
  'the memory of the backend cannot be shared (in Node: the app started it before; in a browser: the page is not cross-origin isolated)';
