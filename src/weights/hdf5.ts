// An HDF5 file read through h5wasm. It is open no longer than the task that reads it: nobody has to close anything.
import { TransferKitError } from '../core/errors.ts';
import type { H5wasmFile, Hdf5Storage } from '../core/hdf5Storage.ts';
import { sizeOf } from '../core/shapes.ts';
import { assertComplete } from './superblock.ts';
import { largestRatio } from './zip.ts';

/** Numbers in the file. */
export interface Hdf5Dataset {
  readonly shape: readonly number[];
  /** All values, whatever their type in the file. */
  read(): Float32Array;
}

/** A file as groups, attributes and datasets; paths are absolute. */
export interface Hdf5File {
  /** Names in a group; none when there is no such group. */
  keys(path: string): readonly string[];
  /** Texts of an attribute; undefined when there is none. */
  texts(path: string, name: string): readonly string[] | undefined;
  /** @throws TransferKitError `WEIGHTS_DAMAGED` when it is there but cannot be what a layer holds. */
  dataset(path: string): Hdf5Dataset | undefined;
}

interface Metadata {
  readonly type: number;
  readonly size: number;
  readonly shape: readonly number[];
  readonly chunks: unknown;
}

/** Values that are read at once: more would be held twice while they are copied out. */
const pieceSize = 4 * 1024 * 1024;
const kinds = { integer: 0, float: 1 };

/**
 * Reads an HDF5 file.
 *
 * @param storage - Must not change.
 * @param source - For messages.
 * @throws TransferKitError `WEIGHTS_DAMAGED` when it is truncated.
 */
export function readHdf5(storage: Hdf5Storage, source: string): Hdf5File {
  assertComplete(storage, source);
  let current: H5wasmFile | undefined;
  /** The open file; it closes when the running task ends. */
  const file = (): H5wasmFile => {
    if (current !== undefined) return current;
    const open = storage.open();
    current = open;
    queueMicrotask(() => {
      current = undefined;
      open.close();
    });
    return open;
  };
  return {
    keys: (path) => {
      const found = guarded(source, path, () => file().get(path));
      return hasKeys(found) ? found.keys() : [];
    },
    texts: (path, name) =>
      guarded(source, path, () => {
        const found = file().get(path);
        if (!hasAttributes(found) || !(name in found.attrs)) return undefined;
        return asTexts(found.get_attribute(name, false));
      }),
    dataset: (path) => {
      const found = guarded(source, path, () => file().get(path));
      if (!isDataset(found)) return undefined;
      const metadata = guarded(source, path, () => metadataOf(found.metadata));
      if (metadata === undefined)
        throw damaged(source, path, 'values of another kind than little-endian integers or floats of 4 or 8 bytes');
      const declared = sizeOf(metadata.shape) * metadata.size;
      // What is packed cannot be packed tighter than deflate packs.
      if (declared > storage.size * (metadata.chunks === null ? 1 : largestRatio)) {
        throw damaged(source, path, `${String(declared)} bytes, more than the file has (${String(storage.size)})`);
      }
      return {
        shape: metadata.shape,
        read: () =>
          guarded(source, path, () => {
            const dataset = file().get(path);
            return isDataset(dataset) ? readValues(dataset, metadata) : undefined;
          }) ?? new Float32Array(0),
      };
    },
  };
}

interface Attributed {
  readonly attrs: object;
  get_attribute(name: string, plain: false): unknown;
}

interface Dataset {
  readonly metadata: unknown;
  readonly value: unknown;
  slice(ranges: [number, number][]): unknown;
}

function readValues(dataset: Dataset, { shape }: Metadata): Float32Array {
  const [rows = 1] = shape;
  const row = sizeOf(shape.slice(1));
  const step = Math.max(1, Math.floor(pieceSize / Math.max(1, row)));
  if (rows <= step) return floats(dataset.value);
  const values = new Float32Array(rows * row);
  for (let from = 0; from < rows; from += step) {
    const others = shape.slice(1).map((axis): [number, number] => [0, axis]);
    values.set(floats(dataset.slice([[from, Math.min(rows, from + step)], ...others])), from * row);
  }
  return values;
}

function floats(value: unknown): Float32Array {
  if (value instanceof Float32Array) return value;
  if (typeof value === 'number' || typeof value === 'bigint') return Float32Array.of(Number(value));
  if (value instanceof BigInt64Array || value instanceof BigUint64Array) return Float32Array.from(value, Number);
  if (value instanceof Float64Array || value instanceof Int32Array || value instanceof Uint32Array) {
    return Float32Array.from(value);
  }
  if (value instanceof Int16Array || value instanceof Uint16Array) return Float32Array.from(value);
  if (value instanceof Int8Array || value instanceof Uint8Array) return Float32Array.from(value);
  throw new TypeError('no numbers');
}

function metadataOf(value: unknown): Metadata | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('type' in value && 'size' in value && 'shape' in value && 'chunks' in value)) return undefined;
  const { type, size, shape, chunks } = value;
  if ('littleEndian' in value && value.littleEndian === false && size !== 1) return undefined;
  const isNumeric = (type === kinds.float && (size === 4 || size === 8)) || type === kinds.integer;
  if (!isNumeric || typeof size !== 'number' || !isShape(shape)) return undefined;
  return { type, size, shape, chunks };
}

function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((axis) => Number.isSafeInteger(axis) && Number(axis) >= 0);
}

function hasKeys(value: unknown): value is { keys(): string[] } {
  return typeof value === 'object' && value !== null && 'keys' in value && typeof value.keys === 'function';
}

function hasAttributes(value: unknown): value is Attributed {
  return typeof value === 'object' && value !== null && 'attrs' in value && 'get_attribute' in value;
}

function isDataset(value: unknown): value is Dataset {
  return typeof value === 'object' && value !== null && 'slice' in value && 'metadata' in value;
}

/** A list of texts, a single text, or the list of numbers that an empty list of texts is stored as. */
function asTexts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

/** What the library raises about a damaged file says nothing about the file. */
function guarded<T>(source: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof TransferKitError) throw cause;
    throw damaged(
      source,
      path,
      cause instanceof Error ? `what cannot be read: ${cause.message}` : 'what cannot be read',
      cause,
    );
  }
}

function damaged(source: string, path: string, found: string, cause?: unknown): TransferKitError {
  const text = `expected weights at '${path}' in ${source}, got ${found}. The file is damaged: fetch or save it again.`;
  return new TransferKitError('WEIGHTS_DAMAGED', text, { source, path, found }, cause);
}
