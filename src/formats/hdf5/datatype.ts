// Reads the type and the shape of a dataset or an attribute (specification, IV.A.2.b and IV.A.2.d).
import { cursorOn, type Cursor } from './cursor.ts';
import { damaged, unsupported } from './faults.ts';

/** Types that can be read; for any other only the name is known. */
export type Datatype =
  | { readonly kind: 'float' | 'signed' | 'unsigned'; readonly size: number; readonly isBigEndian: boolean }
  | { readonly kind: 'text'; readonly size: number }
  /** Texts of any length, stored in a heap. */
  | { readonly kind: 'longText'; readonly size: number }
  | { readonly kind: 'other'; readonly size: number; readonly name: string };

const classes = [
  'integer',
  'float',
  'time',
  'text',
  'bit field',
  'opaque',
  'compound',
  'reference',
  'enum',
  'list',
  'array',
];

/** Bits of the exponent and of the mantissa of IEEE floats, by number of bytes. */
const ieee: Readonly<Record<number, readonly [number, number]>> = { 2: [5, 10], 4: [8, 23], 8: [11, 52] };

/** Reads a datatype message. */
export function readDatatype(body: Uint8Array): Datatype {
  const cursor = cursorOn(body);
  const name = classes[cursor.number(1) & 15] ?? 'unknown';
  const bits = cursor.number(3);
  const size = cursor.number(4);
  if (size === 0) throw damaged('values of 0 bytes');
  const isBigEndian = (bits & 1) === 1;
  if (name === 'text') return { kind: 'text', size };
  if (name === 'list' && (bits & 15) === 1 && size === 16) return { kind: 'longText', size };
  if (name === 'enum') return readEnum(cursor, size);
  if (name === 'integer' && [1, 2, 4, 8].includes(size) && isWhole(cursor, size)) {
    return { kind: (bits & 8) === 0 ? 'unsigned' : 'signed', size, isBigEndian };
  }
  if (name === 'float' && (bits & 0x40) === 0 && isIeee(cursor, size)) return { kind: 'float', size, isBigEndian };
  return { kind: 'other', size, name };
}

/** h5py writes booleans as an enum. */
function readEnum(cursor: Cursor, size: number): Datatype {
  const rest = cursor.bytes(cursor.left);
  const base = ((rest[0] ?? 15) & 15) === 0 ? readDatatype(rest) : undefined;
  return base?.size === size ? base : { kind: 'other', size, name: 'enum' };
}

function isWhole(cursor: Cursor, size: number): boolean {
  return cursor.number(2) === 0 && cursor.number(2) === size * 8;
}

function isIeee(cursor: Cursor, size: number): boolean {
  const [exponent, mantissa] = ieee[size] ?? [];
  if (exponent === undefined || mantissa === undefined || !isWhole(cursor, size)) return false;
  const found = [cursor.number(1), cursor.number(1), cursor.number(1), cursor.number(1), cursor.number(4)];
  return [mantissa, exponent, 0, mantissa, 2 ** (exponent - 1) - 1].every((value, i) => value === found[i]);
}

/** Reads a dataspace message: the axes; [] for a single value, undefined for an empty dataspace. */
export function readDataspace(body: Uint8Array): readonly number[] | undefined {
  const cursor = cursorOn(body);
  const [version, rank] = [cursor.number(1), cursor.number(1)];
  if (version !== 1 && version !== 2) throw unsupported('a shape of a version that is not known');
  if (rank > 32) throw damaged(`a shape of ${String(rank)} axes`);
  cursor.skip(1);
  const type = cursor.number(1);
  if (version === 1) cursor.skip(4);
  if (version === 2 && type === 2) return undefined;
  return Array.from({ length: rank }, () => cursor.number(8));
}
