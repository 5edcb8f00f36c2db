// Recognises the kind of a model file by its bytes. For kinds that cannot be read it says how to convert them.
import { TransferKitError } from '../core/errors.ts';
import { findSuperblock } from './hdf5/superblock.ts';
import { zipEntries } from './zip.ts';

/**
 * Kinds that can be read: HDF5 (`.h5`), a Keras 3 archive (`.keras`), JSON (`model.json`), and a ZIP archive with a
 * `model.json` and its weights.
 */
export type FileKind = 'hdf5' | 'keras' | 'json' | 'archive';

const fromKeras = 'Take the Keras model that it was made from, and save it in Python: model.save("model.h5").';
const fromSavedModel =
  'Convert it with tensorflowjs_converter --input_format=tf_saved_model folder output, and load output/model.json.';
const fromTorch =
  'Weights of PyTorch have no architecture and another layout: load them in Python into the Keras model, then ' +
  'model.save("model.h5").';

/** Kinds that are recognised and refused. */
const refused: readonly {
  readonly is: (bytes: Uint8Array) => boolean;
  readonly what: string;
  readonly advice: string;
}[] = [
  { is: (bytes) => bytes.length === 0, what: 'an empty file', advice: 'Fetch it again.' },
  {
    is: (bytes) => textOf(bytes, 0, 40).startsWith('version https://git-lfs'),
    what: 'a pointer of Git LFS instead of the file',
    advice: 'Fetch the file itself: git lfs pull.',
  },
  {
    is: (bytes) => textOf(bytes, 4, 4) === 'TFL3',
    what: 'a TFLite model',
    advice: `TFLite models are for inference only and cannot be trained. ${fromKeras}`,
  },
  {
    is: (bytes) => bytes[0] === 0x08 && bytes[1] === 0x01 && bytes[2] === 0x12,
    what: 'the saved_model.pb of a SavedModel',
    advice: fromSavedModel,
  },
  {
    is: (bytes) => bytes[0] === 0x08 && Number(bytes[1]) < 32 && [0x12, 0x1a, 0x22, 0x3a].includes(Number(bytes[2])),
    what: 'an ONNX model',
    advice: 'Convert the network that it was exported from: to Keras, then model.save("model.h5").',
  },
  {
    is: (bytes) => bytes[0] === 0x80 && Number(bytes[1]) >= 2 && Number(bytes[1]) <= 5,
    what: 'a pickle, as PyTorch (.pt, .pth) and Python write them',
    advice: fromTorch,
  },
  {
    is: (bytes) => bytes[8] === 0x7b && bytes.slice(4, 8).every((byte) => byte === 0),
    what: 'a safetensors file',
    advice: fromTorch,
  },
  { is: (bytes) => bytes[0] === 0x1f && bytes[1] === 0x8b, what: 'a gzip archive', advice: 'Unpack it first.' },
  {
    is: (bytes) => textOf(bytes, 0, 64).trimStart().startsWith('<'),
    what: 'a web page or XML',
    advice: 'The address gives a page instead of the file: check it.',
  },
];

/** Kinds of ZIP archives that are refused, by the names in them. */
const archives: readonly { readonly names: RegExp; readonly what: string; readonly advice: string }[] = [
  { names: /(^|\/)data\.pkl$/, what: 'a PyTorch file (.pt, .pth)', advice: fromTorch },
  { names: /(^|\/)saved_model\.pb$/, what: 'a SavedModel in a ZIP archive', advice: fromSavedModel },
  {
    names: /\.npy$/,
    what: 'a NumPy archive (.npz)',
    advice: 'Load it in Python into the Keras model, then save that.',
  },
];

/**
 * Returns the kind of a model file.
 *
 * @param source - Where it came from, for error texts.
 * @throws TransferKitError `UNSUPPORTED_SOURCE` naming the kind and how to convert it, `NOT_A_MODEL` for anything else,
 * `WEIGHTS_DAMAGED` for a truncated ZIP archive.
 */
export function sniffFile(bytes: Uint8Array, source: string): FileKind {
  if (findSuperblock(bytes) >= 0) return 'hdf5';
  if (textOf(bytes, 0, 4) === 'PK\x03\x04') return sniffArchive(bytes, source);
  if (/^\ufeff?\s*[{[]/.test(textOf(bytes, 0, 256))) return 'json';
  const known = refused.find(({ is }) => is(bytes));
  if (known !== undefined) throw refuse(source, known.what, known.advice);
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new TransferKitError(
    'NOT_A_MODEL',
    `expected a model in ${source} (tfjs model.json, ZIP of its files, Keras .h5 or .keras), got a file of ${String(bytes.length)} ` +
      `bytes that begins with ${start}. Check the path, or fetch the file again.`,
    { source, start, bytes: bytes.length },
  );
}

function sniffArchive(bytes: Uint8Array, source: string): FileKind {
  const names = zipEntries(bytes, source).map(({ name }) => name);
  if (names.includes('config.json') && names.includes('model.weights.h5')) return 'keras';
  if (names.some((name) => /(^|\/)model\.json$/.test(name))) return 'archive';
  const known = archives.find((each) => names.some((name) => each.names.test(name)));
  const some = names.slice(0, 5).join(', ') || 'nothing';
  if (known === undefined) throw refuse(source, `a ZIP archive with ${some}`, 'Unpack it, and load the model in it.');
  throw refuse(source, known.what, known.advice);
}

function textOf(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}

function refuse(source: string, what: string, advice: string): TransferKitError {
  const text = `expected a tfjs model.json, a ZIP archive of its files or a Keras file (.h5, .keras) in ${source}, got ${what}. ${advice}`;
  return new TransferKitError('UNSUPPORTED_SOURCE', text, { source, what });
}
