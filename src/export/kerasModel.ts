// A model of layers as Keras 3 has it: configuration, weights of every layer in Keras's order, and our own fields.
import { TransferKitError } from '../core/errors.ts';
import type { LayerGraph } from '../core/graphs.ts';
import type { JsonObject } from '../core/json.ts';
import type { LayersTrunk, Shape, TrunkWeight } from '../core/types.ts';
import { describeModel } from '../formats/tfjs/describeModel.ts';
import type { SavedModel } from '../formats/tfjs/savedModel.ts';
import { byHead } from '../model/headParts.ts';
import type { AnyModel } from '../model/model.ts';
import { orderAsKeras } from '../networks/graphs/kerasOrder.ts';
import { joinGraphs, layerOf } from '../networks/graphs/layerGraph.ts';
import { weightShapes } from '../networks/read/weightShapes.ts';
import { hasLayers } from '../networks/write/baseNodes.ts';
import { logitsOf, withAnswers } from '../networks/write/headGraph.ts';
import { kerasName, writeKerasTopology } from '../networks/write/writeKerasTopology.ts';

/** A layer and its weights. */
interface KerasLayerWeights {
  readonly name: string;
  readonly className: string;
  /** In the order in which Keras numbers them. */
  readonly weights: readonly TrunkWeight[];
}

/** A model for a `.keras` file. */
export interface KerasModel {
  readonly config: JsonObject;
  /** All layers in the order of `model.layers`. */
  readonly layers: readonly KerasLayerWeights[];
  readonly saved: SavedModel;
}

/**
 * Describes base, head and the activations that turn logits into probabilities as one functional model.
 *
 * @throws TransferKitError `UNSUPPORTED_SOURCE` for a base without layers, `UNSUPPORTED_LAYER` for layers that Keras
 * does not have.
 */
export function kerasModel(model: AnyModel): KerasModel {
  const { base, head } = model;
  const { trunk } = base;
  if (!hasLayers(trunk)) throw withoutLayers(base.name);
  const joined = joinGraphs(trunk.layers.graph, head.trunk.layers.graph);
  const graph = withAnswers(joined, head.parts);
  const rename = kerasNames(graph);
  const weights = [...trunk.weights, ...head.trunk.weights];
  const renamed = renameLayers(graph, rename);
  const { config, classes } = writeKerasTopology(renamed, {
    shapeOf: shapesOf(graph, trunk, head.trunk),
    trains: trainingLayers(weights, rename),
  });
  const places = logitsOf(joined, head.parts.length).map(({ call }) => rename(layerOf(joined, call).name));
  const saved = describeModel(model, {
    cut: rename(base.cut),
    head: { logits: byHead(head.parts, (part) => places[head.parts.indexOf(part)] ?? '') },
    weightName: ({ name, layer }) => `${rename(layer)}${name.slice(layer.length)}`,
  });
  return { config, layers: layersInOrder(graph, weights, classes, rename), saved };
}

/** Names that Keras takes, different from each other. */
function kerasNames({ layers }: LayerGraph): (name: string) => string {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  // Names that stay are given first.
  const wanted = [...layers.keys()].sort((a, b) => Number(kerasName(b) === b) - Number(kerasName(a) === a));
  for (const name of wanted) {
    const plain = kerasName(name);
    let free = plain;
    for (let count = 1; taken.has(free); count++) free = `${plain}_${String(count)}`;
    taken.add(free);
    names.set(name, free);
  }
  return (name) => names.get(name) ?? name;
}

function renameLayers(graph: LayerGraph, rename: (name: string) => string): LayerGraph {
  const layers = [...graph.layers.values()].map((layer) => ({ ...layer, name: rename(layer.name) }));
  return {
    ...graph,
    layers: new Map(layers.map((layer) => [layer.name, layer])),
    calls: graph.calls.map((call) => ({ ...call, layer: rename(call.layer) })),
  };
}

/** The shape of every call: those of base and head; an answer has that of its logits. */
function shapesOf({ calls }: LayerGraph, base: LayersTrunk, head: LayersTrunk): (call: number) => Shape {
  const known = [...base.layers.shapes, ...head.layers.shapes.slice(1)];
  const built = new Set([...base.layers.graph.layers.keys(), ...head.layers.graph.layers.keys()]);
  return (call) => {
    const { layer = '', inputs = [] } = calls[call] ?? {};
    return known[built.has(layer) ? call : (inputs[0]?.call ?? call)] ?? [];
  };
}

/**
 * Whether a layer trains in Keras, which has one switch for all weights of a layer. A BatchNormalization trains only if
 * its statistics do: with the switch on Keras normalises by the batch.
 */
function trainingLayers(weights: readonly TrunkWeight[], rename: (name: string) => string) {
  const training = new Set<string>();
  for (const { layer, frozen } of weights) if (!frozen) training.add(rename(layer));
  for (const { layer, frozen, kind } of weights) if (frozen && kind === 'statistics') training.delete(rename(layer));
  const holding = new Set(weights.map(({ layer }) => rename(layer)));
  return (layer: string) => training.has(layer) || !holding.has(layer);
}

function layersInOrder(
  graph: LayerGraph,
  weights: readonly TrunkWeight[],
  classes: ReadonlyMap<string, string>,
  rename: (name: string) => string,
): KerasLayerWeights[] {
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  return weightShapes(orderAsKeras(graph)).map(({ layer, weights: listed }) => {
    const own = listed?.flatMap(({ name }) => byName.get(name) ?? []);
    const name = rename(layer);
    const all = weights.filter((weight) => weight.layer === layer);
    return { name, className: classes.get(name) ?? '', weights: own?.length === all.length ? own : all };
  });
}

function withoutLayers(name: string): TransferKitError {
  const text =
    `expected a base of layers for the format 'keras', got '${name}', which has none: it is a GraphModel, as those of TF ` +
    "Hub are, or has a trunk of its own. Export to 'graphModel' or 'onnx'.";
  return new TransferKitError('UNSUPPORTED_SOURCE', text, { name, format: 'keras' });
}
