// The kernels of the active wasm backend: started once for each instance, with as many threads as were asked for.
import { platform } from '#platform';
import { isShared, startKernels, threadSource, type KernelModule } from '../kernels/kernelModule.ts';
import type { WasmBackend } from '../kernels/wasmHeap.ts';

/** What came of starting the kernels. */
export interface KernelReport {
  /** Undefined where the backend runs without them. */
  readonly kernels: KernelModule | undefined;
  /** Why there are fewer threads than cores, or no kernels. */
  readonly note: string | undefined;
}

let current: KernelReport | undefined;

/** The kernels that are in use for a backend. */
export function kernelsOf(backend: WasmBackend): KernelModule | undefined {
  return current?.kernels?.backend === backend ? current.kernels : undefined;
}

/** Starts the kernels for a backend, or changes how many threads they use. */
export async function useKernels(backend: WasmBackend, threads: number): Promise<KernelReport> {
  const running = kernelsOf(backend);
  if (current !== undefined && running?.threads === threads) return current;
  current?.kernels?.dispose();
  const { memory } = backend.wasm.asm;
  const shared = isShared(memory);
  const kernels = await startKernels({
    backend,
    threads: shared ? threads : 1,
    startThread: (start) => platform.threads.start(threadSource(), start),
    mayWait: platform.threads.mayWait,
  });
  current = { kernels, note: noteOf(kernels, shared || threads === 1) };
  return current;
}

function noteOf(kernels: KernelModule | undefined, enough: boolean): string | undefined {
  if (kernels === undefined) return 'this environment has no WebAssembly SIMD';
  return enough ? undefined : 'one thread: the memory of the backend cannot be shared';
}
