// Shared parts of both versions of EfficientNet: inverted residual blocks with squeeze and excitation.
import { activate, connect, convolve, convolveDepthwise, normalizeBatch, padZeros, type Padding } from './blocks.ts';
import type { GraphBuilder, LayerConfig, Place } from './graphBuilder.ts';

/**
 * Kernel initializer of convolutions. He et al. 2015, https://arxiv.org/abs/1502.01852, with the outgoing connections.
 */
const initializer: LayerConfig = {
  class_name: 'VarianceScaling',
  config: { scale: 2, mode: 'fan_out', distribution: 'truncated_normal', seed: null },
};

const classifierInitializer: LayerConfig = {
  class_name: 'VarianceScaling',
  config: { scale: 1 / 3, mode: 'fan_out', distribution: 'uniform', seed: null },
};

/** Momentum of the BatchNormalizations. */
export interface Normalized {
  readonly momentum: number;
}

/** A residual block. */
export interface Block extends Normalized {
  /** Prefix of its layer names: `'block1a_'`. */
  readonly prefix: string;
  readonly kernel: number;
  readonly filters: number;
  readonly strides: 1 | 2;
  /** Expansion factor: channels inside the block, divided by those of its input. */
  readonly expansion: number;
  /** Rate at which the block is dropped in training, for each example. */
  readonly dropRate: number;
}

/** A convolution without a bias, followed by BatchNormalization and an activation, with their names. */
export interface Part extends Normalized {
  readonly name: string;
  readonly normalization: string;
  /** Default: no activation. */
  readonly activation?: string;
  readonly filters: number;
  readonly kernel: number;
  readonly strides?: 1 | 2;
  readonly padding?: 'same' | 'valid';
}

/** Adds a convolution, BatchNormalization and an activation. */
export function addPart(graph: GraphBuilder, x: Place, part: Part): Place {
  const { name, normalization, activation, filters, kernel, strides = 1, padding = 'same', momentum } = part;
  let y = convolve(graph, x, name, { filters, kernel, strides, padding, bias: false, initializer });
  y = normalizeBatch(graph, y, normalization, { momentum });
  return activation === undefined ? y : activate(graph, y, activation, 'swish');
}

/**
 * Adds an inverted residual block (Sandler et al. 2018, https://arxiv.org/abs/1801.04381): wide inside, with a
 * depthwise convolution and squeeze-and-excitation.
 *
 * @param depthwise - Name of the depthwise convolution, after the prefix.
 * @param padding - Zeros to add before it; it then uses no padding. Default: it uses padding 'same'.
 */
export function addInvertedBlock(
  graph: GraphBuilder,
  x: Place,
  block: Block,
  { depthwise, padding }: { readonly depthwise: string; readonly padding?: Padding | undefined },
): Place {
  const { prefix, kernel, filters, strides, expansion, momentum } = block;
  const expanded = expansion === 1 ? x : expand(graph, x, block, { kernel: 1, strides: 1 });
  const padded = padding === undefined ? expanded : padZeros(graph, expanded, `${prefix}dwconv_pad`, padding);
  let y = convolveDepthwise(graph, padded, `${prefix}${depthwise}`, {
    kernel,
    strides,
    padding: padding === undefined ? 'same' : 'valid',
    initializer,
  });
  y = activate(graph, normalizeBatch(graph, y, `${prefix}bn`, { momentum }), `${prefix}activation`, 'swish');
  y = gate(graph, y, prefix, Math.max(1, Math.floor(x.channels / 4)));
  y = addPart(graph, y, { ...projection(block), filters, kernel: 1 });
  return addAround(graph, x, y, block);
}

/** Adds a block with one convolution over all channels instead of two, and without squeeze-and-excitation. */
export function addFusedBlock(graph: GraphBuilder, x: Place, block: Block): Place {
  const { prefix, kernel, filters, strides, expansion } = block;
  let y: Place;
  if (expansion === 1) {
    y = addPart(graph, x, {
      ...projection(block),
      activation: `${prefix}project_activation`,
      filters,
      kernel,
      strides,
    });
  } else {
    y = expand(graph, x, block, { kernel, strides });
    y = addPart(graph, y, { ...projection(block), filters, kernel: 1 });
  }
  return addAround(graph, x, y, block);
}

/** Adds the last convolution and, if wanted, the classifier. */
export function addEnd(
  graph: GraphBuilder,
  x: Place,
  { filters, dropout, top, momentum }: Normalized & { filters: number; dropout: number; top: boolean },
): Place {
  const names = { name: 'top_conv', normalization: 'top_bn', activation: 'top_activation' };
  let y = addPart(graph, x, { ...names, filters, kernel: 1, momentum });
  if (!top) return y;
  y = graph.layer('GlobalAveragePooling2D', 'avg_pool', y);
  y = graph.layer('Dropout', 'top_dropout', y, { rate: dropout });
  return connect(graph, y, 'predictions', 1000, 'softmax', classifierInitializer);
}

/** Index of a block in its group as Keras writes it: a letter. */
export function letterOf(index: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + index);
}

function projection({ prefix, momentum }: Block): Pick<Part, 'name' | 'normalization' | 'momentum'> {
  return { name: `${prefix}project_conv`, normalization: `${prefix}project_bn`, momentum };
}

function expand(
  graph: GraphBuilder,
  x: Place,
  { prefix, expansion, momentum }: Block,
  receptiveField: Pick<Block, 'kernel' | 'strides'>,
): Place {
  return addPart(graph, x, {
    name: `${prefix}expand_conv`,
    normalization: `${prefix}expand_bn`,
    activation: `${prefix}expand_activation`,
    filters: x.channels * expansion,
    momentum,
    ...receptiveField,
  });
}

/** Squeeze-and-excitation (Hu et al. 2017, https://arxiv.org/abs/1709.01507). */
function gate(graph: GraphBuilder, x: Place, prefix: string, narrow: number): Place {
  const pixel = { kernel: 1, padding: 'same', initializer } as const;
  let y = graph.layer('GlobalAveragePooling2D', `${prefix}se_squeeze`, x);
  y = graph.layer('Reshape', `${prefix}se_reshape`, y, { target_shape: [1, 1, x.channels] });
  y = convolve(graph, y, `${prefix}se_reduce`, { ...pixel, filters: narrow, activation: 'swish' });
  y = convolve(graph, y, `${prefix}se_expand`, { ...pixel, filters: x.channels, activation: 'sigmoid' });
  return graph.layer('Multiply', `${prefix}se_excite`, [x, y]);
}

/** Adds the input of the block to its output, if the shapes are equal. */
function addAround(graph: GraphBuilder, x: Place, y: Place, { prefix, strides, filters, dropRate }: Block): Place {
  if (strides !== 1 || x.channels !== filters) return y;
  const dropped =
    dropRate === 0 ? y : graph.layer('Dropout', `${prefix}drop`, y, { rate: dropRate, noise_shape: [null, 1, 1, 1] });
  return graph.layer('Add', `${prefix}add`, [dropped, x]);
}
