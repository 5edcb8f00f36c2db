// Builds the layers of a new head: pooling, hidden layers with dropout, logits of one task or of several. The head is a
// trunk.
import { initializers, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { internalError, TransferKitError } from '../core/errors.ts';
import { deriveSeed } from '../core/random.ts';
import { describeShape } from '../core/shapes.ts';
import type { LayersTrunk, Shape } from '../core/types.ts';
import { sourceFrom } from '../networks/read/buildLayers.ts';
import { layersTrunk } from '../networks/trunks/layersTrunk.ts';
import { avoidNames } from '../networks/graphs/layerGraph.ts';
import { parseTopology } from '../networks/read/topology.ts';

/**
 * How feature maps [b, h, w, c] or sequences [b, t, c] become vectors: the `'average'` or the `'max'` over all
 * positions ([b, c]), `'both'` concatenated ([b, 2 c]), or `'flatten'` ([b, h w c] or [b, t c]).
 */
export type Pooling = 'average' | 'max' | 'both' | 'flatten';

/** All kinds of pooling. */
export const poolings: readonly Pooling[] = ['average', 'max', 'both', 'flatten'];

/** Layers of a head. */
export interface HeadPlan {
  /** Units of the hidden layers, in order from the features on. Each layer has a ReLU. */
  readonly hidden: readonly number[];
  /** Rate of the dropout before each dense layer, in training. From 0 to below 1. */
  readonly dropout: number;
  /** Only for features with axes to pool over. */
  readonly pooling: Pooling | undefined;
  /** Heads on top of the hidden layers, side by side. */
  readonly ends: readonly HeadEnd[];
  readonly seed: number;
}

/** The last layers of one head. */
export interface HeadEnd {
  /** Name of a head of several; '' for a single head. */
  readonly name: string;
  /** Units of its own hidden layers. */
  readonly hidden: readonly number[];
  /** Number of logits. */
  readonly units: number;
}

/**
 * Builds a head on features of the given shape. Its kernels are drawn by the seed (Glorot uniform, as in Keras's
 * Dense). The logits of several ends are concatenated in order.
 *
 * @param features - Output shape of the base, with the batch axis.
 * @param taken - Layer names in use.
 */
export function buildHead(features: Shape, plan: HeadPlan, taken: ReadonlySet<string>): LayersTrunk {
  const { hidden, dropout, ends } = plan;
  const input = layers.input({ shape: features.slice(1), name: 'head_input' });
  const pooled = addDropout(poolFeatures(input, features, plan.pooling), dropout, 'head_dropout_1');
  const seedOf = (layer: number) => deriveSeed(plan.seed, layer);
  const shared = addHidden(pooled, hidden, { prefix: 'head', dropout, dropouts: 1, seedOf });
  const logits = ends.map((end, place) => addEnd(shared, plan, end, place));
  const [only = shared] = logits;
  const output = ends.length === 1 ? only : apply(layers.concatenate({ name: 'head_logits', axis: -1 }), logits);
  const built = model({ inputs: input, outputs: output, name: 'head' });
  const graph = avoidNames(parseTopology(built.toJSON(undefined, false)), taken);
  return layersTrunk(graph, sourceFrom(graph, built));
}

/** Settings that a row of hidden layers shares. */
interface Row {
  /** Prefix of the names of its layers. */
  readonly prefix: string;
  readonly dropout: number;
  /** Number of dropout layers with that prefix before it. */
  readonly dropouts: number;
  readonly seedOf: (layer: number) => number;
}

/** Dense layers with a ReLU, each followed by dropout. */
function addHidden(input: SymbolicTensor, hidden: readonly number[], row: Row): SymbolicTensor {
  const { prefix, dropout, dropouts, seedOf } = row;
  return hidden.reduce((current, units, index) => {
    const next = dense(current, `${prefix}_dense_${String(index + 1)}`, units, 'relu', seedOf(index));
    return addDropout(next, dropout, `${prefix}_dropout_${String(dropouts + index + 1)}`);
  }, input);
}

/** The layers of one head. The first head is drawn with the same seeds as a single one. */
function addEnd(shared: SymbolicTensor, plan: HeadPlan, { name, hidden, units }: HeadEnd, place: number) {
  const prefix = name === '' ? 'head' : `head_${name}`;
  const before = plan.hidden.length;
  const seedOf = (layer: number) => deriveSeed(plan.seed, before + layer, ...(place === 0 ? [] : [place]));
  const own = addHidden(shared, hidden, { prefix, dropout: plan.dropout, dropouts: 0, seedOf });
  return dense(own, `${prefix}_logits`, units, 'linear', seedOf(hidden.length));
}

/** Applies the pooling that turns features into one vector per example. */
function poolFeatures(input: SymbolicTensor, features: Shape, pooling: Pooling | undefined): SymbolicTensor {
  const rank = features.length;
  if (rank === 2) {
    if (pooling === undefined) return input;
    const text = `expected no pooling for features of shape ${describeShape(features)}, got '${pooling}'.`;
    throw new TransferKitError('INVALID_OPTION', text, { pooling, features });
  }
  if (pooling === 'flatten' && features.slice(1).includes(null)) {
    const text = `expected features of a fixed size to flatten, got ${describeShape(features)}. Give loadBase an inputSize.`;
    throw new TransferKitError('INVALID_OPTION', text, { pooling, features });
  }
  if (pooling === 'flatten') return apply(layers.flatten({ name: 'head_flatten' }), input);
  if (rank !== 3 && rank !== 4) {
    throw new TransferKitError(
      'INVALID_OPTION',
      `expected features [b, c], [b, t, c] or [b, h, w, c] to pool, got ${describeShape(features)}. ` +
        "Use pooling: 'flatten' or another cut.",
      { features },
    );
  }
  if (pooling !== 'both') return apply(poolingLayer(pooling ?? 'average', rank), input);
  const both = [apply(poolingLayer('average', rank), input), apply(poolingLayer('max', rank), input)];
  return apply(layers.concatenate({ name: 'head_pooling' }), both);
}

function poolingLayer(kind: 'average' | 'max', rank: 3 | 4): layers.Layer {
  const name = `head_pooling_${kind}`;
  if (rank === 3) return kind === 'max' ? layers.globalMaxPooling1d({ name }) : layers.globalAveragePooling1d({ name });
  const dataFormat = 'channelsLast';
  return kind === 'max'
    ? layers.globalMaxPooling2d({ name, dataFormat })
    : layers.globalAveragePooling2d({ name, dataFormat });
}

function addDropout(input: SymbolicTensor, rate: number, name: string): SymbolicTensor {
  return rate === 0 ? input : apply(layers.dropout({ rate, name }), input);
}

function dense(input: SymbolicTensor, name: string, units: number, activation: 'relu' | 'linear', seed: number) {
  return apply(
    layers.dense({ name, units, activation, kernelInitializer: initializers.glorotUniform({ seed }) }),
    input,
  );
}

function apply(layer: layers.Layer, input: SymbolicTensor | SymbolicTensor[]): SymbolicTensor {
  const output = layer.apply(input);
  if (Array.isArray(output) || !('sourceLayer' in output)) throw internalError(`${layer.name} gave no symbolic tensor`);
  return output;
}
