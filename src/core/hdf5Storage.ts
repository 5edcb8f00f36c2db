// Where an HDF5 file lies, as h5wasm opens it: in memory, or on a disk.

/** An open file of h5wasm. */
export interface H5wasmFile {
  /** The group or dataset at a path; null when there is none. */
  get(path: string): unknown;
  /** Frees the file. */
  close(): unknown;
}

/** A file that can be opened, as often as it is needed. */
export interface Hdf5Storage {
  /** At least the first 4096 bytes, if there are as many. */
  readonly head: Uint8Array;
  /** Bytes of the whole file. */
  readonly size: number;
  /** The caller closes what it gets. */
  open(): H5wasmFile;
}
