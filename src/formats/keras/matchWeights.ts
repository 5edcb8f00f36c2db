// Assigns weights of a Keras file to weights of a network: by the names of a known family of files, by the layers' own
// names, or by position with a check of every shape.
import { classNameOf, isJsonObject, type JsonObject } from '../../core/json.ts';
import { sameShape } from '../../core/shapes.ts';
import type { LayerGraph } from '../../core/graphs.ts';
import { weightShapes, type WeightShape } from '../../networks/read/weightShapes.ts';
import type { KerasFile } from './kerasFile.ts';
import { familyOf, kindOf, numberedName } from './kerasNames.ts';
import { locator, type Locate, type Located } from './locateLayers.ts';
import type { StoredLayer, StoredWeight } from './storedLayers.ts';

/** A layer of the network. */
export interface ExpectedLayer {
  readonly name: string;
  readonly className: string;
  /** Names of the outer models and of the layer. */
  readonly path: readonly string[];
  /** Undefined where only the file contains the layer's weights. */
  readonly weights: readonly WeightShape[] | undefined;
  /** Name of the wrapped layer, and the class that has its weights: the innermost one. */
  readonly wrapped?: { readonly className: string; readonly name: string } | undefined;
}

/** An assignment of a file's weights, by the names in the network. */
export type Pairs = ReadonlyMap<string, StoredWeight>;

/** The layers of a network that may hold weights. */
export function expectedLayers(graph: LayerGraph): ExpectedLayer[] {
  return weightShapes(graph).flatMap(({ layer, className, weights }) => {
    const { path = [layer], config = {} } = graph.layers.get(layer) ?? {};
    if (className === 'InputLayer' || weights?.length === 0) return [];
    return [{ name: layer, className, path, weights, wrapped: wrappedIn(config) }];
  });
}

function wrappedIn({ layer, cell }: JsonObject): ExpectedLayer['wrapped'] {
  const inner = layer ?? cell;
  if (!isJsonObject(inner) || !isJsonObject(inner.config)) return undefined;
  const innermost = wrappedIn(inner.config) ?? { className: classNameOf(inner.class_name) };
  return { className: innermost.className, name: classNameOf(inner.config.name) };
}

/**
 * Returns the assignments to try, the most reliable first. For a file of a known family, position is not tried: the old
 * ResNet50 has another order, and shapes do not always reveal it.
 */
export function candidatePairs(file: KerasFile, layers: readonly ExpectedLayer[]): { named: Pairs; ordered?: Pairs } {
  const names = new Set(file.layers.flatMap(({ group, path }) => [group, path, path.slice(path.lastIndexOf('/') + 1)]));
  const family = familyOf(names);
  const plain = pairByName(
    layers,
    locator(file.layers, (name) => name),
  );
  if (family !== undefined) {
    const renamed = pairByName(layers, locator(file.layers, family));
    return { named: renamed.size >= plain.size ? renamed : plain };
  }
  const ordered = file.isOrdered ? pairByPosition(file.layers, layers) : pairByKind(file.layers, layers);
  return ordered === undefined ? { named: plain } : { named: plain, ordered };
}

function pairByName(layers: readonly ExpectedLayer[], locate: Locate): Pairs {
  const pairs = new Map<string, StoredWeight>();
  for (const layer of layers) {
    const located = locate(layer.path);
    if (located === undefined) continue;
    const found = layer.weights === undefined ? asStored(layer, located) : pairInLayer(layer.weights, located.layers);
    for (const [name, weight] of found) pairs.set(name, weight);
  }
  return pairs;
}

/** Pairs by the weights' own names; by order where the names differ or are missing. */
function pairInLayer(weights: readonly WeightShape[], stored: readonly StoredLayer[]): [string, StoredWeight][] {
  const all = stored.flatMap((layer) => layer.weights);
  const byName = weights.flatMap(({ name }): [string, StoredWeight][] => {
    const own = name.slice(name.lastIndexOf('/') + 1);
    // Keras 3 names the depthwise kernel `kernel`.
    const found = all.filter((each) => each.own === own || (own === 'depthwise_kernel' && each.own === 'kernel'));
    return found.length === 1 && found[0] !== undefined ? [[name, found[0]]] : [];
  });
  if (byName.length > 0 || all.length !== weights.length) return byName;
  return weights.flatMap(({ name }, i): [string, StoredWeight][] => (all[i] === undefined ? [] : [[name, all[i]]]));
}

/** Returns the weights of a layer that only the file contains, under the names of tfjs. */
function asStored({ name, className, wrapped }: ExpectedLayer, { path, layers }: Located): [string, StoredWeight][] {
  return layers.flatMap((layer) => {
    const [part = ''] = layer.path.startsWith(`${path}/`) ? layer.path.slice(path.length + 1).split('/') : [];
    const way = part.startsWith('backward') ? 'backward' : 'forward';
    // Cells have no names in tfjs; the two directions of a Bidirectional have.
    const parts = className === 'Bidirectional' && wrapped !== undefined ? [`${way}_${wrapped.name}`] : [];
    if (className === 'MultiHeadAttention') return projection(name, part, layer);
    const kind = kindOf(wrapped?.className ?? className);
    return layer.weights.map((weight, i): [string, StoredWeight] => [
      [name, ...parts, weight.own ?? numberedName(kind, i, layer.weights.length) ?? String(i)].join('/'),
      weight,
    ]);
  });
}

/** Returns the weights of one dense layer in an attention; without names they are `query_dense`, `output_dense`. */
function projection(layer: string, part: string, { weights }: StoredLayer): [string, StoredWeight][] {
  const plain = part.replace(/^_/, '').replace(/_dense$/, '');
  const own = plain === 'output' ? 'attention_output' : plain;
  return weights.map((weight, i) => [
    `${layer}/${own}/${weight.own ?? numberedName('dense', i, weights.length) ?? String(i)}`,
    weight,
  ]);
}

/**
 * Pairs the k-th weight of the file with the k-th of the network, as Keras loads its applications; undefined if one
 * does not fit.
 */
function pairByPosition(stored: readonly StoredLayer[], layers: readonly ExpectedLayer[]): Pairs | undefined {
  const all = stored.flatMap((layer) => layer.weights);
  const expected: WeightShape[] = [];
  for (const { weights } of layers) {
    if (weights === undefined) break;
    expected.push(...weights);
  }
  return pairInOrder(all, expected);
}

/**
 * Pairs the k-th layer of a class in the file with the k-th of that class in the network: the first files of Keras 3
 * have no names.
 */
function pairByKind(stored: readonly StoredLayer[], layers: readonly ExpectedLayer[]): Pairs | undefined {
  const kinds = new Set(layers.map(({ className }) => kindOf(className)));
  const pairs = new Map<string, StoredWeight>();
  for (const kind of kinds) {
    const all = stored.filter((layer) => layer.kind?.replace(/_\d+$/, '') === kind).flatMap((layer) => layer.weights);
    const expected = layers.flatMap((layer) => (kindOf(layer.className) === kind ? (layer.weights ?? []) : []));
    const found = pairInOrder(all, expected);
    if (found === undefined) return undefined;
    for (const [name, weight] of found) pairs.set(name, weight);
  }
  return pairs;
}

function pairInOrder(stored: readonly StoredWeight[], expected: readonly WeightShape[]): Pairs | undefined {
  const pairs = new Map<string, StoredWeight>();
  for (const [i, weight] of stored.slice(0, expected.length).entries()) {
    const { name, shape } = expected[i] ?? { name: '', shape: [] };
    if (!sameShape(shape, weight.shape)) return undefined;
    pairs.set(name, weight);
  }
  return pairs;
}
