// Runs the kernels: the module on tfjs's memory, and the threads that share its tasks.
import { bytesOfBase64 } from '../../core/base64.ts';
import { internalError } from '../../core/errors.ts';
import type { Thread } from '../../core/platform.ts';
import { functionConstants } from './functionConstants.ts';
import { kernelNames, type KernelName } from './kernelNames.ts';
import { withMemoryType } from './memoryType.ts';
import { memoryOf, Scratch, type WasmBackend } from './wasmHeap.ts';

/** The exports of the module; the same as in assembly/index.ts. */
interface KernelExports {
  run(control: number, kernel: number, tasks: number, mayWait: boolean): number;
  runAlone(control: number, kernel: number, tasks: number): void;
}

/** Runs kernels. */
export interface KernelModule {
  readonly backend: WasmBackend;
  /** Number of threads that share the tasks, including the calling one. */
  readonly threads: number;
  /** Why there are fewer threads than requested. */
  readonly refusal: string | undefined;
  /** Whether multiplications and additions are fused, with a single rounding. */
  readonly relaxed: boolean;
  /** Memory for one run of a kernel, for all threads together. */
  readonly scratch: Scratch;
  /**
   * Runs a kernel and waits until it has finished. Results must not depend on the number of threads, so the tasks must
   * not either.
   *
   * @param parameters - 32-bit words: addresses and sizes; fractions are converted by `real`.
   */
  run(kernel: KernelName, parameters: readonly number[], tasks: number): void;
  /** Stops the threads and frees the memory. */
  dispose(): void;
}

/** How to start a module. */
export interface KernelModuleOptions {
  readonly backend: WasmBackend;
  /** Number of threads, including the calling one; more than one needs shared memory. */
  readonly threads: number;
  /** Starts a thread that runs `serve`. Rejects where the environment does not allow another thread. */
  readonly startThread: (start: ThreadStart) => Promise<Thread>;
  /** Whether the calling thread may block (not in a page). */
  readonly mayWait: boolean;
}

/** Data for the start of a thread. */
interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: number;
  readonly thread: number;
}

// Offsets of the control words, in bytes: those of assembly/threads.ts, and the constants of assembly/functionConstants.ts.
const failedOffset = 192;
const parametersOffset = 256;
const constantsOffset = 1024;
const mostParameters = (constantsOffset - parametersOffset) / 4;
const controlBytes = constantsOffset + functionConstants.length * 4;

/** Compiles and starts the kernels on a backend's memory. Undefined where SIMD is not available. */
export async function startKernels(options: KernelModuleOptions): Promise<KernelModule | undefined> {
  const { backend, threads } = options;
  const memory = memoryOf(backend);
  const { plain, relaxed } = await import('./binaries.ts');
  const shared = isShared(memory);
  const candidates = [relaxed, plain].map((text) => withMemoryType(bytesOfBase64(text), shared));
  const index = candidates.findIndex((binary) => binary !== undefined && WebAssembly.validate(binary));
  const binary = candidates[index];
  if (binary === undefined) return undefined;
  const module = await WebAssembly.compile(binary);
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  if (!isKernelExports(exports)) throw internalError('the kernels lack their exports');
  const control = (backend.wasm._malloc(controlBytes + 64) + 63) & ~63;
  new Uint8Array(memory.buffer, control >>> 0, controlBytes).fill(0);
  new Int32Array(memory.buffer, (control >>> 0) + constantsOffset).set(functionConstants);
  const started = await startThreads(shared ? threads - 1 : 0, (index) =>
    options.startThread({ module, memory, control, thread: index + 1 }),
  );
  return makeModule(options, exports, control >>> 0, started, index === 0);
}

interface StartedThreads {
  readonly running: Thread[];
  /** Why there are fewer threads than requested. */
  readonly refusal: string | undefined;
}

/** Starts the given number of threads, or as many as the environment allows. */
async function startThreads(count: number, start: (index: number) => Promise<Thread>): Promise<StartedThreads> {
  const starts = Array.from({ length: count }, async (_, index) => start(index));
  const settled = await Promise.allSettled(starts);
  const running = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = settled.find((each) => each.status === 'rejected');
  const reason: unknown = failed?.reason;
  return { running, refusal: failed && (reason instanceof Error ? reason.message : String(reason)) };
}

function makeModule(
  { backend, mayWait }: KernelModuleOptions,
  exports: KernelExports,
  control: number,
  { running, refusal }: StartedThreads,
  relaxed: boolean,
): KernelModule {
  const memory = memoryOf(backend);
  const parameterWords = () => new Int32Array(memory.buffer, control + parametersOffset, mostParameters);
  let words = parameterWords();
  const scratch = new Scratch(backend);
  return {
    backend,
    threads: running.length + 1,
    refusal,
    relaxed,
    scratch,
    run(kernel, parameters, tasks) {
      // When unshared memory grows, old views lose their buffer.
      if (words.length === 0) words = parameterWords();
      words.set(parameters);
      const which = kernelNames.indexOf(kernel);
      if (running.length === 0 || tasks === 1) exports.runAlone(control, which, tasks);
      else if (exports.run(control, which, tasks, mayWait) === 0)
        throw new Error(`wasm: a thread failed in ${kernel}.`);
    },
    dispose() {
      for (const thread of running) thread.terminate();
      running.length = 0;
      scratch.free();
      // The control words are not freed: a thread that is stopping may still read them.
    },
  };
}

/** Whether threads may share a memory. */
export function isShared({ buffer }: WebAssembly.Memory): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
}

/**
 * The code of a thread. If a thread does not start, the calling thread takes the tasks that no other thread takes. A
 * thread that fails in a task sets a flag for the calling thread.
 */
export function threadSource(): string {
  return `({ module, memory, control, thread }) => {
    const { serve } = new WebAssembly.Instance(module, { env: { memory } }).exports;
    try {
      serve(control, thread);
    } catch {
      Atomics.store(new Int32Array(memory.buffer), (control >>> 0) / 4 + ${String(failedOffset / 4)}, 1);
    }
  }`;
}

function isKernelExports(exports: WebAssembly.Exports): exports is WebAssembly.Exports & KernelExports {
  return typeof exports.run === 'function' && typeof exports.runAlone === 'function';
}
