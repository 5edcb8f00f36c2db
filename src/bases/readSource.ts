// Reads a model from a source: a path, an address, bytes, a handler, a model in memory or a module.
import type { io } from '@tensorflow/tfjs-core';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { isTransferKitError, TransferKitError } from '../core/errors.ts';
import { nearestNames } from '../core/names.ts';
import type { NamesOf } from '../core/optionNames.ts';
import type { DownloadOptions, ReadOptions } from '../core/platform.ts';
import { kindOf, shown } from '../core/shown.ts';
import type { TensorSpec } from '../core/types.ts';
import { noWeights } from '../core/weightSource.ts';
import { isTfHub, tfHubAddress } from '../download/tfHub.ts';
import { presetNames, type PresetName } from '../presets/presetTable.ts';
import { isNodeTopology } from '../networks/graphs/nodeGraph.ts';
import { throwSavedModel } from '../formats/keras/kerasFile.ts';
import { isGraphModel, readLiveGraph } from '../formats/tfjs/liveGraph.ts';
import { readLiveModel } from '../formats/tfjs/liveModel.ts';
import { readHandler, type ModelArtefact } from '../formats/tfjs/modelArtefact.ts';
import { readModelFiles } from '../formats/tfjs/modelFiles.ts';
import { findWeightModule, readWeightModule, type WeightModule } from '../formats/tfjs/weightModule.ts';
import type { NonFiniteWeights } from './finiteWeights.ts';
import type { PresetOptions } from './loadPreset.ts';
import { readModelBlob, readModelBytes, readModelFile } from './readModelFile.ts';

/**
 * Source of a base. One of:
 * - the name of a preset (architecture and weights of keras.applications);
 * - the path, the address or the bytes of a file with a whole model, or a File or Blob: Keras's (`.h5`, `.keras`), or a
 *   ZIP archive (`.zip`) with a tfjs `model.json` and its weights;
 * - the path or address of a tfjs `model.json` (LayersModel or GraphModel), or of its folder;
 * - a tfjs IOHandler;
 * - a LayersModel or GraphModel in memory;
 * - a module that carries its weights.
 */
export type BaseSource =
  | PresetName
  // Any other string. Written like this, editors still suggest the names.
  | (string & {})
  | URL
  | Uint8Array
  | Blob
  | io.IOHandler
  | LayersModel
  | GraphModel
  | WeightModule
  | Readonly<Record<string, WeightModule>>;

/** Endings of files that hold a whole model. They are read, or named in the error. */
const singleFile = /\.(h5|hdf5|keras|pb|tflite|onnx|pt|pth|ckpt|bin|safetensors|zip|npz|mlmodel)($|\?)/i;

/** Options for reading a model. */
export interface SourceOptions extends DownloadOptions, PresetOptions {
  /** SHA-256 of the file at the source (of `model.json`, not of its shards). It is checked before the file is used. */
  readonly sha256?: string;
  /**
   * Weights with NaN or infinite values: `'error'` (default) refuses the model and names them, `'allow'` loads it
   * unchanged.
   */
  readonly nonFiniteWeights?: NonFiniteWeights;
}

/** Names of these options, for verbs that accept others too. */
export const sourceOptionNames: NamesOf<SourceOptions> = {
  allowElsewhere: true,
  alpha: true,
  cacheDir: true,
  fetch: true,
  maxBytes: true,
  maxParameters: true,
  mirror: true,
  nonFiniteWeights: true,
  onProgress: true,
  partial: true,
  retries: true,
  seed: true,
  sha256: true,
  signal: true,
  weights: true,
};

/**
 * Reads a model that is no preset. With `weights: null` only its architecture is read.
 *
 * @throws TransferKitError `NOT_FOUND`, `NOT_TRUSTED`, `NOT_A_MODEL`, `UNSUPPORTED_SOURCE`, `WEIGHTS_DAMAGED`,
 * `INVALID_OPTION`, `ABORTED`, `OUT_OF_RANGE` for a file over `maxBytes`.
 */
export async function readNetwork(source: BaseSource, options: SourceOptions): Promise<ModelArtefact> {
  assertNoPresetOptions(source, options);
  assertHashable(source, options);
  return untrained(await readSource(source, options), options);
}

async function readSource(source: BaseSource, options: SourceOptions): Promise<ModelArtefact> {
  if (typeof source === 'string' || source instanceof URL) return readLocation(String(source), options);
  if (source instanceof Uint8Array) return readModelBytes(source, 'the given bytes', options);
  if (source instanceof Blob) return readModelBlob(source, options);
  if (!isObject(source)) throw unsupported(source);
  if (isLayersModel(source)) return readLiveModel(source);
  if (isGraphModel(source)) return readLiveGraph(source);
  const module = findWeightModule(source);
  if (module !== undefined) return readWeightModule(module);
  if (!isModule(source) && isHandler(source)) return readHandler(source);
  throw unsupported(source);
}

/** The architecture alone for `weights: null`. The layers' own initialisers draw the weights. */
function untrained(artefact: ModelArtefact, { weights }: SourceOptions): ModelArtefact {
  if (weights !== null) return artefact;
  if (!isNodeTopology(artefact.topology)) return { ...artefact, weights: () => noWeights };
  const text =
    `expected a network of layers for weights: null, got a GraphModel at ${artefact.source}, which does not record how its ` +
    'weights are drawn. Load a preset with this architecture.';
  throw new TransferKitError('INVALID_OPTION', text, { source: artefact.source });
}

/** Raises for options that would be ignored without a message. */
function assertNoPresetOptions(source: BaseSource, options: SourceOptions): void {
  const { weights, alpha, seed, partial } = options;
  const drawn = weights === null ? {} : { weights, seed };
  const given = Object.entries({ ...drawn, alpha, partial }).filter(([, value]) => value !== undefined);
  if (given.length === 0) return;
  const names = given.map(([name]) => name).join(', ');
  const found = typeof source === 'string' ? `'${source}'` : 'another source';
  const nearest = typeof source === 'string' ? nearestNames(source, presetNames(), 5) : presetNames().slice(0, 5);
  throw new TransferKitError(
    'INVALID_OPTION',
    `expected the name of a preset for ${names}, got ${found}. Nearest: ${nearest.join(', ')}.`,
    { options: names, nearest },
  );
}

/** TF Hub's rule for picture models: pixels from 0 to 1 (tensorflow.org/hub/common_signatures/images). */
export function conventionOf(source: BaseSource, { shape, dtype }: TensorSpec): 'unit' | undefined {
  const isHub = (typeof source === 'string' || source instanceof URL) && isTfHub(String(source));
  return isHub && dtype === 'float32' && shape.length === 4 && shape[3] === 3 ? 'unit' : undefined;
}

/** A single file is recognised by its content. Any other location is a `model.json` or its folder. */
async function readLocation(location: string, options: SourceOptions): Promise<ModelArtefact> {
  const reading = readOptionsOf(options);
  if (singleFile.test(location)) return readModelFile(location, reading);
  try {
    return await readModelFiles(tfHubAddress(location), reading);
  } catch (error) {
    if (!isTransferKitError(error) || error.code !== 'NOT_FOUND') throw error;
    await throwSavedModel(location, error).catch((told: unknown) => {
      if (told !== error || /[/\\.:]/.test(location)) throw told;
    });
    throw unknownPreset(location, error);
  }
}

function unknownPreset(name: string, cause: unknown): TransferKitError {
  const nearest = nearestNames(name, presetNames(), 5);
  const text =
    `expected the name of a preset or a folder with model.json, got '${name}', which is neither. ` +
    `Nearest presets: ${nearest.join(', ')}.`;
  return new TransferKitError('NOT_FOUND', text, { name, nearest }, cause);
}

/** Raises for `sha256` with a source in memory, which has no file to hash. */
function assertHashable(source: BaseSource, { sha256 }: SourceOptions): void {
  if (sha256 === undefined || typeof source === 'string' || source instanceof URL) return;
  const text = 'expected a path or an address for sha256, got a source in memory. Leave sha256 out.';
  throw new TransferKitError('INVALID_OPTION', text, { sha256 });
}

/** The options of reading, including the hash. */
export function readOptionsOf(options: SourceOptions): ReadOptions {
  const { sha256 } = options;
  return sha256 === undefined ? options : { ...options, hash: { algorithm: 'sha256', digest: sha256 } };
}

/** Callers without TypeScript may pass any value. */
function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isLayersModel(source: object): source is LayersModel {
  return 'layers' in source && 'getLayer' in source && 'toJSON' in source;
}

/** Modules export functions named `load` of every meaning: none is called. */
function isModule(source: object): boolean {
  return Object.prototype.toString.call(source) === '[object Module]';
}

function isHandler(source: object): source is io.IOHandler {
  // A handler that can only save gets its own error.
  return (
    ('load' in source && typeof source.load === 'function') || ('save' in source && typeof source.save === 'function')
  );
}

function unsupported(source: object): TransferKitError {
  const found = isObject(source)
    ? kindOf(source, `an object with ${Object.keys(source).slice(0, 8).join(', ') || 'no fields'}`)
    : shown(source);
  return new TransferKitError(
    'UNSUPPORTED_SOURCE',
    'expected the path or address of a model, its bytes or a Blob of them, an IOHandler, a LayersModel, a GraphModel or a module that ' +
      `carries weights, got ${found}.`,
    { found },
  );
}
