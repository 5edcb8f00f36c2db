// The verb loadBase: loads a pretrained network as a base.
import { nameErrors } from './core/edge.ts';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import { assertPreprocessing, choosePreprocessor, type PreprocessOption } from './bases/choosePreprocessor.ts';
import { assertFiniteWeights } from './bases/finiteWeights.ts';
import { loadPreset } from './bases/loadPreset.ts';
import { makeBase } from './bases/makeBase.ts';
import { makeGraphBase } from './bases/makeGraphBase.ts';
import {
  conventionOf,
  readNetwork,
  readOptionsOf,
  sourceOptionNames,
  type BaseSource,
  type SourceOptions,
} from './bases/readSource.ts';
import { assertSavedFits } from './bases/savedFits.ts';
import { TransferKitError } from './core/errors.ts';
import type { PictureLimits } from './core/pictureLimits.ts';
import type { Base } from './model/model.ts';
import { assertWhole } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import type { TensorSpec } from './core/types.ts';
import { shown } from './core/shown.ts';
import { findPreset, isPresetName, type PresetName } from './presets/presetTable.ts';
import { isNodeTopology, parseNodes } from './networks/graphs/nodeGraph.ts';
import { parseTopology } from './networks/read/topology.ts';
import { savedOf } from './formats/tfjs/savedModel.ts';

export type { BaseSource } from './bases/readSource.ts';

/** Options of {@link loadBase}. */
export interface LoadBaseOptions extends SourceOptions {
  /** Name of the layer (GraphModel: node) to take features from. Default: the last one before the classifier. */
  readonly cut?: string;
  /**
   * Height and width of the pictures, in pixels; one number for squares. Default: the size that the model was saved
   * with.
   */
  readonly inputSize?: number | readonly [number, number];
  /**
   * Preprocessing that the base expects: an image mode (`'tf'`, `'caffe'`, `'torch'`, `'unit'`, `'raw'`, or mean and
   * std), a whole spec, or a custom preprocessor. Default: that saved with the model or that of the preset; `'unit'`
   * for pictures of models from TF Hub and Kaggle; otherwise inputs are tensors and stay unchanged. Most model files do
   * not record their preprocessing: look it up and pass it.
   */
  readonly preprocess?: PreprocessOption;
  /**
   * Limits for encoded pictures, for bases with image preprocessing: `maxPixels` at once (default 100 million),
   * `maxBytes` for each (default 256 MiB), and SVG only with `svg: true`. They are not saved with a model.
   */
  readonly pictures?: PictureLimits;
  /** Name for messages and logs. Default: the model's own. */
  readonly name?: string;
}

/**
 * Loads a pretrained network as a base: without its classifier, and with all weights frozen.
 *
 * A model in memory is not changed, and the caller still disposes of it. The base has its own layers, which share the
 * weight values until training changes them.
 *
 * @param source - Name of a preset; path or address of `model.json`, of its folder, or of one file with the whole model (a
 * ZIP archive of `model.json` and its weights, or Keras's `.h5` or `.keras`), or that file as bytes, File or Blob;
 * address of a tfjs model on TF Hub or Kaggle; IOHandler, LayersModel, GraphModel, or a module such as
 * `nsfwjs/models/mobilenet_v2`.
 * @param options - See {@link LoadBaseOptions}.
 * @returns The base; free it with `dispose()`, or through the model that gets it.
 * @throws TransferKitError `NOT_FOUND`, `NOT_TRUSTED`, `NOT_A_MODEL`, `UNSUPPORTED_SOURCE`, `UNSUPPORTED_LAYER`,
 * `WEIGHTS_DAMAGED`,
 * `WEIGHTS_MISMATCH`, `UNKNOWN_LAYER`, `INVALID_OPTION`, `NOT_FINITE` for weights that hold NaN, `DISPOSED`, `ABORTED`,
 * `OUT_OF_RANGE` for a file over `maxBytes` or a network that is larger than any that could run here, `OUT_OF_MEMORY`, `BACKEND_LOST`.
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
  return nameErrors('loadBase', async () => {
    assertOptions(options, {
      ...sourceOptionNames,
      cut: true,
      inputSize: true,
      preprocess: true,
      pictures: true,
      name: true,
    });
    assertPreprocessing(options);
    const inputSize = checkInputSize(options.inputSize);
    if (options.maxParameters !== undefined) assertWhole('maxParameters', options.maxParameters, 1);
    await ensureBackend();
    const base = await readBase(source, inputSize, options);
    await assertFiniteWeights(base, { trunks: [base.trunk], option: options.nonFiniteWeights });
    return base;
  });
}

async function readBase(
  source: BaseSource,
  inputSize: readonly [number, number] | undefined,
  options: LoadBaseOptions,
): Promise<Base> {
  if (typeof source === 'string' && isPresetName(source)) return loadNamed(source, inputSize, options);
  const artefact = await readNetwork(source, options);
  const saved = savedOf(artefact);
  const plan = {
    cut: options.cut ?? saved?.base.cut,
    inputSize,
    seed: options.weights === null ? (options.seed ?? 0) : undefined,
    maxParameters: options.maxParameters,
    signal: options.signal,
    preprocess: (input: TensorSpec) =>
      choosePreprocessor(input, {
        option: options.preprocess ?? conventionOf(source, input),
        saved: saved?.preprocessor,
        pictures: options.pictures,
      }),
  };
  if (isNodeTopology(artefact.topology)) {
    const name = options.name ?? saved?.base.name ?? 'graph_model';
    return makeGraphBase(parseNodes(artefact.topology, name), artefact, { ...plan, name });
  }
  const graph = parseTopology(artefact.topology);
  if (saved !== undefined && 'head' in saved) assertSavedFits(saved, graph, artefact.source);
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
    maxParameters: options.maxParameters,
    signal: options.signal,
    preprocess: (input) =>
      choosePreprocessor(input, {
        option: options.preprocess ?? preset.mode,
        saved: undefined,
        pictures: options.pictures,
      }),
  });
}

function checkInputSize(size: LoadBaseOptions['inputSize']): readonly [number, number] | undefined {
  if (size === undefined) return undefined;
  // JavaScript callers may pass any value.
  const given: unknown = size;
  const isSize = typeof given === 'number' || (Array.isArray(given) && given.length === 2);
  const [height, width] = !isSize || typeof size === 'number' ? [Number(size), Number(size)] : size;
  if (isSize && Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0) return [height, width];
  throw new TransferKitError(
    'INVALID_OPTION',
    `expected inputSize to be one or two whole numbers above 0, got ${shown(size)}.`,
    { inputSize: size },
  );
}
