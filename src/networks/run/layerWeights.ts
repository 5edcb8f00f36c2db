// The weights of tfjs layers, with the names that they have in a trunk.
import { tidy, Variable, type Tensor } from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import type { LayerGraph } from '../../core/graphs.ts';
import { internalError } from '../../core/errors.ts';
import type { TrunkWeight, WeightKind } from '../../core/types.ts';
import type { BatchNorm } from './batchStatistics.ts';
import type { CallRange } from '../cut/stages.ts';

type Layer = layers.Layer;

/** The layers that a graph runs, and a function that frees them. */
export interface LayerSource {
  readonly layers: ReadonlyMap<string, Layer>;
  dispose(): void;
}

/** All weights of the layers that a graph runs, as weights of a trunk. */
export function listWeights(graph: LayerGraph, source: LayerSource, ranges: readonly CallRange[]): TrunkWeight[] {
  return [...graph.layers.values()].flatMap((spec) => {
    if (spec.className === 'InputLayer') return [];
    const call = graph.calls.findIndex((each) => each.layer === spec.name);
    const stage = ranges.findIndex((range) => call >= range.first && call <= range.last);
    return layerAt(source, spec.name).weights.map((weight): TrunkWeight => {
      const variable = variableOf(weight);
      const own = ownName(weight.originalName, layerAt(source, spec.name).name);
      return {
        name: `${spec.name}/${own}`,
        layer: spec.name,
        stage,
        shape: variable.shape,
        kind: spec.className === 'Normalization' ? 'statistics' : kindOf(own),
        variable,
        frozen: true,
        write: (value) => {
          tidy(() => {
            weight.write(value);
          });
        },
      };
    });
  });
}

/** The BatchNormalization layers of a graph, with their statistics among the weights of a trunk. */
export function layerNorms(graph: LayerGraph, weights: readonly TrunkWeight[]): BatchNorm[] {
  const named = new Map(weights.map((weight) => [weight.name, weight]));
  return [...graph.layers.values()].flatMap(({ name, className, config }) => {
    if (className !== 'BatchNormalization') return [];
    const [mean, variance] = [named.get(`${name}/moving_mean`), named.get(`${name}/moving_variance`)];
    return mean === undefined || variance === undefined ? [] : [{ name, mean, variance, config }];
  });
}

/**
 * A weight's name in its layer. tfjs adds the name that the layer was built with as prefix, which may contain slashes
 * (`conv1/conv` in DenseNets).
 */
function ownName(scoped: string, layer: string): string {
  return scoped.slice(scoped.startsWith(`${layer}/`) ? layer.length + 1 : scoped.indexOf('/') + 1);
}

/** The variable of a layer's weight, which tfjs types as a tensor. */
function variableOf(weight: Layer['weights'][number]): Variable {
  const value = weight.read();
  if (isVariable(value)) return value;
  throw internalError(`${weight.originalName} is no variable`);
}

function isVariable(tensor: Tensor): tensor is Variable {
  return tensor instanceof Variable;
}

/** The kind of a weight, by its name in Keras. */
export function kindOf(name: string): WeightKind {
  const last = name.slice(name.lastIndexOf('/') + 1);
  if (last === 'moving_mean' || last === 'moving_variance') return 'statistics';
  if (last === 'bias' || last === 'gamma' || last === 'beta') return last;
  return last.endsWith('kernel') || last === 'embeddings' ? 'kernel' : 'other';
}

/** The value of a layer's weight by its own name. Undefined if the layer does not have it. */
export function weightIn(layer: Layer, name: string): Tensor | undefined {
  return layer.weights.find((each) => each.originalName.endsWith(`/${name}`))?.read();
}

/** A layer that the source must have. */
export function layerAt(source: LayerSource, name: string): Layer {
  const layer = source.layers.get(name);
  if (layer === undefined) throw internalError(`no layer ${name}`);
  return layer;
}
