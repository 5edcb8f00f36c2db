// Makes a base from a preset: the published architecture with published weights, the user's weights or random weights.
import { platform } from '#platform';
import type { LayerGraph } from '../core/graphs.ts';
import { isTransferKitError, reasonOf, TransferKitError } from '../core/errors.ts';
import { md5 } from '../core/md5.ts';
import type { ReadOptions } from '../core/platform.ts';
import type { Base } from '../model/model.ts';
import { noWeights } from '../core/weightSource.ts';
import type { ArchitectureOptions, Preset } from '../presets/preset.ts';
import { graphUpTo, lastCallOf, layerOf } from '../networks/graphs/layerGraph.ts';
import { loadKerasFile, readKerasFile, type KerasFile } from '../formats/keras/kerasFile.ts';
import { matchKerasWeights, type MatchedWeights } from '../formats/keras/kerasWeights.ts';
import { expectedLayers } from '../formats/keras/matchWeights.ts';
import type { ModelArtefact } from '../formats/tfjs/modelArtefact.ts';
import { makeBase, type BasePlan } from './makeBase.ts';

/** Options that only presets have. */
export interface PresetOptions {
  /**
   * Where the weights come from. `'imagenet'` (default) downloads those that keras.applications publishes. `null` draws
   * random weights by `seed`, with the initialisers of Keras's layers. A path, an address or the bytes of a Keras file
   * (`.h5`, `.weights.h5`, `.keras`) reads them from that file. Other networks of layers accept only
   * `null`, which ignores the weights that lie next to the topology.
   */
  // Any other string. Written like this, editors still suggest 'imagenet'.
  readonly weights?: 'imagenet' | (string & {}) | URL | Uint8Array | null;
  /** Width multiplier of MobileNets, above 0. Default 1. */
  readonly alpha?: number;
  /** Seed of the weights that no file provides. Default 0. */
  readonly seed?: number;
  /** Limit on the number of values that are drawn by seed; a larger network is an error. Default 400 million. */
  readonly maxParameters?: number;
  /**
   * Whether to read the weights that match from a file, and draw the others by `seed`. Default false: any mismatch is
   * an error.
   */
  readonly partial?: boolean;
}

/**
 * Builds a preset up to the cut. The default cut is its last feature map.
 *
 * @throws TransferKitError `INVALID_OPTION` for an alpha or a size that the preset does not have, and the errors of
 * reading and matching weights.
 */
export async function loadPreset(
  preset: Preset,
  options: PresetOptions,
  reading: ReadOptions,
  plan: Omit<BasePlan, 'name'> & { readonly name?: string | undefined },
): Promise<Base> {
  assertOptions(preset, options);
  const architecture = settleArchitecture(preset, options, plan.inputSize);
  const featureMaps = preset.architecture({ ...architecture, top: false });
  const top = plan.cut !== undefined && !featureMaps.layers.has(plan.cut);
  const file = await readWeights(preset, { ...architecture, top }, options, reading);
  const settled = { ...architecture, imagenet: file?.isPublished ?? false };
  const { graph, cut } = settleNetwork(preset, settled, plan.cut, file?.keras);
  // An unknown cut is reported before the weights are read.
  const isCut = lastCallOf(graph, cut) >= 0;
  const needed = layersUpTo(graph, cut);
  const matched =
    isCut && file ? matchKerasWeights(file.keras, graph, { partial: options.partial, needed }) : undefined;
  const seed = file === undefined || options.partial === true ? (options.seed ?? 0) : undefined;
  const base = await makeBase(graph, artefactOf(graph, matched), {
    ...plan,
    name: plan.name ?? preset.name,
    cut,
    inputSize: undefined,
    seed,
  });
  return matched === undefined ? base : { ...base, weightsReport: matched.report };
}

/**
 * Builds a preset with its ImageNet classifier, and the weights of both.
 *
 * @throws TransferKitError `INVALID_OPTION` for an alpha that the preset does not have, and the errors of reading and
 * matching weights.
 */
export async function presetClassifier(
  preset: Preset,
  options: PresetOptions,
  reading: ReadOptions,
): Promise<{ readonly graph: LayerGraph; readonly artefact: ModelArtefact }> {
  assertOptions(preset, options);
  const architecture = settleArchitecture(preset, options);
  const file = await readWeights(preset, architecture, options, reading);
  const graph = preset.architecture({ ...architecture, imagenet: file?.isPublished ?? false });
  const matched = file && matchKerasWeights(file.keras, graph, { partial: options.partial, needed: undefined });
  return { graph, artefact: artefactOf(graph, matched) };
}

/** Callers without TypeScript may pass any value. */
function assertOptions({ name }: Preset, { seed = 0, weights = null }: PresetOptions): void {
  const invalid = (expected: string, received: unknown) => {
    const text = `expected ${expected} for '${name}', got ${String(received)}.`;
    return new TransferKitError('INVALID_OPTION', text, { received });
  };
  if (!Number.isInteger(seed)) throw invalid('seed to be a whole number', seed);
  const isKnown = weights === null || typeof weights === 'string' || weights instanceof URL;
  if (isKnown || weights instanceof Uint8Array) return;
  throw invalid("weights to be 'imagenet', null, a path, an address or a Uint8Array", weights);
}

function settleArchitecture(
  preset: Preset,
  { alpha = 1, weights = 'imagenet' }: PresetOptions,
  inputSize: readonly [number, number] = [preset.inputSize, preset.inputSize],
): ArchitectureOptions {
  const { name, alphas, smallestInputSize } = preset;
  const isWidth = Number.isFinite(alpha) && alpha > 0;
  const known = weights === 'imagenet' || alphas.length === 1 ? alphas.includes(alpha) : isWidth;
  if (!known) {
    const text = `expected alpha to be one of ${alphas.join(', ')} for '${name}', got ${String(alpha)}.`;
    throw new TransferKitError('INVALID_OPTION', text, { alpha, alphas });
  }
  if (Math.min(...inputSize) >= smallestInputSize) return { inputSize, alpha, top: true };
  const text =
    `expected inputSize of at least ${String(smallestInputSize)} pixels for '${name}', got ` +
    `${inputSize.join(' × ')}. A smaller picture would leave no pixel at its end.`;
  throw new TransferKitError('INVALID_OPTION', text, { inputSize, smallestInputSize });
}

/**
 * The network that matches the file, and the layer where it is cut.
 *
 * Weights of a file that the network does not have are an error. So the network has the classifier if the file has it.
 * The last layer of ConvNeXt without its classifier is not the layer before the classifier; there a default cut follows
 * the file, to the last layer that both networks have.
 */
function settleNetwork(
  preset: Preset,
  architecture: ArchitectureOptions,
  wanted: string | undefined,
  file: KerasFile | undefined,
): { graph: LayerGraph; cut: string } {
  const whole = preset.architecture(architecture);
  const featureMaps = preset.architecture({ ...architecture, top: false });
  const cut = wanted ?? layerOf(featureMaps, featureMaps.outputs[0]?.call ?? 0).name;
  const isLost = !whole.layers.has(cut);
  if (!featureMaps.layers.has(cut) || (!isLost && !hasCountOf(featureMaps, file))) return { graph: whole, cut };
  if (!isLost || wanted !== undefined || !hasCountOf(whole, file)) return { graph: featureMaps, cut };
  const shared = [...featureMaps.layers.keys()].findLast((name) => whole.layers.has(name));
  return { graph: whole, cut: shared ?? cut };
}

/** Whether a file has as many weights as a network. */
function hasCountOf(graph: LayerGraph, file: KerasFile | undefined): boolean {
  const expected = expectedLayers(graph).flatMap(({ weights }) => weights ?? []);
  return file?.layers.flatMap(({ weights }) => weights).length === expected.length;
}

function layersUpTo(graph: LayerGraph, cut: string): ReadonlySet<string> | undefined {
  const call = lastCallOf(graph, cut);
  return call < 0 ? undefined : new Set(graphUpTo(graph, call).layers.keys());
}

function artefactOf(graph: LayerGraph, matched: MatchedWeights | undefined): ModelArtefact {
  return { source: graph.name, topology: undefined, metadata: {}, weights: () => matched?.source ?? noWeights };
}

/** The weights file. Undefined if no weights are read. */
async function readWeights(
  preset: Preset,
  architecture: ArchitectureOptions,
  { weights = 'imagenet' }: PresetOptions,
  reading: ReadOptions,
) {
  if (weights === null) return undefined;
  const published = preset.weights(architecture);
  if (weights === 'imagenet') {
    if (published === undefined) throw unpublished(preset, architecture);
    const { address, hash } = published;
    const keras = await loadKerasFile(address, { ...reading, ...(hash && { hash }) }).catch((error: unknown) => {
      throw isTransferKitError(error) && error.code === 'NOT_FOUND' ? notDownloaded(preset, error) : error;
    });
    return { keras, isPublished: true };
  }
  if (!(weights instanceof Uint8Array) && !hasOtherForm(preset, architecture)) {
    return { keras: await loadKerasFile(String(weights), reading), isPublished: false };
  }
  const isBytes = weights instanceof Uint8Array;
  const bytes = isBytes ? weights : await platform.readBytes(String(weights), reading);
  const keras = readKerasFile(bytes, isBytes ? 'the given bytes' : String(weights));
  return { keras, isPublished: hasOtherForm(preset, architecture) && isPublishedFile(preset, architecture, bytes) };
}

/** Whether the published weights belong to a different architecture, which has an additional scaling at its start. */
function hasOtherForm(preset: Preset, architecture: ArchitectureOptions): boolean {
  const [plain, published] = [false, true].map((imagenet) => preset.architecture({ ...architecture, imagenet }));
  return plain?.layers.size !== published?.layers.size;
}

/** Whether a file is one of the published ones, by its hash. */
function isPublishedFile(preset: Preset, architecture: ArchitectureOptions, bytes: Uint8Array): boolean {
  const hashes = [true, false].map((top) => preset.weights({ ...architecture, top })?.hash);
  if (!hashes.some((hash) => hash?.algorithm === 'md5')) return false;
  const digest = md5(bytes);
  return hashes.some((hash) => hash?.digest === digest);
}

/** Adds alternatives to the error of a download that failed. */
function notDownloaded({ name }: Preset, cause: TransferKitError): TransferKitError {
  const text =
    `expected to download the published weights of '${name}': ${reasonOf(cause)} Or ` +
    'use weights: <path or bytes of a Keras file> of your own, mirror: <address of a server that has it>, weights: null ' +
    'for weights that are drawn.';
  return new TransferKitError('NOT_FOUND', text, cause.details, cause);
}

function unpublished(preset: Preset, { alpha }: ArchitectureOptions): TransferKitError {
  const text =
    `expected published weights of '${preset.name}' with alpha ${String(alpha)}, there are none. Pass weights: ` +
    'null to draw them, or a file of your own.';
  return new TransferKitError('INVALID_OPTION', text, { preset: preset.name, alpha });
}
