// Reads a model while another process may be saving it: files that its model.json names may be gone when they are read.
import { isTransferKitError } from './errors.ts';

const mostLooks = 8;

/**
 * Reads a list of files, then these files. Starts again from the list when a file is gone and the list has changed.
 *
 * @param readList - Reads the file that names the others.
 * @param readFiles - Reads the named files; for a missing one it raises an error with `missing: true` in its details.
 */
export async function lookAgain<Value>(
  readList: () => Promise<Uint8Array>,
  readFiles: (list: Uint8Array) => Promise<Value>,
): Promise<Value> {
  let list = await readList();
  for (let looks = 1; ; looks++) {
    try {
      return await readFiles(list);
    } catch (error) {
      if (looks === mostLooks || !isTransferKitError(error) || error.details.missing !== true) throw error;
      const newer = await readList();
      if (isEqual(list, newer)) throw error;
      list = newer;
    }
  }
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
