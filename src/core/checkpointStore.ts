// The interface that all places for checkpoints share: a folder, a page's IndexedDB, or the user's own storage.

/**
 * Stores files by name. Training writes whole checkpoints to it and reads them back to resume. Only one run uses it at
 * a time.
 *
 * Give one as `checkpoint.to` to keep checkpoints somewhere else than in a folder (Node) or in IndexedDB (browsers).
 *
 * @example
 * ```ts
 * import type { CheckpointStore } from 'transferkit';
 *
 * const files = new Map<string, Uint8Array>();
 * const inMemory: CheckpointStore = {
 *   list: async () => [...files.keys()],
 *   read: async (name) => {
 *     const bytes = files.get(name);
 *     if (bytes === undefined) throw new Error(`no ${name}`);
 *     return bytes;
 *   },
 *   write: async (name, bytes) => void files.set(name, bytes),
 *   remove: async (name) => void files.delete(name),
 * };
 * await trainHead(model, samples, { epochs: 2, checkpoint: { to: inMemory } });
 * console.log([...files.keys()]); // [ 'head-000001.safetensors', 'head-000002.safetensors' ]
 * ```
 */
export interface CheckpointStore {
  /** Names of all files. Files that are not checkpoints are ignored. */
  list(): Promise<readonly string[]>;
  /** The bytes of a file. */
  read(name: string): Promise<Uint8Array>;
  /**
   * Writes a file, all or nothing: whatever happens during the call, a later `read` either returns all of the bytes or
   * does not find the name. After the promise resolves, the file survives the end of the process.
   *
   * @param bytes - Valid until the promise resolves.
   */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Removes a file. A missing file is not an error. */
  remove(name: string): Promise<void>;
}
