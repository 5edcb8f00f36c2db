// Builds tfjs layers of a LayerGraph with given weights, and finds the layers of a graph in a model in memory.
import { cast, engine, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { models, type layers, type LayersModel } from '@tensorflow/tfjs-layers';
import type { LayerGraph } from '../../core/graphs.ts';
import { internalError, isTransferKitError, TransferKitError } from '../../core/errors.ts';
import { nearestNames } from '../../core/names.ts';
import { describeShape, sizeOf } from '../../core/shapes.ts';
import { takeTurns } from '../../core/takeTurns.ts';
import type { LayersTrunk, TrunkWeight } from '../../core/types.ts';
import type { WeightSource } from '../../core/weightSource.ts';
import { assertCallSupported, assertSupported } from '../run/applyLayer.ts';
import { assertFitting } from './fitInput.ts';
import { initialValues } from './initialise.ts';
import { assertKnown } from './knownLayer.ts';
import { assertWindow } from '../graphs/limits.ts';
import { layerOf } from '../graphs/layerGraph.ts';
import type { LayerSource } from '../run/layerWeights.ts';
import { withLostSettings } from './lostSettings.ts';
import { withReshapedChannels } from './reshapedChannels.ts';
import { layersTrunk } from '../trunks/layersTrunk.ts';
import { writeTopology } from '../write/writeTopology.ts';
import { withMostWeights, withoutChance } from './unsetWeights.ts';
import { underOwnNames } from './weightNames.ts';

/** Options for building a trunk. */
export interface BuildOptions {
  /** Height and width that the user chose. Errors then say that they may be the reason. */
  readonly inputSize?: readonly [number, number] | undefined;
  /**
   * Fills weights that the source does not hold, with their layers' own initialisers. Default: missing weights are an
   * error.
   */
  readonly seed?: number | undefined;
  /** Limit on the number of values in weights that are drawn. Default {@link usualParameters}. */
  readonly maxParameters?: number | undefined;
  /** Stops between two weights with the error `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** Default limit on weight values that are drawn. The largest preset, ConvNeXtXLarge, has 350 million. */
const usualParameters = 400e6;

/** A layer that a file has no weights for is named by what comes later: so much may be missing. */
const spareParameters = 2 ** 24;

/**
 * Builds a trunk with the given weights. Weights that the graph does not use are ignored (those of a removed
 * classifier).
 *
 * @param weights - Read one at a time. Their data is shared until training changes it.
 * @throws TransferKitError `UNSUPPORTED_LAYER` for a class that is not registered, `WEIGHTS_MISMATCH` if a weight is
 * missing or has another shape, `NOT_A_MODEL` if tfjs cannot build the layers, `INVALID_OPTION` for an inputSize that
 * the layers do not accept.
 */
export async function buildTrunk(
  graph: LayerGraph,
  weights: WeightSource,
  { inputSize, seed, maxParameters = usualParameters, signal }: BuildOptions = {},
): Promise<LayersTrunk> {
  const layers = [...graph.layers].map(([name, layer]) => [name, { ...layer, path: [name] }] as const);
  const flat = withReshapedChannels(withLostSettings({ ...graph, layers: new Map(layers) }, weights));
  await assertBuildable(flat);
  const held = weights.names.reduce((sum, name) => sum + sizeOf(weights.shapeOf(name) ?? []), spareParameters);
  const model = await buildModel(flat, seed === undefined ? held : Math.max(held, maxParameters));
  try {
    const source = sourceFrom(flat, model);
    if (inputSize !== undefined) assertFitting(flat, source, inputSize);
    const trunk = layersTrunk(flat, source);
    const named = underOwnNames(weights, trunk.weights, graph.layers);
    await assign(trunk, seed === undefined ? named : completed(named, trunk, seed), inputSize !== undefined, signal);
    return trunk;
  } catch (error) {
    model.dispose();
    throw isTransferKitError(error) ? error : unbuilt(flat, error);
  }
}

function unbuilt(graph: LayerGraph, error: unknown): TransferKitError {
  const reason = error instanceof Error ? error.message : String(error);
  const text = `expected layers that tfjs can build, got '${graph.name}': ${reason}`;
  return new TransferKitError('NOT_A_MODEL', text, { reason }, error);
}

/**
 * Raises unless every layer of a graph can be built and is computed here as its configuration says. Runs before any
 * weight is read.
 *
 * @throws TransferKitError `UNSUPPORTED_LAYER` with the first layer that is not supported.
 */
export async function assertBuildable(graph: LayerGraph): Promise<void> {
  // Imported here, because classes that extend those of tfjs would otherwise stay in every bundle with a verb.
  const { registerLayers } = await import('../layers/registerLayers.ts');
  registerLayers();
  for (const layer of graph.layers.values()) {
    assertKnown(layer);
    assertSupported(layer);
    assertWindow(layer);
  }
  graph.calls.forEach((call, index) => {
    assertCallSupported(layerOf(graph, index), call);
  });
}

/** The layers of a model in memory that a graph of that model uses. Disposing of them disposes of the model. */
export function sourceFrom(graph: LayerGraph, model: LayersModel): LayerSource {
  const found = new Map<string, layers.Layer>();
  for (const { name, path, className } of graph.layers.values()) {
    if (className !== 'InputLayer') found.set(name, layerAtPath(model, path));
  }
  return {
    layers: found,
    dispose: () => {
      const weights = new Map(
        [...found.values()].map((layer) => [layer, layer.weights.map((weight) => weight.read())]),
      );
      model.dispose();
      // tfjs counts the calls of a layer, and disposing of a model reduces the count by one only.
      for (const layer of furtherCalls(graph).flatMap((name) => found.get(name) ?? [])) {
        if (weights.get(layer)?.some(({ isDisposed }) => !isDisposed) === true) layer.dispose();
      }
    },
  };
}

/** The layer of every call except the first one of each layer. */
function furtherCalls({ calls }: LayerGraph): string[] {
  return calls
    .filter(({ layer }, index) => calls.findIndex((call) => call.layer === layer) < index)
    .map(({ layer }) => layer);
}

/** A copy of the topology for tfjs, which changes it. A damaged configuration may hold values that cannot be copied. */
function copied(graph: LayerGraph) {
  try {
    return structuredClone(writeTopology(graph));
  } catch (cause) {
    throw unbuilt(graph, cause);
  }
}

async function buildModel(graph: LayerGraph, mostWeights: number): Promise<LayersModel> {
  const plain: LayerGraph = {
    ...graph,
    layers: new Map(
      [...graph.layers].map(([name, layer]) => {
        const isInput = layer.className === 'InputLayer';
        return [name, isInput ? layer : { ...layer, config: withoutChance(layer.className, layer.config) }];
      }),
    ),
  };
  const before = new Set(Object.values(engine().registeredVariables));
  const modelTopology = copied(plain);
  // tfjs changes its argument. It builds synchronously and only returns asynchronously, so the new variables belong to
  // this model and to no other. The scope frees tensors that layers create while they are built, such as the two parts
  // of an LSTM's bias.
  const building: Promise<LayersModel>[] = [];
  tidy(() => {
    building.push(withMostWeights(mostWeights, async () => models.modelFromJSON({ modelTopology })));
  });
  const made = Object.values(engine().registeredVariables).filter((variable) => !before.has(variable));
  try {
    const [model] = await Promise.all(building);
    if (model === undefined) throw internalError('tfjs built nothing');
    return model;
  } catch (error) {
    for (const variable of made) variable.dispose();
    throw isTransferKitError(error) ? error : unbuilt(graph, error);
  }
}

function layerAtPath(model: LayersModel, path: readonly string[]): layers.Layer {
  return path.reduce<layers.Layer>((container, name) => {
    if (!isContainer(container)) throw internalError(`no model around ${name}`);
    return container.getLayer(name);
  }, model);
}

function isContainer(layer: layers.Layer): layer is LayersModel {
  return 'getLayer' in layer;
}

/** The source, completed with initial values of missing weights. */
function completed(
  weights: WeightSource,
  { layers: { graph }, weights: all }: LayersTrunk,
  seed: number,
): WeightSource {
  const held = new Set(weights.names);
  const missing = new Map(all.filter(({ name }) => !held.has(name)).map((weight) => [weight.name, weight]));
  return {
    names: [...weights.names, ...missing.keys()],
    shapeOf: (name) => missing.get(name)?.shape ?? weights.shapeOf(name),
    read: (name) => {
      const weight = missing.get(name);
      const layer = weight && graph.layers.get(weight.layer);
      if (weight === undefined || layer === undefined) return weights.read(name);
      return tensor(initialValues(layer, name, weight.shape, seed), [...weight.shape], 'float32');
    },
  };
}

async function assign(
  trunk: LayersTrunk,
  weights: WeightSource,
  isResized: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const held = new Set(weights.names);
  const missing = trunk.weights.filter(({ name }) => !held.has(name)).map(({ name }) => name);
  if (missing.length > 0) {
    const nearest = nearestNames(missing[0] ?? '', weights.names, 3);
    throw new TransferKitError(
      'WEIGHTS_MISMATCH',
      `expected weights for every layer, found none for ${missing.slice(0, 10).join(', ')} (${String(missing.length)} of ` +
        `${String(trunk.weights.length)} missing). Nearest to the first: ${nearest.join(', ') || 'none'}.`,
      { missing },
    );
  }
  for (const { name, shape } of trunk.weights) assertShape(name, shape, weights.shapeOf(name) ?? [], isResized);
  const turn = takeTurns();
  for (const weight of trunk.weights) {
    await turn();
    assertWanted(signal);
    tidy(() => {
      assignOne(weight, weights.read(weight.name));
    });
  }
}

function assertWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new TransferKitError('ABORTED', 'was stopped by its signal.', {}, signal.reason);
}

function assignOne({ variable }: TrunkWeight, value: Tensor): void {
  variable.assign(value.dtype === variable.dtype ? value : cast(value, variable.dtype));
}

function assertShape(name: string, expected: readonly number[], received: readonly number[], isResized: boolean): void {
  if (describeShape(expected) === describeShape(received)) return;
  const advice = isResized
    ? 'With another inputSize only fully convolutional bases work: cut before the first Flatten or Dense layer.'
    : 'The weights belong to another model: export or fetch topology and weights together.';
  throw new TransferKitError(
    'WEIGHTS_MISMATCH',
    `expected weight '${name}' of shape ${describeShape(expected)}, got ${describeShape(received)}. ${advice}`,
    { name, expected, received },
  );
}
