// A place for checkpoints: what a folder, a page's IndexedDB and a user's own storage have in common.

/**
 * Keeps files by name. Training writes whole checkpoints to it, and reads them back to resume; one run at a time.
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
  /** Names of all files. Those that are no checkpoints are left alone. */
  list(): Promise<readonly string[]>;
  /** The bytes of a file. */
  read(name: string): Promise<Uint8Array>;
  /**
   * Writes a file, all or nothing: whatever happens meanwhile, a later `read` gives all of the bytes or does not find the
   * name. When it resolves, the file outlives the process.
   *
   * @param bytes - Valid until it resolves.
   */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Removes a file; one that is not there is no error. */
  remove(name: string): Promise<void>;
}
