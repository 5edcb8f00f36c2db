// Runs one tfjs layer on real tensors, in the mode that transfer learning needs. BatchNorm uses its stored statistics
// unless it trains. Dropout and noise are active only with a seed. All other layers run by their own code.
import {
  add,
  avgPool,
  clone,
  dropout,
  mul,
  randomNormal,
  reshape,
  tidy,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import type { LayerCall, LayerSpec } from '../../core/graphs.ts';
import { internalError, isTransferKitError, TransferKitError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { describeShape } from '../../core/shapes.ts';
import { normalize, type BatchNormParameters } from './batchNorm.ts';
import { momentsOf, type BatchStatistics } from './batchStatistics.ts';
import { isChannelsFirst } from './fusedGroups.ts';
import { applyDilated, isDilated } from './dilatedLayer.ts';
import { numbers } from '../graphs/inferShapes.ts';
import { layerNorm, type LayerNormParameters } from './layerNorm.ts';
import { weightIn } from './layerWeights.ts';
import { isBeyondOne, isStridedAndDilated } from '../graphs/windowSettings.ts';

type Layer = layers.Layer;

/** Settings of a run. */
export interface RunMode {
  /** Dropout and noise are active if there is a seed. */
  readonly dropoutSeed: number | undefined;
  /** The BatchNorm layers that train; undefined if there are none. */
  readonly statistics: BatchStatistics | undefined;
}

/** Applies random changes to a tensor in training. */
type Noise = (x: Tensor, config: JsonObject, seed: number) => Tensor;

// Formulas as in keras.layers of the same names.
const noises: Readonly<Record<string, Noise>> = {
  Dropout: (x, config, seed) => dropout(x, rateOf(config), noiseShape(x, config), seed),
  // Whole channels of [b, t, c] are dropped together.
  SpatialDropout1D: (x, config, seed) =>
    dropout(
      x,
      rateOf(config),
      [x.shape[0], 1, x.shape[2]].map((axis) => axis ?? 1),
      seed,
    ),
  GaussianNoise: (x, config, seed) => add(x, randomNormal(x.shape, 0, numberOf(config.stddev), 'float32', seed)),
  GaussianDropout: (x, config, seed) => {
    const deviation = Math.sqrt(rateOf(config) / (1 - rateOf(config)));
    return mul(x, randomNormal(x.shape, 1, deviation, 'float32', seed));
  },
};

/** Whether a layer has other outputs in training than in inference, with the same weights. */
export function isStochastic(layer: LayerSpec): boolean {
  return layer.className in noises;
}

/** Raises UNSUPPORTED_LAYER for layers whose effect would silently be lost. */
export function assertSupported(layer: LayerSpec): void {
  const reason = whyUnsupported(layer);
  if (reason !== undefined) throw unsupported(layer, reason);
}

/** The same for a call of a layer. */
export function assertCallSupported(layer: LayerSpec, { inputs, kwargs }: Pick<LayerCall, 'inputs' | 'kwargs'>): void {
  if (layer.className === 'GRUResetAfter' && inputs.length > 1) throw unsupported(layer, 'begins with a given state');
  const masks = Object.keys(kwargs).filter((key) => key.includes('mask') && kwargs[key] !== false);
  if (masks.length > 0) throw unsupported(layer, `is called with ${masks.join(', ')}`);
  if (/^(MultiHead)?Attention$/.test(layer.className) && kwargs.return_attention_scores === true)
    throw unsupported(layer, 'gives its scores away');
}

function unsupported(layer: LayerSpec, reason: string): TransferKitError {
  return new TransferKitError(
    'UNSUPPORTED_LAYER',
    `expected layers that transferkit can train, got '${layer.name}' (${layer.className}), ` +
      `which ${reason}. Cut the base before it, or replace it.`,
    { layer: layer.name, className: layer.className },
  );
}

const ignoringDilation: ReadonlySet<string> = new Set(['DepthwiseConv2D', 'Conv2DTranspose', 'Conv3DTranspose']);

/** Layers of this package that support strides and dilation together. */
const stridingDilated: ReadonlySet<string> = new Set(['DilatedDepthwiseConv2D', 'GroupedConv2D']);

function whyUnsupported({ className, config }: LayerSpec): string | undefined {
  if (className === 'Masking' || config.mask_zero === true) return 'masks time steps';
  if (className === 'AlphaDropout') return 'has no seeded form';
  if (holdsState(config)) return 'keeps its state from batch to batch, and so takes a fixed number of examples';
  if (config.rms_scaling === true) return 'tfjs runs without rms_scaling';
  // tfjs silently ignores the dilation: its outputs would differ from Keras's.
  if (isBeyondOne(config.dilation_rate) && ignoringDilation.has(className)) return 'tfjs runs without its dilation';
  return isStridedAndDilated(config) && !stridingDilated.has(className)
    ? 'tfjs cannot run with strides and dilation'
    : undefined;
}

/** Whether a recurrent layer, or one inside a wrapper, is stateful. */
function holdsState({ stateful, layer }: JsonObject): boolean {
  if (stateful === true) return true;
  return isJsonObject(layer) && isJsonObject(layer.config) && holdsState(layer.config);
}

/** Runs a layer. The caller owns the result, which is never one of the inputs. */
export function applyLayer(
  spec: LayerSpec,
  layer: Layer,
  inputs: readonly Tensor[],
  kwargs: JsonObject,
  { dropoutSeed, statistics }: RunMode,
): Tensor | Tensor[] {
  const [first] = inputs;
  if (first === undefined) throw internalError(`layer ${spec.name} has no input`);
  const noise = noises[spec.className];
  if (noise !== undefined) return dropoutSeed === undefined ? clone(first) : noise(first, spec.config, dropoutSeed);
  if (spec.className === 'BatchNormalization') return applyBatchNorm(spec, layer, first, statistics);
  if (spec.className === 'LayerNormalization') return layerNorm(first, layerNormOf(spec, layer, first));
  if (isGlobalAverage(spec, first)) return averageOverPlaces(first);
  if (isDilated(spec)) return applyDilated(spec, layer, first);
  try {
    return asTensors(layer.apply(inputs.length === 1 ? first : [...inputs], { ...kwargs, training: false }), spec);
  } catch (cause) {
    throw isTransferKitError(cause) ? cause : uncomputed(spec, inputs, cause);
  }
}

/** The error for a layer whose settings or inputs turn out to be invalid only when it computes. */
function uncomputed({ name, className }: LayerSpec, inputs: readonly Tensor[], cause: unknown): TransferKitError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const shapes = inputs.map(({ shape }) => describeShape(shape)).join(', ');
  const text =
    `expected layers that can be computed, got '${name}' of class '${className}', which cannot be for ${shapes}: ${reason}. ` +
    'Check its configuration in the model file and how it is called.';
  return new TransferKitError('UNSUPPORTED_LAYER', text, { layer: name, className, reason }, cause);
}

function isGlobalAverage(spec: LayerSpec, { rank }: Tensor): boolean {
  return spec.className === 'GlobalAveragePooling2D' && rank === 4 && !isChannelsFirst(spec);
}

/**
 * Mean over height and width, as a pool with a single window. The gradient of tfjs's mean would create a tensor of
 * ones, as large as its input, on the calling thread.
 *
 * @param x - [b, h, w, c]
 * @returns [b, c]
 */
function averageOverPlaces(x: Tensor): Tensor {
  const [b = 0, height = 1, width = 1, c = 0] = x.shape;
  return tidy(() => {
    const maps: Tensor4D = reshape(x, [b, height, width, c]);
    return reshape(avgPool(maps, [height, width], 1, 'valid'), [b, c]);
  });
}

function applyBatchNorm(spec: LayerSpec, layer: Layer, x: Tensor, statistics: BatchStatistics | undefined): Tensor {
  const axis = axisOf(spec, x.rank);
  const parameters = batchNormOf(spec, layer);
  if (statistics?.has(spec.name) !== true) return normalize(x, parameters, axis);
  return tidy(() => {
    const moments = momentsOf(x, axis);
    statistics.move(spec.name, moments);
    return normalize(x, { ...parameters, ...moments }, axis);
  });
}

/** The parameters of a LayerNormalization. */
export function layerNormOf(spec: LayerSpec, layer: Layer, { rank }: Tensor): LayerNormParameters {
  const { axis = -1, epsilon = 1e-3 } = spec.config;
  return {
    gamma: weightIn(layer, 'gamma'),
    beta: weightIn(layer, 'beta'),
    epsilon: numberOf(epsilon),
    axes: numbers(axis, 1).map((each) => (each < 0 ? each + rank : each)),
  };
}

/** The axis of the channels of a BatchNormalization, for tensors of a rank. */
export function axisOf({ config: { axis } }: LayerSpec, rank: number): number {
  const declared = typeof axis === 'number' ? axis : Array.isArray(axis) ? numberOf(axis[0]) : -1;
  return declared < 0 ? declared + rank : declared;
}

/** The parameters of a BatchNormalization. */
export function batchNormOf(spec: LayerSpec, layer: Layer): BatchNormParameters {
  const mean = weightIn(layer, 'moving_mean');
  const variance = weightIn(layer, 'moving_variance');
  if (mean === undefined || variance === undefined) throw internalError(`${spec.name} has no statistics`);
  const epsilon = typeof spec.config.epsilon === 'number' ? spec.config.epsilon : 1e-3;
  return { mean, variance, gamma: weightIn(layer, 'gamma'), beta: weightIn(layer, 'beta'), epsilon };
}

/** tfjs types the result of `apply` as symbolic or real; on real inputs it is real. */
function asTensors(output: ReturnType<Layer['apply']>, spec: LayerSpec): Tensor | Tensor[] {
  const list = Array.isArray(output) ? output : [output];
  const real = list.filter((each) => 'dataId' in each);
  if (real.length !== list.length || real[0] === undefined) throw internalError(`${spec.name} gave no tensor`);
  return real.length === 1 ? real[0] : real;
}

function noiseShape(x: Tensor, config: JsonObject): number[] | undefined {
  const shape = config.noise_shape;
  return Array.isArray(shape)
    ? shape.map((axis, i) => (typeof axis === 'number' ? axis : (x.shape[i] ?? 1)))
    : undefined;
}

function rateOf(config: JsonObject): number {
  return numberOf(config.rate);
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
