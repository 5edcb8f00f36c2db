// The memory of tfjs's wasm backend, where our kernels read and write tensors in place.
import type { DataType, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';

/** What we use of tfjs's backend for wasm. Its own type has these as private members. */
export interface WasmBackend extends KernelBackend {
  readonly wasm: {
    readonly asm: { readonly memory: WebAssembly.Memory };
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: DataType): TensorInfo;
}

/** A backend as the wasm backend that it is; undefined for any other, and for one of another make. */
export function wasmBackendOf(backend: KernelBackend): WasmBackend | undefined {
  return isWasmBackend(backend) ? backend : undefined;
}

function isWasmBackend(backend: KernelBackend): backend is WasmBackend {
  if (!('wasm' in backend && 'dataIdMap' in backend && 'makeOutput' in backend)) return false;
  const { wasm } = backend;
  if (typeof wasm !== 'object' || wasm === null || !('asm' in wasm && '_malloc' in wasm && '_free' in wasm))
    return false;
  const { asm } = wasm;
  return typeof asm === 'object' && asm !== null && 'memory' in asm && asm.memory instanceof WebAssembly.Memory;
}

/** Where a tensor's values begin, in bytes. */
export function addressOf({ dataIdMap }: WasmBackend, { dataId }: TensorInfo): number {
  return dataIdMap.get(dataId).memoryOffset;
}

/** Memory for intermediate values, that is used again and grows when it must. */
export class Scratch {
  private address = 0;
  private size = 0;

  constructor(private readonly backend: WasmBackend) {}

  /** Address of at least so many bytes, valid until the next call. */
  reserve(bytes: number): number {
    if (bytes <= this.size) return this.address;
    const { wasm } = this.backend;
    wasm._free(this.address);
    this.size = bytes;
    this.address = wasm._malloc(bytes) >>> 0; // Above 2 GiB it comes as a negative number.
    if (this.address === 0) {
      this.size = 0;
      throw new Error(`wasm: expected ${String(bytes)} bytes of memory for a kernel, there are none left.`);
    }
    return this.address;
  }
}
