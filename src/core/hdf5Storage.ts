// Where the bytes of an HDF5 file are: in memory, or on a disk.

/** A file that is open for reading. */
export interface OpenFile {
  /** Fills `into` with the bytes from `offset` on; returns how many there were. */
  read(offset: number, into: Uint8Array): number;
  close(): void;
}

/** A file that can be opened, as often as it is needed. */
export interface Hdf5Storage {
  /** At least the first 4096 bytes, if there are as many. */
  readonly head: Uint8Array;
  /** Bytes of the whole file. */
  readonly size: number;
  /** The caller closes what it gets. */
  open(): OpenFile;
}
