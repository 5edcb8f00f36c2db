// Reading a model that somebody may be saving: its model.json may name files that are gone by the time they are read.
import { isTransferKitError } from './errors.ts';

const mostLooks = 8;

/**
 * Reads a list of files and then the files; once more from the list when a file is gone and the list has changed.
 *
 * @param readList - Reads the file that names the others.
 * @param readFiles - Reads these; for one that is gone it raises an error with `missing: true` among its details.
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
