// Writes a `.keras` file of Keras 3: a ZIP archive of configuration, metadata and weights (`keras/src/saving/saving_lib.py`).
// The HDF5 file of the weights is written here and not by a library: it needs groups, plain datasets and one text, which
// are fewer lines than the calls of h5wasm, whose 4 MB of WebAssembly a page would load, and 15 MB a user install.
import { zipSync } from 'fflate';
import { TransferKitError } from '../../core/errors.ts';
import { joinBytes } from '../../core/joinBytes.ts';
import type { JsonObject } from '../../core/json.ts';
import { writeHdf5, type Hdf5Dataset, type Hdf5Group } from '../hdf5/writeHdf5.ts';
import { kindOf } from './kerasNames.ts';

/** A layer with the values of its weights, in the order in which Keras numbers them. */
interface StoredKerasLayer {
  readonly name: string;
  readonly className: string;
  readonly weights: readonly Hdf5Dataset[];
}

/** The content of a file. */
export interface KerasContent {
  readonly config: JsonObject;
  /** All layers, in the order of `model.layers`: Keras counts those of each class. */
  readonly layers: readonly StoredKerasLayer[];
  /** Fields of this package, which Keras does not read. */
  readonly transferkit: object;
}

/** The version of Keras whose format is written. */
const kerasVersion = '3.15.1';
/** The format's own limit, without its extension for large files. */
const largest = 2 ** 32 - 2 ** 20;

/**
 * Packs a file. The same content gives the same bytes.
 *
 * @throws TransferKitError `OUT_OF_RANGE` for weights of more than 4 GiB.
 */
export function writeKerasFile({ config, layers, transferkit }: KerasContent): Uint8Array<ArrayBuffer> {
  const weights = joinBytes(writeHdf5(weightsOf(layers)));
  if (weights.length > largest) throw tooLarge(weights.length);
  const json = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const entries = {
    'metadata.json': json({ keras_version: kerasVersion, transferkit }),
    'config.json': json(config),
    'model.weights.h5': weights,
  };
  // Stored without packing, as Keras does. The date, in local time, is the first that the format has.
  return zipSync(entries, { level: 0, mtime: new Date(1980, 0, 1) });
}

/** `layers/conv2d_1/vars/0`, with the layer's own name as attribute of `vars`. */
function weightsOf(layers: readonly StoredKerasLayer[]): Hdf5Group {
  const counts = new Map<string, number>();
  const groups = layers.map(({ name, className, weights }): [string, Hdf5Group] => {
    const kind = kindOf(className);
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    const links = new Map(weights.map((weight, index) => [String(index), weight]));
    const vars = new Map([['vars', { links, texts: { name } }]]);
    return [count === 0 ? kind : `${kind}_${String(count)}`, { links: vars }];
  });
  return { links: new Map([['layers', { links: new Map(groups) }]]) };
}

function tooLarge(size: number): TransferKitError {
  const text = `expected weights that a ZIP archive holds (4 GiB), got ${String(size)} bytes. Export to 'graphModel' into a folder.`;
  return new TransferKitError('OUT_OF_RANGE', text, { size, limit: largest });
}
