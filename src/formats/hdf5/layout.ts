// Reads where the values of a dataset are (specification, IV.A.2.i).
import { cursorOn, type Cursor } from './cursor.ts';
import { damaged, elsewhere, unsupported } from './faults.ts';

/** How chunks are found. */
export type ChunkIndex =
  | { readonly kind: 'tree' | 'fixedArray' | 'implicit'; readonly address: number | undefined }
  /** All values are one chunk; `size` is undefined where no filter changed its size. */
  | {
      readonly kind: 'single';
      readonly address: number | undefined;
      readonly size: number | undefined;
      readonly mask: number;
    };

/** Where values are. */
export type Layout =
  | { readonly kind: 'compact'; readonly values: Uint8Array }
  /** `size` is undefined in old files, where it follows from the shape. */
  | { readonly kind: 'contiguous'; readonly address: number | undefined; readonly size: number | undefined }
  /** Axes of a chunk, and the size of a value in bytes. */
  | {
      readonly kind: 'chunked';
      readonly axes: readonly number[];
      readonly valueSize: number;
      readonly index: ChunkIndex;
    };

/** What newer files use for datasets that can grow. */
export const growing = 'chunks of a dataset that can grow, in the newest format of HDF5';

/** Reads a layout message. */
export function readLayout(body: Uint8Array): Layout {
  const cursor = cursorOn(body);
  const version = cursor.number(1);
  if (version === 1 || version === 2) return readOld(cursor);
  if (version > 4) throw unsupported(`a storage layout of version ${String(version)}`);
  const kind = cursor.number(1);
  if (kind === 0) return { kind: 'compact', values: cursor.bytes(cursor.number(2)) };
  if (kind === 1) return { kind: 'contiguous', address: cursor.address(), size: cursor.number(8) };
  if (kind === 3) throw elsewhere('a virtual dataset, whose values lie in other files');
  if (kind !== 2) throw damaged('an unknown storage layout');
  return version === 3 ? readTree(cursor) : readIndexed(cursor);
}

function readOld(cursor: Cursor): Layout {
  const [rank, kind] = [cursor.number(1), cursor.number(1)];
  cursor.skip(5);
  const address = kind === 0 ? undefined : cursor.address();
  const axes = Array.from({ length: rank }, () => cursor.number(4));
  if (kind === 0) return { kind: 'compact', values: cursor.bytes(cursor.number(4)) };
  if (kind === 1) return { kind: 'contiguous', address, size: undefined };
  if (kind !== 2) throw damaged('an unknown storage layout');
  return chunked(axes, { kind: 'tree', address });
}

function readTree(cursor: Cursor): Layout {
  const rank = cursor.number(1);
  const address = cursor.address();
  return chunked(
    Array.from({ length: rank }, () => cursor.number(4)),
    { kind: 'tree', address },
  );
}

function readIndexed(cursor: Cursor): Layout {
  const [flags, rank, width] = [cursor.number(1), cursor.number(1), cursor.number(1)];
  if ((flags & 1) !== 0) throw unsupported('chunks at the edges that are stored without filters');
  if (width < 1 || width > 8) throw damaged('chunks of an impossible size');
  const axes = Array.from({ length: rank }, () => cursor.number(width));
  const kind = cursor.number(1);
  if (kind === 1) {
    const isFiltered = (flags & 2) !== 0;
    const [size, mask] = isFiltered ? [cursor.number(8), cursor.number(4)] : [undefined, 0];
    return chunked(axes, { kind: 'single', size, mask, address: cursor.address() });
  }
  if (kind === 2) return chunked(axes, { kind: 'implicit', address: cursor.address() });
  if (kind !== 3) throw unsupported(growing);
  cursor.skip(1);
  return chunked(axes, { kind: 'fixedArray', address: cursor.address() });
}

/** The last of the sizes in a file is that of a value in bytes. */
function chunked(sizes: readonly number[], index: ChunkIndex): Layout {
  const [valueSize = 0] = sizes.slice(-1);
  if (sizes.length < 2 || sizes.length > 33 || sizes.includes(0)) throw damaged('chunks of an impossible size');
  return { kind: 'chunked', axes: sizes.slice(0, -1), valueSize, index };
}
