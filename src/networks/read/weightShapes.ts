// Infers names and shapes of the weights of a network from configurations, without building layers.
import type { LayerGraph } from '../../core/graphs.ts';
import { isJsonList, type JsonObject } from '../../core/json.ts';
import type { Shape } from '../../core/types.ts';
import { inferShapes, numberOf, numbers } from '../graphs/inferShapes.ts';

/** A weight of a layer. */
export interface WeightShape {
  /** `layer/weight`, the name in a trunk. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** The weights of a layer. `undefined` for an unknown class, or an input of unknown shape. */
export interface LayerWeights {
  readonly layer: string;
  readonly className: string;
  readonly weights: readonly WeightShape[] | undefined;
}

/** Weights in a layer's own order, by their names in the layer. */
type Listing = (input: Shape, config: JsonObject) => [string, (number | null)[]][];

const none: Listing = () => [];

const convolution: Listing = (input, config) => {
  const filters = numberOf(config.filters) ?? null;
  const kernel = numbers(config.kernel_size, input.length - 1);
  return [['kernel', [...kernel, channelsOf(input), filters]], ...bias(config, filters)];
};

const depthwise: Listing = (input, config) => {
  const multiplier = numberOf(config.depth_multiplier) ?? 1;
  const channels = channelsOf(input);
  const kernel = [...numbers(config.kernel_size, 2), channels, multiplier];
  return [['depthwise_kernel', kernel], ...bias(config, (channels ?? NaN) * multiplier)];
};

const classes: Readonly<Record<string, Listing>> = {
  ...Object.fromEntries(
    [
      ...['InputLayer', 'Activation', 'ActivationOf', 'ReLU', 'LeakyReLU', 'ELU', 'Softmax', 'ThresholdedReLU'],
      ...['Add', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Subtract', 'Concatenate'],
      ...['Rescaling', 'AddConstant', 'MultiplyConstant', 'CustomScaleLayer', 'StochasticDepth'],
      ...['Dropout', 'SpatialDropout1D', 'SpatialDropout2D', 'GaussianNoise', 'GaussianDropout'],
      ...['MaxPooling1D', 'MaxPooling2D', 'AveragePooling1D', 'AveragePooling2D'],
      ...['GlobalAveragePooling1D', 'GlobalAveragePooling2D', 'GlobalMaxPooling1D', 'GlobalMaxPooling2D'],
      ...['GlobalAveragePooling2DKeepDims', 'GlobalMaxPooling2DKeepDims'],
      ...['Flatten', 'Reshape', 'Permute', 'ZeroPadding2D', 'Cropping2D', 'UpSampling2D'],
    ].map((className) => [className, none]),
  ),
  Conv1D: convolution,
  Conv2D: convolution,
  GroupedConv2D: (input, config) => {
    const filters = numberOf(config.filters) ?? null;
    const channels = (channelsOf(input) ?? NaN) / (numberOf(config.groups) ?? 1);
    return [['kernel', [...numbers(config.kernel_size, 2), channels, filters]], ...bias(config, filters)];
  },
  DepthwiseConv2D: depthwise,
  DilatedDepthwiseConv2D: depthwise,
  SeparableConv2D: (input, config) => {
    const multiplier = numberOf(config.depth_multiplier) ?? 1;
    const filters = numberOf(config.filters) ?? null;
    const channels = channelsOf(input);
    return [
      ['depthwise_kernel', [...numbers(config.kernel_size, 2), channels, multiplier]],
      ['pointwise_kernel', [1, 1, (channels ?? NaN) * multiplier, filters]],
      ...bias(config, filters),
    ];
  },
  Dense: (input, config) => {
    const units = numberOf(config.units) ?? null;
    return [['kernel', [channelsOf(input), units]], ...bias(config, units)];
  },
  BatchNormalization: (input, config) => {
    const shape = axesOf(input, config);
    return [...affine(shape, config), ['moving_mean', shape], ['moving_variance', shape]];
  },
  Attention: (_, config) => [
    ...(config.use_scale === true ? [['scale', []] satisfies [string, number[]]] : []),
    ...(config.score_mode === 'concat' ? [['concat_score_weight', []] satisfies [string, number[]]] : []),
  ],
  GroupNormalization: (input, config) => affine(axesOf(input, config), config),
  LayerNormalization: (input, config) => affine(axesOf(input, config), config),
  Normalization: (input, config) => {
    if (config.mean !== undefined && config.mean !== null) return [];
    const shape = config.axis === null ? [] : axesOf(input, config);
    return [
      ['mean', shape],
      ['variance', shape],
      ['count', []],
    ];
  },
  LayerScale: (input, config) => [['gamma', [numberOf(config.projection_dim) ?? channelsOf(input)]]],
};

/**
 * The weights of every layer, with layers in the order of the graph. Inside a layer the order is that of Keras:
 * trainable weights first.
 */
export function weightShapes(graph: LayerGraph): LayerWeights[] {
  const shapes = inferShapes(graph);
  return [...graph.layers.values()].map(({ name, className, config }) => {
    const call = graph.calls.find((each) => each.layer === name);
    const [ref] = call?.inputs ?? [];
    const input = ref === undefined ? [] : shapes[ref.call];
    const listing = classes[className];
    const listed = listing === none ? [] : input && config.data_format !== 'channels_first' && listing?.(input, config);
    return { layer: name, className, weights: listed ? named(name, listed) : undefined };
  });
}

/** Adds the layer's name as prefix. Undefined if the length of an axis is unknown. */
function named(layer: string, listed: ReturnType<Listing>): WeightShape[] | undefined {
  const weights = listed.map(([weight, shape]) => ({
    name: `${layer}/${weight}`,
    shape: shape.filter((axis): axis is number => axis !== null && Number.isInteger(axis)),
  }));
  return weights.every(({ shape }, i) => shape.length === listed[i]?.[1].length) ? weights : undefined;
}

function channelsOf(input: Shape): number | null {
  return input.at(-1) ?? null;
}

function bias(config: JsonObject, channels: number | null): [string, (number | null)[]][] {
  return config.use_bias === false ? [] : [['bias', [channels]]];
}

function affine(shape: (number | null)[], config: JsonObject): [string, (number | null)[]][] {
  return [
    ...(config.scale === false ? [] : [['gamma', shape] satisfies [string, (number | null)[]]]),
    ...(config.center === false ? [] : [['beta', shape] satisfies [string, (number | null)[]]]),
  ];
}

/** Lengths of the axes that a normalisation does not average over. The configuration counts the batch axis. */
function axesOf(input: Shape, config: JsonObject): (number | null)[] {
  const axes = isJsonList(config.axis) ? numbers(config.axis, 1) : [numberOf(config.axis) ?? -1];
  return axes.map((axis) => input[axis < 0 ? axis + input.length : axis - 1] ?? null);
}
