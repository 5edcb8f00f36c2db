// Reads a model from a single file: a Keras file or a ZIP archive with the files of a tfjs model, recognised by its
// content.
import { reasonOf, TransferKitError } from '../core/errors.ts';
import { defaultMaxBytes, type ReadOptions } from '../core/platform.ts';
import { tooBig } from '../download/body.ts';
import { openKerasFile, readKerasFile } from '../formats/keras/kerasFile.ts';
import { kerasArtefact } from '../formats/keras/kerasWeights.ts';
import { sniffFile } from '../formats/sniffFile.ts';
import { readModelArchive } from '../formats/tfjs/modelArchive.ts';
import type { ModelArtefact } from '../formats/tfjs/modelArtefact.ts';

/**
 * Reads the file of a path or an address.
 *
 * @throws TransferKitError `UNSUPPORTED_SOURCE`, `NOT_A_MODEL`, `WEIGHTS_DAMAGED`, and the errors of reading.
 */
export async function readModelFile(location: string, reading: ReadOptions): Promise<ModelArtefact> {
  const content = await openKerasFile(location, reading);
  if (content instanceof Uint8Array) return readModelBytes(content, location, reading);
  return kerasArtefact(readKerasFile(content, location));
}

/**
 * Reads the bytes of a file.
 *
 * @param source - Where they came from, for error texts.
 * @throws TransferKitError as {@link readModelFile}.
 */
export async function readModelBytes(bytes: Uint8Array, source: string, reading: ReadOptions): Promise<ModelArtefact> {
  const kind = sniffFile(bytes, source);
  if (kind === 'archive') return readModelArchive(bytes, source, reading);
  if (kind !== 'json') return kerasArtefact(readKerasFile(bytes, source));
  const text =
    `expected a whole model in ${source}, got JSON alone. If it is a model.json, give its path or address, so that its ` +
    'weight files are found, or one ZIP archive with all its files.';
  throw new TransferKitError('NOT_A_MODEL', text, { source });
}

/**
 * Reads a Blob, such as a File that the user of a page opened.
 *
 * @throws TransferKitError as {@link readModelFile}; `NOT_FOUND` when the file has changed or is gone since.
 */
export async function readModelBlob(blob: Blob, reading: ReadOptions): Promise<ModelArtefact> {
  const source = 'name' in blob && typeof blob.name === 'string' ? blob.name : 'the given Blob';
  const { maxBytes = defaultMaxBytes } = reading;
  if (blob.size > maxBytes) throw tooBig(source, blob.size, maxBytes, 'it has');
  const buffer = await blob.arrayBuffer().catch((cause: unknown) => {
    const reason = reasonOf(cause);
    const text = `expected to read ${source}, but: ${reason} Open the file again.`;
    throw new TransferKitError('NOT_FOUND', text, { source, reason }, cause);
  });
  return readModelBytes(new Uint8Array(buffer), source, reading);
}
