// Weight files whose names are made of their content: what `fileSystem` writes, and what every reader checks.
import { TransferKitError } from './errors.ts';

const pattern = /^weights\.([0-9a-f]{8})\.bin$/;

/** The name of a weight file, from the SHA-256 of its bytes. */
export function shardName(sha256: string): string {
  return `weights.${sha256.slice(0, 8)}.bin`;
}

/** Whether a file of a folder has such a name. */
export function isShardName(name: string): boolean {
  return pattern.test(name);
}

/**
 * Sees that the bytes of a weight file are those that its name says; any other name says nothing.
 *
 * @param name - As `model.json` has it.
 * @param location - Where the file lies, for messages.
 * @param sha256 - Hashes; undefined where that is not possible.
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
