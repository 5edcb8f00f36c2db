// Where the bytes of an HDF5 file are: in memory or on a disk.

/** A file that is open for reading. */
export interface OpenFile {
  /** Fills `into` with the bytes from `offset` on; returns how many bytes there were. */
  read(offset: number, into: Uint8Array): number;
  close(): void;
}

/** A file that can be opened any number of times. */
export interface Hdf5Storage {
  /** At least the first 4096 bytes, or the whole file if it is smaller. */
  readonly head: Uint8Array;
  /** Size of the whole file in bytes. */
  readonly size: number;
  /** Opens the file. The caller closes the result. */
  open(): OpenFile;
}
