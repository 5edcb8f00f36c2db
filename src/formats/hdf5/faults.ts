// Faults of an HDF5 file, raised where they are found. A caller that knows the source and the path converts them to the
// package's errors.
import { TransferKitError } from '../../core/errors.ts';

/**
 * `damaged`: contradicts the format; `elsewhere`: values are in other files; `unsupported`: valid, but not supported.
 */
export type FaultKind = 'damaged' | 'elsewhere' | 'unsupported';

/** A fault of a file. */
export class Hdf5Fault extends Error {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, found: string) {
    super(found);
    this.kind = kind;
  }
}

/** A file that contradicts the format. */
export function damaged(found: string): Hdf5Fault {
  return new Hdf5Fault('damaged', found);
}

/** A file that uses an unsupported feature. */
export function unsupported(found: string): Hdf5Fault {
  return new Hdf5Fault('unsupported', found);
}

/** A file that refers to other files. */
export function elsewhere(found: string): Hdf5Fault {
  return new Hdf5Fault('elsewhere', found);
}

const advice: Readonly<Record<FaultKind, string>> = {
  damaged: 'The file is damaged: fetch or save it again.',
  elsewhere:
    'A file that leads out of itself is not followed, as in Keras. Save the model again in Python: model.save("model.keras").',
  unsupported: 'Save the model again in Python: model.save("model.keras").',
};

/**
 * Runs a read, and converts the faults that it raises to the package's errors.
 *
 * @throws TransferKitError `WEIGHTS_DAMAGED`, `UNSUPPORTED_SOURCE`.
 */
export function guarded<T>(source: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    // Sizes beyond those of typed arrays raise a RangeError.
    if (!(cause instanceof Hdf5Fault || cause instanceof RangeError)) throw cause;
    const kind = cause instanceof Hdf5Fault ? cause.kind : 'damaged';
    const found = cause instanceof Hdf5Fault ? cause.message : 'a size that is impossible';
    const text = `expected weights at '${path}' in ${source}, got ${found}. ${advice[kind]}`;
    const details = { source, path, found };
    if (kind === 'damaged') throw new TransferKitError('WEIGHTS_DAMAGED', text, details, cause);
    throw new TransferKitError('UNSUPPORTED_SOURCE', text, details, cause);
  }
}
