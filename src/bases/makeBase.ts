// Makes a base from a model's artefact: cuts the graph, builds the layers, chooses the preprocessing.
import type { LayerGraph } from '../core/graphs.ts';
import { isTransferKitError, TransferKitError } from '../core/errors.ts';
import { nearestNames } from '../core/names.ts';
import { describeShape } from '../core/shapes.ts';
import type { Base, Preprocessor } from '../model/model.ts';
import type { LayersTrunk, TensorSpec } from '../core/types.ts';
import { assertBuildable, buildTrunk, type BuildOptions } from '../networks/read/buildLayers.ts';
import { findCut } from '../networks/cut/findCut.ts';
import { otherSize } from '../networks/read/fitInput.ts';
import { graphUpTo, inputShapeOf, lastCallOf, layerOf, withInputShape } from '../networks/graphs/layerGraph.ts';
import type { ModelArtefact } from '../formats/tfjs/modelArtefact.ts';
import { createBase } from './createBase.ts';

/** Options for making a base from an artefact. */
export interface BasePlan {
  readonly name: string;
  /** Layer that gives the features. Default: the one before the classifier. */
  readonly cut?: string | undefined;
  /** Height and width that replace the saved ones. */
  readonly inputSize?: readonly [number, number] | undefined;
  /**
   * Fills weights that the artefact does not hold, with the layers' own initialisers. Default: missing weights are an
   * error.
   */
  readonly seed?: number | undefined;
  /** Limit on the number of values in weights that are filled. */
  readonly maxParameters?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Makes the preprocessing for the input shape of the trunk. */
  readonly preprocess: (input: TensorSpec) => Preprocessor;
}

/**
 * Builds the part of a network up to the cut.
 *
 * @throws TransferKitError `UNKNOWN_LAYER` with the nearest names, `INVALID_OPTION` for an inputSize that the network
 * cannot take, and the errors of building.
 */
export async function makeBase(graph: LayerGraph, artefact: ModelArtefact, plan: BasePlan): Promise<Base> {
  const cut = plan.cut === undefined ? findCut(graph) : findLayer(graph, plan.cut);
  const trimmed = graphUpTo(graph, cut);
  const { inputSize, ...options } = pickBuildOptions(plan);
  const trunk = await (inputSize === undefined
    ? buildFrom(artefact, trimmed, options)
    : buildResized(artefact, trimmed, { inputSize, ...options }));
  const preprocessor = settle(() => plan.preprocess(trunk.input), trunk);
  return createBase({
    name: plan.name,
    trunk,
    preprocessor,
    cut: layerOf(graph, cut).name,
    notes: graph.notes ?? [],
  });
}

function pickBuildOptions({ inputSize, seed, maxParameters, signal }: BasePlan): BuildOptions {
  return { inputSize, seed, maxParameters, signal };
}

/** Builds the layers of a graph with their weights in an artefact. */
export async function buildFrom(
  artefact: ModelArtefact,
  graph: LayerGraph,
  options: BuildOptions = {},
): Promise<LayersTrunk> {
  await assertBuildable(graph);
  const weights = artefact.weights((name) => belongsTo(graph.layers, name), [...graph.layers.values()]);
  return buildTrunk(graph, weights, options);
}

/**
 * {@link buildFrom} for another input size. If tfjs cannot build that, the error says whether the size is the reason.
 */
async function buildResized(
  artefact: ModelArtefact,
  graph: LayerGraph,
  { inputSize, ...options }: BuildOptions & { readonly inputSize: readonly [number, number] },
): Promise<LayersTrunk> {
  const other = resized(graph, inputSize);
  try {
    return await buildFrom(artefact, other, { inputSize, ...options });
  } catch (error) {
    if (!isTransferKitError(error) || error.code !== 'NOT_A_MODEL') throw error;
    const asSaved = await buildFrom(artefact, graph, options);
    asSaved.dispose();
    throw otherSize(`'${graph.name}'`, inputSize, String(error.details.reason));
  }
}

/**
 * Whether a weight belongs to one of the layers: `conv/kernel`, `bidirectional/forward_lstm/kernel`, or
 * `model/conv/kernel` with the names of the surrounding models as prefix.
 */
function belongsTo(layers: ReadonlyMap<string, unknown>, weight: string): boolean {
  for (let end = weight.lastIndexOf('/'); end > 0; end = weight.lastIndexOf('/', end - 1)) {
    for (let start = 0; start >= 0 && start < end; start = weight.indexOf('/', start) + 1 || -1) {
      if (layers.has(weight.slice(start, end))) return true;
    }
  }
  return false;
}

function settle(make: () => Preprocessor, trunk: { dispose(): void }): Preprocessor {
  try {
    return make();
  } catch (error) {
    trunk.dispose();
    throw error;
  }
}

function findLayer(graph: LayerGraph, name: string): number {
  const call = lastCallOf(graph, name);
  if (call >= 0) return call;
  const nearest = nearestNames(name, [...graph.layers.keys()]);
  throw new TransferKitError(
    'UNKNOWN_LAYER',
    `expected cut to name a layer of '${graph.name}', got '${name}'. Nearest: ${nearest.join(', ')}.`,
    { cut: name, nearest },
  );
}

function resized(graph: LayerGraph, size: readonly [number, number]): LayerGraph {
  const shape = inputShapeOf(graph);
  if (shape.length === 3) return withInputShape(graph, [size[0], size[1], shape[2] ?? null]);
  throw new TransferKitError(
    'INVALID_OPTION',
    `expected a base with pictures [height, width, channels] as input for inputSize, got ${describeShape(shape)}.`,
    { inputSize: size, shape },
  );
}
