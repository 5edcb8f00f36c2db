// Weight files named after the hash of their content: `fileSystem` writes these names, and every reader checks them.
import { TransferKitError } from './errors.ts';

const pattern = /^weights\.([0-9a-f]{8})\.bin$/;

/** Returns the name of a weight file, from the SHA-256 of its bytes. */
export function shardName(sha256: string): string {
  return `weights.${sha256.slice(0, 8)}.bin`;
}

/** Whether a file of a folder has such a name. */
export function isShardName(name: string): boolean {
  return pattern.test(name);
}

/**
 * Raises unless the bytes of a weight file match the hash in its name. Other names are not checked.
 *
 * @param name - As written in `model.json`.
 * @param location - Where the file is, for error texts.
 * @param sha256 - Computes the hash; gives undefined where that is not possible.
 * @throws TransferKitError `WEIGHTS_DAMAGED`.
 */
export async function assertShardHash(
  name: string,
  bytes: Uint8Array | undefined,
  location: string,
  sha256: (bytes: Uint8Array) => Promise<string | undefined>,
): Promise<void> {
  const [, expected] = pattern.exec(name.replace(/^.*[/\\]/s, '')) ?? [];
  const found = expected === undefined || bytes === undefined ? undefined : (await sha256(bytes))?.slice(0, 8);
  if (found === expected || found === undefined) return;
  const text =
    `expected the weight file ${location} to have the hash ${String(expected)} that its name says, got ${found}. It is ` +
    'damaged or is another file: copy or save the model again.';
  throw new TransferKitError('WEIGHTS_DAMAGED', text, { file: location, expected, found });
}
