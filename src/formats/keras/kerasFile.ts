// Reads files that Keras wrote: whole models (`.h5`, `.keras`) or only weights (`.h5`, `.weights.h5`).
import { platform } from '#platform';
import { isTransferKitError, TransferKitError } from '../../core/errors.ts';
import type { Hdf5Storage } from '../../core/hdf5Storage.ts';
import { isJsonObject } from '../../core/json.ts';
import { isAddress, type ReadOptions } from '../../core/platform.ts';
import { hdf5InMemory } from '../hdf5/hdf5InMemory.ts';
import { readHdf5, type Hdf5File } from '../hdf5/readHdf5.ts';
import { readKeras3, readLegacy } from './kerasLayouts.ts';
import { sniffFile } from '../sniffFile.ts';
import { isPageStore } from '../tfjs/modelStores.ts';
import type { StoredLayer } from './storedLayers.ts';
import { unzip, zipEntries, type ZipEntry } from '../zip.ts';

/** A Keras file whose weights have not been read yet. */
export interface KerasFile {
  /** Where it came from, for error texts. */
  readonly source: string;
  /** The model's configuration as Keras wrote it; undefined in a file of weights. */
  readonly topology: unknown;
  /** The fields that `exportModel` adds, not checked yet; undefined in other files. */
  readonly saved?: unknown;
  /** Layers with weights, in the order of the file. */
  readonly layers: readonly StoredLayer[];
  /** Whether that is also the order of the layers in the model, as in legacy files. */
  readonly isOrdered: boolean;
}

/** A configuration with more bytes than this is refused. */
const largestConfig = 256 * 1024 * 1024;

/**
 * Reads the structure of a Keras file; weights are read later, one at a time, from the same bytes.
 *
 * @param bytes - Bytes of an HDF5 file or a `.keras` archive, which are not copied and must not change; or an HDF5
 * file that is read in place.
 * @param source - Where they came from, for error texts.
 * @throws TransferKitError `UNSUPPORTED_SOURCE` naming the actual kind of file or the other file that it refers to,
 * `NOT_A_MODEL`, `WEIGHTS_DAMAGED`.
 */
export function readKerasFile(bytes: Uint8Array | Hdf5Storage, source: string): KerasFile {
  if (!(bytes instanceof Uint8Array)) return readWhole(readHdf5(bytes, source), source);
  const kind = sniffFile(bytes, source);
  if (kind === 'keras') return readArchive(bytes, source);
  if (kind === 'hdf5') return readWhole(readHdf5(hdf5InMemory(bytes), source), source);
  throw notKeras(source, kind === 'json' ? 'JSON' : 'a tfjs model in a ZIP archive');
}

/**
 * {@link readKerasFile} for a path or an address.
 *
 * @param location - Path or address.
 * @throws TransferKitError as {@link readKerasFile}, and the errors of reading (`NOT_FOUND`, `ABORTED`, …).
 */
export async function loadKerasFile(location: string, reading: ReadOptions = {}): Promise<KerasFile> {
  return readKerasFile(await openKerasFile(location, reading), location);
}

/**
 * Gives the content of a path or an address for {@link readKerasFile}. An HDF5 file on a disk is read in place, so that
 * its bytes and its weights are not in memory at the same time; of any other file the bytes are read.
 *
 * @throws TransferKitError the errors of reading (`NOT_FOUND`, `ABORTED`, …).
 */
export async function openKerasFile(location: string, reading: ReadOptions = {}): Promise<Uint8Array | Hdf5Storage> {
  const isPlain = reading.hash === undefined && reading.signal?.aborted !== true;
  if (isPlain && !isAddress(location)) {
    const storage = await platform.openHdf5?.(location, reading);
    if (storage !== undefined) return storage;
  }
  const bytes = await platform
    .readBytes(location, reading)
    .catch(async (error: unknown) => throwSavedModel(location, error));
  // A downloaded file is read from the cache, so that its bytes need not stay in memory.
  const kept = isAddress(location) ? await platform.openHdf5?.(location, reading) : undefined;
  return kept?.size === bytes.length ? kept : bytes;
}

/**
 * Raises the error of reading a location, or, for the folder of a SavedModel, an error that says so.
 *
 * @throws TransferKitError `UNSUPPORTED_SOURCE`, or the given error.
 */
export async function throwSavedModel(location: string, error: unknown): Promise<never> {
  const isFolder = !isAddress(location) && !isPageStore(location);
  if (isTransferKitError(error) && error.code === 'NOT_FOUND' && isFolder) {
    const file = `${location.replace(/[/\\]$/, '')}/saved_model.pb`;
    const bytes = await platform.readBytes(file).catch(() => undefined);
    if (bytes !== undefined) sniffFile(bytes, location);
  }
  throw error;
}

function readArchive(bytes: Uint8Array, source: string): KerasFile {
  const entries = zipEntries(bytes, source);
  const part = (name: string, most = Infinity) => {
    const entry = entries.find((each) => each.name === name);
    if (entry === undefined || entry.size > most) throw notKeras(source, `an archive without a usable ${name}`);
    return unzip(bytes, entry, source);
  };
  const topology = parseConfig(new TextDecoder().decode(part('config.json', largestConfig)), source);
  const weights = part('model.weights.h5');
  const file = readHdf5(hdf5InMemory(weights), `${source} (model.weights.h5)`);
  return {
    source,
    topology,
    saved: savedIn(entries, bytes, source),
    layers: readKeras3(file, source) ?? [],
    isOrdered: false,
  };
}

/** The fields of this package in `metadata.json`. Keras itself does not read that file. */
function savedIn(entries: readonly ZipEntry[], bytes: Uint8Array, source: string): unknown {
  const entry = entries.find(({ name }) => name === 'metadata.json');
  if (entry === undefined || entry.size > largestConfig) return undefined;
  const metadata = parseConfig(new TextDecoder().decode(unzip(bytes, entry, source)), source);
  return isJsonObject(metadata) ? metadata.transferkit : undefined;
}

function readWhole(file: Hdf5File, source: string): KerasFile {
  const [config] = file.texts('/', 'model_config') ?? [];
  const topology = config === undefined ? undefined : parseConfig(config, source);
  const legacy = readLegacy(file, '/', source) ?? readLegacy(file, '/model_weights', source);
  if (legacy !== undefined) return { source, topology, layers: legacy, isOrdered: true };
  const layers = readKeras3(file, source);
  if (layers !== undefined) return { source, topology, layers, isOrdered: false };
  const keys = file.keys('/');
  const isState = keys.some((key) => key.startsWith('optimizer'));
  throw notKeras(
    source,
    isState ? 'the state of an optimizer alone' : `an HDF5 file with ${keys.slice(0, 8).join(', ') || 'nothing'}`,
  );
}

function parseConfig(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notKeras(source, 'a configuration that is not JSON', cause);
  }
}

function notKeras(source: string, found: string, cause?: unknown): TransferKitError {
  return new TransferKitError(
    'NOT_A_MODEL',
    `expected a model or weights that Keras saved in ${source}, got ${found}. Save it in Python: ` +
      'model.save("model.keras") or model.save_weights("model.weights.h5").',
    { source, found },
    cause,
  );
}
