// Builds the layers of a new head: pooling, hidden layers with dropout, logits. The head is a trunk of its own.
import { initializers, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { TransferKitError } from '../core/errors.ts';
import { deriveSeed } from '../core/random.ts';
import { describeShape } from '../core/shapes.ts';
import type { Shape } from '../core/types.ts';
import { sourceFrom } from '../trunk/buildLayers.ts';
import { layersTrunk, type LayersTrunk } from '../trunk/layersTrunk.ts';
import { avoidNames } from '../trunk/layerGraph.ts';
import { parseTopology } from '../trunk/topology.ts';

/**
 * How feature maps [b, h, w, c] or sequences [b, t, c] become vectors: `'average'` or `'max'` over all places ([b, c]),
 * `'both'` joined ([b, 2 c]), or `'flatten'` (every place keeps its own values).
 */
export type Pooling = 'average' | 'max' | 'both' | 'flatten';

/** All of them. */
export const poolings: readonly Pooling[] = ['average', 'max', 'both', 'flatten'];

/** Shape of a head in numbers. */
export interface HeadPlan {
  /** Numbers of units of the hidden layers, from the features on; each has a ReLU. */
  readonly hidden: readonly number[];
  /** Share of values that fall out before each dense layer, in training. */
  readonly dropout: number;
  /** Only for features with axes to pool over. */
  readonly pooling: Pooling | undefined;
  /** Number of logits. */
  readonly units: number;
  readonly seed: number;
}

/**
 * Builds a head on features of the given shape, its kernels drawn by the seed (Glorot uniform, as Keras's Dense).
 *
 * @param features - Output shape of the base, with the batch axis.
 * @param taken - Layer names of the base.
 */
export function buildHead(features: Shape, plan: HeadPlan, taken: ReadonlySet<string>): LayersTrunk {
  const input = layers.input({ shape: features.slice(1), name: 'head_input' });
  let current = poolFeatures(input, features, plan.pooling);
  plan.hidden.forEach((units, index) => {
    current = addDropout(current, plan.dropout, index);
    current = dense(current, `head_dense_${String(index + 1)}`, units, 'relu', deriveSeed(plan.seed, index));
  });
  current = addDropout(current, plan.dropout, plan.hidden.length);
  const logits = dense(current, 'head_logits', plan.units, 'linear', deriveSeed(plan.seed, plan.hidden.length));
  const built = model({ inputs: input, outputs: logits, name: 'head' });
  const graph = avoidNames(parseTopology(built.toJSON(undefined, false)), taken);
  return layersTrunk(graph, sourceFrom(graph, built));
}

/** Applies the pooling that turns features into one vector for each example. */
function poolFeatures(input: SymbolicTensor, features: Shape, pooling: Pooling | undefined): SymbolicTensor {
  const rank = features.length;
  if (rank === 2) {
    if (pooling === undefined) return input;
    const text = `replaceHead: expected no pooling for features of shape ${describeShape(features)}, got '${pooling}'.`;
    throw new TransferKitError('INVALID_OPTION', text, { pooling, features });
  }
  if (pooling === 'flatten' && features.slice(1).includes(null)) {
    const text = `replaceHead: expected features of a fixed size to flatten, got ${describeShape(features)}. Give loadBase an inputSize.`;
    throw new TransferKitError('INVALID_OPTION', text, { pooling, features });
  }
  if (pooling === 'flatten') return apply(layers.flatten({ name: 'head_flatten' }), input);
  if (rank !== 3 && rank !== 4) {
    throw new TransferKitError(
      'INVALID_OPTION',
      `replaceHead: expected features [b, c], [b, t, c] or [b, h, w, c] to pool, got ${describeShape(features)}. ` +
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

function addDropout(input: SymbolicTensor, rate: number, index: number): SymbolicTensor {
  return rate === 0 ? input : apply(layers.dropout({ rate, name: `head_dropout_${String(index + 1)}` }), input);
}

function dense(input: SymbolicTensor, name: string, units: number, activation: 'relu' | 'linear', seed: number) {
  return apply(
    layers.dense({ name, units, activation, kernelInitializer: initializers.glorotUniform({ seed }) }),
    input,
  );
}

function apply(layer: layers.Layer, input: SymbolicTensor | SymbolicTensor[]): SymbolicTensor {
  const output = layer.apply(input);
  if (Array.isArray(output) || !('sourceLayer' in output)) throw new TypeError(`${layer.name} gave no symbolic tensor`);
  return output;
}
