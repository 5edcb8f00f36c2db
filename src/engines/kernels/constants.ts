// Tensors that never change, as the constants of a folded part. A kernel keeps what it derives from them, until the
// owner releases them.
import type { Tensor } from '@tensorflow/tfjs-core';
import { freeMemory, type WasmBackend } from './wasmHeap.ts';

/** Values that a kernel has derived from a constant. */
interface Derived {
  readonly backend: WasmBackend;
  readonly address: number;
  readonly bytes: number;
}

interface Constant {
  /** Number of owners. */
  owners: number;
  derived: Derived | undefined;
}

/** By the identity of a tensor's values. */
const constants = new WeakMap<object, Constant>();

/** Bytes of all derived values on a backend. */
const totals = new WeakMap<WasmBackend, number>();

/** Limit of the memory for derived values: enough for all filters of VGG16. Beyond it they are computed in each call. */
export const mostDerivedBytes = 256 * 1024 * 1024;

/**
 * Declares that the values of tensors do not change.
 *
 * @returns Takes that back, and frees the values derived from them: called before the tensors are freed.
 */
export function keepConstants(tensors: Iterable<Tensor>): () => void {
  const ids = [...tensors].map(({ dataId }) => dataId);
  for (const id of ids) {
    const constant = constants.get(id) ?? { owners: 0, derived: undefined };
    constant.owners++;
    constants.set(id, constant);
  }
  return () => {
    for (const id of ids.splice(0)) release(id);
  };
}

function release(id: object): void {
  const constant = constants.get(id);
  if (constant === undefined || --constant.owners > 0) return;
  constants.delete(id);
  if (constant.derived !== undefined) free(constant.derived);
}

function free({ backend, address, bytes }: Derived): void {
  totals.set(backend, derivedBytes(backend) - bytes);
  freeMemory(backend, address);
}

/** Memory of all derived values on a backend. */
export function derivedBytes(backend: WasmBackend): number {
  return totals.get(backend) ?? 0;
}

/**
 * Returns the address of values derived from a constant, which are computed in the first call.
 *
 * @returns Undefined if the tensor may change, or if there is no memory to keep the values.
 */
export function derivedValues(
  backend: WasmBackend,
  id: object | undefined,
  bytes: number,
  derive: (address: number) => void,
): number | undefined {
  const constant = id && constants.get(id);
  if (constant === undefined) return undefined;
  const { derived } = constant;
  if (derived?.backend === backend) return derived.bytes === bytes ? derived.address : undefined;
  const address = allocate(backend, bytes);
  if (address === undefined) return undefined;
  try {
    derive(address);
  } catch (error) {
    freeMemory(backend, address);
    throw error;
  }
  constant.derived = { backend, address, bytes };
  totals.set(backend, derivedBytes(backend) + bytes);
  return address;
}

function allocate(backend: WasmBackend, bytes: number): number | undefined {
  if (derivedBytes(backend) + bytes > mostDerivedBytes) return undefined;
  try {
    return backend.wasm._malloc(bytes) >>> 0; // Above 2 GiB it is a negative number.
  } catch {
    return undefined; // Out of memory, which the call itself may not be.
  }
}
