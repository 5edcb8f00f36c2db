// The layers that most architectures consist of, with one function each.
import type { GraphBuilder, LayerConfig, Place } from './graphBuilder.ts';

/** A convolution, as keras.layers.Conv2D takes it. */
export interface Convolution {
  readonly filters: number;
  /** Height and width, in pixels. */
  readonly kernel: number | readonly [number, number];
  /** Default 1. */
  readonly strides?: number;
  /** Default 'valid'. */
  readonly padding?: 'valid' | 'same';
  /** Default true. */
  readonly bias?: boolean;
  /** Default 'linear'. */
  readonly activation?: string;
  /** Kernel initializer. Default: Keras's own, GlorotUniform. */
  readonly initializer?: LayerConfig;
}

/** Rows and columns to add before and after each axis. */
export type Padding = readonly [readonly [number, number], readonly [number, number]];

/** Adds a convolution. */
export function convolve(
  graph: GraphBuilder,
  x: Place,
  name: string,
  { filters, kernel, strides = 1, padding = 'valid', bias = true, activation = 'linear', initializer }: Convolution,
): Place {
  const size = pair(kernel);
  const config = { filters, kernel_size: size, strides: pair(strides), padding, use_bias: bias, activation };
  const start = initializer && { kernel_initializer: initializer };
  return graph.layer('Conv2D', name, x, { ...config, ...start }, filters);
}

/** Adds a depthwise convolution without a bias. */
export function convolveDepthwise(
  graph: GraphBuilder,
  x: Place,
  name: string,
  { kernel, strides = 1, padding = 'same', initializer }: Omit<Convolution, 'filters' | 'bias' | 'activation'>,
): Place {
  const shape = { kernel_size: pair(kernel), strides: pair(strides), padding };
  return graph.layer('DepthwiseConv2D', name, x, {
    ...shape,
    depth_multiplier: 1,
    use_bias: false,
    activation: 'linear',
    ...(initializer && { depthwise_initializer: initializer }),
  });
}

/** Adds a separable convolution without a bias: depthwise, then 1 × 1 over all channels. */
export function convolveSeparably(
  graph: GraphBuilder,
  x: Place,
  name: string,
  { filters, kernel, strides = 1, padding = 'same' }: Pick<Convolution, 'filters' | 'kernel' | 'strides' | 'padding'>,
): Place {
  const shape = { filters, kernel_size: pair(kernel), strides: pair(strides), padding };
  const config = { ...shape, depth_multiplier: 1, use_bias: false, activation: 'linear' };
  return graph.layer('SeparableConv2D', name, x, config, filters);
}

/** Adds a BatchNormalization over the last axis. */
export function normalizeBatch(
  graph: GraphBuilder,
  x: Place,
  name: string,
  { epsilon = 1e-3, momentum = 0.99, scale = true } = {},
): Place {
  return graph.layer('BatchNormalization', name, x, { axis: -1, momentum, epsilon, center: true, scale });
}

/** Adds an Activation. */
export function activate(graph: GraphBuilder, x: Place, name: string, activation = 'relu'): Place {
  return graph.layer('Activation', name, x, { activation });
}

/** Adds a ReLU with maximum 6. */
export function relu6(graph: GraphBuilder, x: Place, name: string): Place {
  return graph.layer('ReLU', name, x, { max_value: 6 });
}

/** Adds rows and columns of zeros. */
export function padZeros(graph: GraphBuilder, x: Place, name: string, padding: Padding): Place {
  return graph.layer('ZeroPadding2D', name, x, { padding: padding.map((axis) => [...axis]) });
}

/** A pooling window. */
export interface Pooling {
  readonly pool: number;
  readonly strides: number;
  /** Default 'valid'. */
  readonly padding?: 'valid' | 'same';
}

/** Adds a MaxPooling2D. */
export function poolMaximum(
  graph: GraphBuilder,
  x: Place,
  name: string,
  { pool, strides, padding = 'valid' }: Pooling,
): Place {
  return graph.layer('MaxPooling2D', name, x, { pool_size: pair(pool), strides: pair(strides), padding });
}

/** Adds an AveragePooling2D. */
export function poolAverage(
  graph: GraphBuilder,
  x: Place,
  name: string,
  { pool, strides, padding = 'valid' }: Pooling,
): Place {
  return graph.layer('AveragePooling2D', name, x, { pool_size: pair(pool), strides: pair(strides), padding });
}

/** Adds a Concatenate over the channels. */
export function concatenate(graph: GraphBuilder, places: readonly Place[], name: string): Place {
  const channels = places.reduce((sum, place) => sum + place.channels, 0);
  return graph.layer('Concatenate', name, places, { axis: -1 }, channels);
}

/**
 * Adds a fully connected layer.
 *
 * @param initializer - Kernel initializer. Default: Keras's own, GlorotUniform.
 */
export function connect(
  graph: GraphBuilder,
  x: Place,
  name: string,
  units: number,
  activation: string,
  initializer?: LayerConfig,
): Place {
  const start = initializer && { kernel_initializer: initializer };
  return graph.layer('Dense', name, x, { units, use_bias: true, activation, ...start }, units);
}

/** Adds global average pooling and the classifier of ImageNet's 1000 classes. */
export function classify(graph: GraphBuilder, x: Place, pooling: string): Place {
  return connect(graph, graph.layer('GlobalAveragePooling2D', pooling, x), 'predictions', 1000, 'softmax');
}

/**
 * The zero padding before a strided 'valid' convolution that halves a tensor as in TensorFlow's slim
 * (`keras/src/applications/imagenet_utils.py`, `correct_pad`). Even sizes get one row less before than after.
 */
export function paddingBeforeStride(size: readonly [number, number], kernel: number): Padding {
  const half = Math.floor(kernel / 2);
  const axis = (length: number): [number, number] => [half - (1 - (length % 2)), half];
  return [axis(size[0]), axis(size[1])];
}

/** Size after a convolution with stride 2. */
export function halve([height, width]: readonly [number, number]): [number, number] {
  return [Math.ceil(height / 2), Math.ceil(width / 2)];
}

/**
 * The nearest multiple of 8, or the next one if the nearest is more than a tenth smaller (`_make_divisible` of
 * keras.applications).
 */
export function multipleOfEight(channels: number): number {
  const nearest = Math.max(8, Math.floor(Math.trunc(channels + 4) / 8) * 8);
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}

function pair(value: number | readonly [number, number]): [number, number] {
  return typeof value === 'number' ? [value, value] : [...value];
}
