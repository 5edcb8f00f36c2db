// The memory of tfjs's wasm backend, where the kernels of this package read and write tensors in place.
import type { DataType, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { internalError, TransferKitError } from '../../core/errors.ts';
import { describeShape } from '../../core/shapes.ts';

/** The parts of tfjs's wasm backend that are used. They are private members of its own type. */
export interface WasmBackend extends KernelBackend {
  readonly wasm: EmscriptenModule;
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: DataType): TensorInfo;
}

/** tfjs's allocator is replaced by {@link guardMemory}. */
interface EmscriptenModule {
  readonly asm: { readonly memory?: unknown };
  /** Present in tfjs's multi-threaded binary. */
  readonly wasmMemory?: unknown;
  _malloc: (bytes: number) => number;
  _free(address: number): void;
}

/** Returns a backend as wasm backend; undefined for any other, or when its members differ. */
export function wasmBackendOf(backend: KernelBackend): WasmBackend | undefined {
  return isWasmBackend(backend) && findMemory(backend.wasm) !== undefined ? backend : undefined;
}

/** The memory of a backend. */
export function memoryOf({ wasm }: WasmBackend): WebAssembly.Memory {
  const memory = findMemory(wasm);
  if (memory === undefined) throw internalError('wasm: the backend has no memory');
  return memory;
}

const views = new WeakMap<WasmBackend, Float32Array>();

/** Returns the whole memory of a backend as numbers: the same view until the memory grows. */
export function floatsOf(backend: WasmBackend): Float32Array {
  const { buffer } = memoryOf(backend);
  const known = views.get(backend);
  if (known?.buffer === buffer) return known;
  const view = new Float32Array(buffer);
  views.set(backend, view);
  return view;
}

function findMemory({ asm, wasmMemory }: EmscriptenModule): WebAssembly.Memory | undefined {
  return [asm.memory, wasmMemory].find((each) => each instanceof WebAssembly.Memory);
}

function isWasmBackend(backend: KernelBackend): backend is WasmBackend {
  if (!('wasm' in backend && 'dataIdMap' in backend && 'makeOutput' in backend)) return false;
  const { wasm } = backend;
  if (typeof wasm !== 'object' || wasm === null || !('asm' in wasm && '_malloc' in wasm && '_free' in wasm))
    return false;
  return typeof wasm.asm === 'object' && wasm.asm !== null;
}

/** Returns where a tensor's values begin, in bytes. */
export function addressOf({ dataIdMap }: WasmBackend, { dataId }: TensorInfo): number {
  return dataIdMap.get(dataId).memoryOffset;
}

/**
 * Makes a tensor for the output of a kernel, with undefined values.
 *
 * @throws TransferKitError `OUT_OF_MEMORY`.
 */
export function makeOutput(backend: WasmBackend, shape: readonly number[], dtype: DataType): TensorInfo {
  // Two negative lengths would give a valid size.
  if (!shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0)) {
    throw outOfMemory(`lengths of axes from 0 for a tensor, got ${describeShape(shape)}`, { shape });
  }
  const output = backend.makeOutput(shape, dtype);
  unfinished?.push(output);
  return output;
}

/** Outputs of the running kernel. */
let unfinished: TensorInfo[] | undefined;

/** Runs a kernel. If it fails, for example for lack of memory, frees the outputs that it has already made. */
export function freeOnFailure<Result>(backend: WasmBackend, run: () => Result): Result {
  const outer = unfinished;
  const made: TensorInfo[] = [];
  unfinished = made;
  try {
    return run();
  } catch (error) {
    for (const { dataId } of made) backend.disposeData(dataId);
    throw error;
  } finally {
    unfinished = outer;
  }
}

/** Addresses have 32 bits; every allocation has a header. */
const mostBytes = 2 ** 32 - 2 ** 16;

const guarded = new WeakSet<object>();

/**
 * Makes the allocator of a backend raise an error when memory is exhausted. tfjs uses it for every tensor. Without
 * this, it writes from address 0 on when nothing is left, or beyond the end when a size does not fit into 32 bits.
 */
export function guardMemory({ wasm }: WasmBackend): void {
  if (guarded.has(wasm)) return;
  guarded.add(wasm);
  // The first call replaces the module's stub by its own function.
  wasm._free(wasm._malloc(1));
  const allocate = wasm._malloc;
  wasm._malloc = (bytes) => {
    const address = bytes >= 0 && bytes <= mostBytes ? allocate(bytes) : 0;
    if (address !== 0 || bytes === 0) return address;
    throw outOfMemory(`${String(bytes)} bytes of memory for a tensor, there are none left`, { bytes });
  };
}

function outOfMemory(expected: string, details: Readonly<Record<string, unknown>>): TransferKitError {
  const advice = 'Take a smaller batchSize or inputSize, or free models and tensors that are not used any more.';
  return new TransferKitError('OUT_OF_MEMORY', `expected ${expected}. ${advice}`, details);
}

/** Frees memory, unless the app has disposed of the backend and thereby of all memory. */
export function freeMemory(backend: WasmBackend, address: number): void {
  if (isWasmBackend(backend)) backend.wasm._free(address);
}

/** Memory for intermediate values, which is reused and grows when necessary. */
export class Scratch {
  private address = 0;
  private size = 0;

  constructor(private readonly backend: WasmBackend) {}

  /** Frees the memory. */
  free(): void {
    freeMemory(this.backend, this.address);
    this.address = 0;
    this.size = 0;
  }

  /** Returns an address with at least this many bytes, valid until the next call. */
  reserve(bytes: number): number {
    if (bytes <= this.size) return this.address;
    this.free();
    this.address = this.backend.wasm._malloc(bytes) >>> 0; // Above 2 GiB it is a negative number.
    this.size = bytes;
    return this.address;
  }
}
