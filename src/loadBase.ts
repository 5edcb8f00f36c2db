// The verb loadBase: anything pretrained becomes a base.
import type { io } from '@tensorflow/tfjs-core';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { ensureBackend } from './backends/ensureBackend.ts';
import { makeBase } from './bases/makeBase.ts';
import { makeGraphBase } from './bases/makeGraphBase.ts';
import { choosePreprocessor, type PreprocessOption } from './bases/choosePreprocessor.ts';
import { assertSavedFits } from './bases/savedFits.ts';
import { loadPreset, type PresetOptions } from './bases/loadPreset.ts';
import { isTransferKitError, TransferKitError } from './core/errors.ts';
import { nearestNames } from './core/names.ts';
import { noWeights } from './core/weightSource.ts';
import type { DownloadOptions, ReadOptions } from './core/platform.ts';
import type { Base } from './core/model.ts';
import type { TensorSpec } from './core/types.ts';
import { isTfHub, tfHubAddress } from './download/tfHub.ts';
import { findPreset, isPresetName, presetNames, type PresetName } from './presets/presetTable.ts';
import { isNodeTopology, parseNodes } from './trunk/nodeGraph.ts';
import { parseTopology } from './trunk/topology.ts';
import { isGraphModel, readLiveGraph } from './weights/liveGraph.ts';
import { readLiveModel } from './weights/liveModel.ts';
import { loadKerasFile, readKerasFile, throwSavedModel } from './weights/kerasFile.ts';
import { kerasArtefact } from './weights/kerasWeights.ts';
import { readHandler, readModelFiles, type ModelArtefact } from './weights/modelArtefact.ts';
import { findWeightModule, readWeightModule, type WeightModule } from './weights/weightModule.ts';
import { savedModelOf } from './weights/savedModel.ts';

/**
 * Where a base comes from: the name of a preset (architecture and weights of keras.applications), the path or address of
 * a Keras file with a whole model (`.h5`, `.keras`) or its bytes, the path or address of a tfjs `model.json` (LayersModel or GraphModel) or of its folder, a
 * tfjs IOHandler, a LayersModel or GraphModel in memory, or a module that carries its weights.
 */
export type BaseSource =
  | PresetName
  // Any other text, without losing the names in an editor's list.
  | (string & {})
  | URL
  | Uint8Array
  | io.IOHandler
  | LayersModel
  | GraphModel
  | WeightModule
  | Readonly<Record<string, WeightModule>>;

/** Endings of files that are a whole model each, ours to read or to name. */
const singleFile = /\.(h5|hdf5|keras|pb|tflite|onnx|pt|pth|ckpt|bin|safetensors|zip|npz|mlmodel)($|\?)/i;

/** Options of {@link loadBase}. */
export interface LoadBaseOptions extends DownloadOptions, PresetOptions {
  /** Name of the layer (GraphModel: node) to take features from. Default: the last one before the classifier. */
  readonly cut?: string;
  /** Height and width of the pictures, in pixels; one number for squares. Default: what the model was saved with. */
  readonly inputSize?: number | readonly [number, number];
  /**
   * What the base expects: an image mode (`'tf'`, `'caffe'`, `'torch'`, `'unit'`, `'raw'`, or mean and std), a whole
   * spec, or a preprocessor of your own. Default: what was saved with the model or belongs to the preset; `'unit'` for
   * pictures of TF Hub and Kaggle addresses; else tensors are taken as they are.
   */
  readonly preprocess?: PreprocessOption;
  /** Name for messages and logs. Default: the model's own. */
  readonly name?: string;
  /** SHA-256 of the file at the source (of `model.json`, not of its shards), checked before it is used. */
  readonly sha256?: string;
}

/**
 * Loads a pretrained network as a base: its classifier cut off, all its weights frozen.
 *
 * A model in memory stays as it is and stays yours: the base has its own layers, which share the values of the weights
 * until training changes them.
 *
 * @param source - Name of a preset; path or address of `model.json`, of its folder, or of a Keras file (`.h5`,
 * `.keras`) or its bytes; address of a tfjs model on TF Hub or Kaggle; IOHandler, LayersModel, GraphModel, or a module
 * such as `nsfwjs/models/mobilenet_v2`.
 * @param options - See {@link LoadBaseOptions}.
 * @returns The base; free it with `dispose()`, or through the model that gets it.
 * @throws TransferKitError `NOT_FOUND`, `NOT_A_MODEL`, `UNSUPPORTED_SOURCE`, `UNSUPPORTED_LAYER`, `WEIGHTS_DAMAGED`,
 * `WEIGHTS_MISMATCH`, `UNKNOWN_LAYER`, `INVALID_OPTION`, `DISPOSED`, `ABORTED`, `OUT_OF_RANGE` for a file over `maxBytes`.
 *
 * @example
 * ```ts
 * import { loadBase } from 'transferkit';
 * import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
 * const base = await loadBase(mobilenet, { inputSize: 96, preprocess: 'tf' });
 * console.log(base.cut, base.trunk.output.shape); // out_relu [ null, 3, 3, 1280 ]
 * ```
 */
export async function loadBase(source: BaseSource, options: LoadBaseOptions = {}): Promise<Base> {
  const inputSize = checkInputSize(options.inputSize);
  await ensureBackend();
  if (typeof source === 'string' && isPresetName(source)) return loadNamed(source, inputSize, options);
  assertNoPresetOptions(source, options);
  assertHashable(source, options);
  const artefact = untrained(await readSource(source, options), options);
  const saved = savedModelOf(artefact);
  const plan = {
    cut: options.cut ?? saved?.base.cut,
    inputSize,
    seed: options.weights === null ? (options.seed ?? 0) : undefined,
    preprocess: (input: TensorSpec) =>
      choosePreprocessor(input, options.preprocess ?? conventionOf(source, input), saved?.preprocessor),
  };
  if (isNodeTopology(artefact.topology)) {
    const name = options.name ?? saved?.base.name ?? 'graph_model';
    return makeGraphBase(parseNodes(artefact.topology, name), artefact, { ...plan, name });
  }
  const graph = parseTopology(artefact.topology);
  if (saved !== undefined) assertSavedFits(saved, graph, artefact.source);
  return makeBase(graph, artefact, { ...plan, name: options.name ?? saved?.base.name ?? graph.name });
}

async function loadNamed(
  name: PresetName,
  inputSize: readonly [number, number] | undefined,
  options: LoadBaseOptions,
): Promise<Base> {
  const preset = await findPreset(name);
  return loadPreset(preset, options, readOptionsOf(options), {
    name: options.name,
    cut: options.cut,
    inputSize,
    preprocess: (input) => choosePreprocessor(input, options.preprocess ?? preset.mode, undefined),
  });
}

/** The architecture alone, where no weights are wanted: the layers' own initialisers draw them. */
function untrained(artefact: ModelArtefact, { weights }: LoadBaseOptions): ModelArtefact {
  if (weights !== null) return artefact;
  if (!isNodeTopology(artefact.topology)) return { ...artefact, weights: () => noWeights };
  const text =
    `loadBase: expected a network of layers for weights: null, got a GraphModel at ${artefact.source}, which does not say how its ` +
    'weights are drawn. Load its architecture as a preset.';
  throw new TransferKitError('INVALID_OPTION', text, { source: artefact.source });
}

/** Options that would be lost without a word. */
function assertNoPresetOptions(source: BaseSource, options: LoadBaseOptions): void {
  const { weights, alpha, seed, partial } = options;
  const drawn = weights === null ? {} : { weights, seed };
  const given = Object.entries({ ...drawn, alpha, partial }).filter(([, value]) => value !== undefined);
  if (given.length === 0) return;
  const names = given.map(([name]) => name).join(', ');
  const found = typeof source === 'string' ? `'${source}'` : 'another source';
  const nearest = typeof source === 'string' ? nearestNames(source, presetNames(), 5) : presetNames().slice(0, 5);
  throw new TransferKitError(
    'INVALID_OPTION',
    `loadBase: expected the name of a preset for ${names}, got ${found}. Nearest: ${nearest.join(', ')}.`,
    { options: names, nearest },
  );
}

/** What is in memory is not hashed: who asks for that would feel safe for no reason. */
function assertHashable(source: BaseSource, { sha256 }: LoadBaseOptions): void {
  if (sha256 === undefined || typeof source === 'string' || source instanceof URL) return;
  const text = 'loadBase: expected a path or an address for sha256, got a source in memory. Leave sha256 out.';
  throw new TransferKitError('INVALID_OPTION', text, { sha256 });
}

async function readSource(source: BaseSource, options: LoadBaseOptions): Promise<ModelArtefact> {
  if (typeof source === 'string' || source instanceof URL) return readLocation(String(source), options);
  if (source instanceof Uint8Array) return kerasArtefact(await readKerasFile(source, 'the given bytes', options));
  if (!isObject(source)) throw unsupported(source);
  if (isLayersModel(source)) return readLiveModel(source);
  if (isGraphModel(source)) return readLiveGraph(source);
  const module = findWeightModule(source);
  if (module !== undefined) return readWeightModule(module);
  if (isHandler(source)) return readHandler(source);
  throw unsupported(source);
}

/** TF Hub's own rule for picture models: pixels from 0 to 1 (tensorflow.org/hub/common_signatures/images). */
function conventionOf(source: BaseSource, { shape, dtype }: TensorSpec): 'unit' | undefined {
  const isHub = (typeof source === 'string' || source instanceof URL) && isTfHub(String(source));
  return isHub && dtype === 'float32' && shape.length === 4 && shape[3] === 3 ? 'unit' : undefined;
}

/** A file of its own is told by its content; anything else is a `model.json` or the folder around it. */
async function readLocation(location: string, options: LoadBaseOptions): Promise<ModelArtefact> {
  const reading = readOptionsOf(options);
  if (singleFile.test(location)) {
    return kerasArtefact(await loadKerasFile(location, { ...reading, h5wasm: options.h5wasm }));
  }
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
    `loadBase: expected the name of a preset or a folder with model.json, got '${name}', which is neither. ` +
    `Nearest presets: ${nearest.join(', ')}.`;
  return new TransferKitError('NOT_FOUND', text, { name, nearest }, cause);
}

function readOptionsOf(options: LoadBaseOptions): ReadOptions {
  const { sha256 } = options;
  return sha256 === undefined ? options : { ...options, hash: { algorithm: 'sha256', digest: sha256 } };
}

/** A program without types may hand in anything. */
function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isLayersModel(source: object): source is LayersModel {
  return 'layers' in source && 'getLayer' in source && 'toJSON' in source;
}

function isHandler(source: object): source is io.IOHandler {
  return 'load' in source && typeof source.load === 'function';
}

function checkInputSize(size: LoadBaseOptions['inputSize']): readonly [number, number] | undefined {
  if (size === undefined) return undefined;
  // A program without types may hand in anything.
  const given: unknown = size;
  const isSize = typeof given === 'number' || (Array.isArray(given) && given.length === 2);
  const [height, width] = !isSize || typeof size === 'number' ? [Number(size), Number(size)] : size;
  if (isSize && Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0) return [height, width];
  throw new TransferKitError(
    'INVALID_OPTION',
    `loadBase: expected inputSize to be one or two whole numbers above 0, got ${JSON.stringify(size)}.`,
    { inputSize: size },
  );
}

function unsupported(source: object): TransferKitError {
  const found = isObject(source)
    ? `an object with ${Object.keys(source).slice(0, 8).join(', ') || 'no fields'}`
    : String(source);
  return new TransferKitError(
    'UNSUPPORTED_SOURCE',
    'loadBase: expected the path or address of a model, an IOHandler, a LayersModel, a GraphModel or a module that ' +
      `carries weights, got ${found}.`,
    { found },
  );
}
