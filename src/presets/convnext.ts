// ConvNeXt: residual blocks modelled on vision transformers, built from convolutions only.
import type { LayerGraph, LayerSpec } from '../core/graphs.ts';
import { activate, connect, convolve } from './blocks.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import type { ArchitectureOptions, Preset, PublishedWeights } from './preset.ts';
import { publishedFile } from './published.ts';

/** Numbers of blocks and channels of the four stages, and the hashes of the weights with and without the classifier. */
interface Member {
  readonly name: string;
  readonly kerasName: string;
  readonly depths: readonly number[];
  readonly channels: readonly number[];
  readonly sha256: readonly [string, string];
}

const members: readonly Member[] = [
  {
    name: 'convnext_tiny',
    kerasName: 'ConvNeXtTiny',
    depths: [3, 3, 9, 3],
    channels: [96, 192, 384, 768],
    sha256: [
      '8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff',
      'd547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1',
    ],
  },
  {
    name: 'convnext_small',
    kerasName: 'ConvNeXtSmall',
    depths: [3, 3, 27, 3],
    channels: [96, 192, 384, 768],
    sha256: [
      'ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c',
      '6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab',
    ],
  },
  {
    name: 'convnext_base',
    kerasName: 'ConvNeXtBase',
    depths: [3, 3, 27, 3],
    channels: [128, 256, 512, 1024],
    sha256: [
      '52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6',
      '40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45',
    ],
  },
];

/** Initial value of the factor of each channel at the end of a block. */
const layerScale = 1e-6;
/** Mean and standard deviation of ImageNet's colours in red, green and blue, from 0 to 1. */
const mean = [0.485, 0.456, 0.406];
const deviation = [0.229, 0.224, 0.225];

/**
 * ConvNeXts (Liu et al. 2022, https://arxiv.org/abs/2201.03545), as in `keras/src/applications/convnext.py`. The input
 * is pixels from 0 to 255; the network scales them. In Keras the stem and the layers between stages are Sequential
 * models (`convnext_tiny_stem`). Here their layers are part of the network, and their `path` contains the name of the
 * Sequential.
 */
export const presets: readonly Preset[] = members.map((member) => ({
  name: member.name,
  kerasName: member.kerasName,
  inputSize: 224,
  smallestInputSize: 32,
  mode: 'raw',
  alphas: [1],
  architecture: (options) => architecture(member, options),
  weights: ({ top }) => weights(member, top),
}));

function architecture({ name, depths, channels }: Member, { inputSize, top }: ArchitectureOptions): LayerGraph {
  const graph = buildGraph(name, inputSize);
  const nested = new Map<string, string>();
  let x = graph.layer('Normalization', `${name}_prestem_normalization`, graph.input, {
    axis: -1,
    mean: mean.map((value) => value * 255),
    variance: deviation.map((value) => (value * 255) ** 2),
  });
  depths.forEach((depth, stage) => {
    const filters = channels[stage] ?? 0;
    x = stage === 0 ? addStem(graph, x, filters, { name, nested }) : shrink(graph, x, filters, { name, nested, stage });
    for (let i = 0; i < depth; i++) x = addBlock(graph, x, `${name}_stage_${String(stage)}_block_${String(i)}`);
  });
  if (top) {
    x = graph.layer('GlobalAveragePooling2D', `${name}_head_gap`, x);
    x = normalizeLayer(graph, x, `${name}_head_layernorm`);
    x = connect(graph, x, `${name}_head_dense`, 1000, 'softmax');
  } else {
    x = normalizeLayer(graph, x, graph.autoName('layer_normalization'));
  }
  return withPaths(graph.graph(x), nested);
}

interface Nest {
  /** Name of the model. */
  readonly name: string;
  /** Collects for each layer the name of its Sequential in Keras. */
  readonly nested: Map<string, string>;
}

function addStem(graph: GraphBuilder, x: Place, filters: number, { name, nested }: Nest): Place {
  const [convolution, normalization] = [`${name}_stem_conv`, `${name}_stem_layernorm`];
  for (const layer of [convolution, normalization]) nested.set(layer, `${name}_stem`);
  return normalizeLayer(graph, convolve(graph, x, convolution, { filters, kernel: 4, strides: 4 }), normalization);
}

/** Halves height and width before a stage. */
function shrink(
  graph: GraphBuilder,
  x: Place,
  filters: number,
  { name, nested, stage }: Nest & { readonly stage: number },
): Place {
  const number = String(stage - 1);
  const [normalization, convolution] = [
    `${name}_downsampling_layernorm_${number}`,
    `${name}_downsampling_conv_${number}`,
  ];
  for (const layer of [normalization, convolution]) nested.set(layer, `${name}_downsampling_block_${number}`);
  return convolve(graph, normalizeLayer(graph, x, normalization), convolution, { filters, kernel: 2, strides: 2 });
}

function addBlock(graph: GraphBuilder, x: Place, name: string): Place {
  const { channels } = x;
  let y = graph.layer('GroupedConv2D', `${name}_depthwise_conv`, x, {
    ...{ filters: channels, groups: channels, kernel_size: [7, 7], strides: [1, 1], padding: 'same' },
    ...{ use_bias: true, activation: 'linear' },
  });
  y = normalizeLayer(graph, y, `${name}_layernorm`);
  y = connect(graph, y, `${name}_pointwise_conv_1`, 4 * channels, 'linear');
  y = activate(graph, y, `${name}_gelu`, 'gelu');
  y = connect(graph, y, `${name}_pointwise_conv_2`, channels, 'linear');
  y = graph.layer('LayerScale', `${name}_layer_scale`, y, { init_values: layerScale, projection_dim: channels });
  y = activate(graph, y, `${name}_identity`, 'linear');
  return graph.layer('Add', graph.autoName('add'), [x, y]);
}

/** Ba et al. 2016, https://arxiv.org/abs/1607.06450, over the channels of each pixel. */
function normalizeLayer(graph: GraphBuilder, x: Place, name: string): Place {
  return graph.layer('LayerNormalization', name, x, { axis: -1, epsilon: 1e-6, center: true, scale: true });
}

function withPaths(graph: LayerGraph, nested: ReadonlyMap<string, string>): LayerGraph {
  const layers = [...graph.layers].map(([name, layer]): [string, LayerSpec] => {
    const around = nested.get(name);
    return [name, around === undefined ? layer : { ...layer, path: [around, name] }];
  });
  return { ...graph, layers: new Map(layers) };
}

function weights({ name, sha256 }: Member, top: boolean): PublishedWeights {
  const file = publishedFile(`convnext/${name}${top ? '' : '_notop'}.h5`);
  return { ...file, hash: { algorithm: 'sha256', digest: top ? sha256[0] : sha256[1] } };
}
