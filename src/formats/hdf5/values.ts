// Reads the values of a dataset as float32.
import { fillFromChunks } from './chunks.ts';
import type { Datatype } from './datatype.ts';
import { damaged } from './faults.ts';
import type { FileBytes } from './fileBytes.ts';
import type { Filter } from './filters.ts';
import type { Layout } from './layout.ts';

/** Types of numbers. */
type NumberType = Extract<Datatype, { isBigEndian: boolean }>;

/** A dataset of numbers. */
export interface NumberDataset {
  readonly shape: readonly number[];
  readonly type: NumberType;
  readonly layout: Layout;
  readonly filters: readonly Filter[];
}

/** Reads all values. */
export function readValues(file: FileBytes, { shape, type, layout, filters }: NumberDataset): Float32Array {
  const bytes = new Uint8Array(shape.reduce((product, axis) => product * axis, type.size));
  if (bytes.length > 0) fill(file, layout, { shape, filters, valueSize: type.size }, bytes);
  if (type.isBigEndian) swap(bytes, type.size);
  return asFloat32(bytes, type);
}

interface Filling {
  readonly shape: readonly number[];
  readonly filters: readonly Filter[];
  readonly valueSize: number;
}

function fill(file: FileBytes, layout: Layout, { shape, filters, valueSize }: Filling, bytes: Uint8Array): void {
  if (layout.kind === 'chunked') {
    if (layout.valueSize !== valueSize) throw damaged('chunks of other values than their dataset');
    fillFromChunks(file, layout, { shape, filters }, bytes);
    return;
  }
  const length = layout.kind === 'compact' ? layout.values.length : (layout.size ?? bytes.length);
  if (length !== bytes.length) throw damaged(`${String(length)} bytes for a shape of ${String(bytes.length)}`);
  if (filters.length > 0) throw damaged('filters without chunks');
  if (layout.kind === 'compact') bytes.set(layout.values);
  else file.fill(layout.address, bytes);
}

function swap(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

function asFloat32({ buffer }: Uint8Array<ArrayBuffer>, { kind, size }: NumberType): Float32Array {
  if (kind === 'float') {
    if (size === 4) return new Float32Array(buffer);
    return size === 8 ? Float32Array.from(new Float64Array(buffer)) : Float32Array.from(new Uint16Array(buffer), half);
  }
  const isSigned = kind === 'signed';
  if (size === 1) return Float32Array.from(isSigned ? new Int8Array(buffer) : new Uint8Array(buffer));
  if (size === 2) return Float32Array.from(isSigned ? new Int16Array(buffer) : new Uint16Array(buffer));
  if (size === 4) return Float32Array.from(isSigned ? new Int32Array(buffer) : new Uint32Array(buffer));
  const whole: ArrayLike<bigint> = isSigned ? new BigInt64Array(buffer) : new BigUint64Array(buffer);
  return Float32Array.from(whole, Number);
}

/** Converts a 16-bit float (IEEE 754 binary16). */
function half(bits: number): number {
  const sign = bits < 0x8000 ? 1 : -1;
  const [exponent, fraction] = [(bits >>> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
