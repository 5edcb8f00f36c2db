// MobileNetV2: inverted residual blocks (expand, depthwise convolution, project), with a sum if the shapes are equal.
import type { LayerGraph } from '../core/graphs.ts';
import {
  classify,
  convolve,
  convolveDepthwise,
  halve,
  multipleOfEight,
  normalizeBatch,
  padZeros,
  paddingBeforeStride,
  relu6,
} from './blocks.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import type { ArchitectureOptions, Preset, PublishedWeights } from './preset.ts';
import { publishedFile, pythonFloat } from './published.ts';

/** Channels (at width 1), number of blocks, and strides of the first block; a row for each group of equal width. */
const groups = [
  [16, 1, 1],
  [24, 2, 2],
  [32, 3, 2],
  [64, 4, 2],
  [96, 3, 1],
  [160, 3, 2],
  [320, 1, 1],
] as const;

const alphas = [0.35, 0.5, 0.75, 1, 1.3, 1.4];

/** Square picture sizes with their own weights. All other sizes use those of 224. */
const trainedSizes = [96, 128, 160, 192, 224];

const epsilon = 1e-3;
const momentum = 0.999;

/**
 * MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381), as in `keras/src/applications/mobilenet_v2.py`.
 */
export const presets: readonly Preset[] = [
  {
    name: 'mobilenet_v2',
    kerasName: 'MobileNetV2',
    inputSize: 224,
    smallestInputSize: 32,
    mode: 'tf',
    alphas,
    architecture,
    weights,
  },
];

function architecture({ inputSize, top, alpha }: ArchitectureOptions): LayerGraph {
  const graph = buildGraph(`mobilenetv2_${alpha.toFixed(2)}_${String(inputSize[0])}`, inputSize);
  const first = { filters: multipleOfEight(32 * alpha), kernel: 3, strides: 2, padding: 'same', bias: false } as const;
  let x = convolve(graph, graph.input, 'Conv1', first);
  x = relu6(graph, normalizeBatch(graph, x, 'bn_Conv1', { epsilon, momentum }), 'Conv1_relu');
  let size = halve(inputSize);
  let number = 0;
  for (const [width, depth, firstStrides] of groups) {
    for (let i = 0; i < depth; i++) {
      const strides = i === 0 ? firstStrides : 1;
      const filters = multipleOfEight(Math.trunc(width * alpha));
      x = addBlock(graph, x, { number, filters, strides, size });
      if (strides === 2) size = halve(size);
      number++;
    }
  }
  const last = alpha > 1 ? multipleOfEight(1280 * alpha) : 1280;
  x = convolve(graph, x, 'Conv_1', { filters: last, kernel: 1, bias: false });
  x = relu6(graph, normalizeBatch(graph, x, 'Conv_1_bn', { epsilon, momentum }), 'out_relu');
  return graph.graph(top ? classify(graph, x, graph.autoName('global_average_pooling2d')) : x);
}

interface Block {
  readonly number: number;
  readonly filters: number;
  readonly strides: 1 | 2;
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
}

function addBlock(graph: GraphBuilder, x: Place, { number, filters, strides, size }: Block): Place {
  const prefix = number === 0 ? 'expanded_conv' : `block_${String(number)}`;
  const normalized = (input: Place, name: string) => normalizeBatch(graph, input, name, { epsilon, momentum });
  let y = x;
  if (number > 0) {
    const wide = { filters: 6 * x.channels, kernel: 1, padding: 'same', bias: false } as const;
    y = normalized(convolve(graph, y, `${prefix}_expand`, wide), `${prefix}_expand_BN`);
    y = relu6(graph, y, `${prefix}_expand_relu`);
  }
  if (strides === 2) y = padZeros(graph, y, `${prefix}_pad`, paddingBeforeStride(size, 3));
  const padding = strides === 1 ? 'same' : 'valid';
  y = convolveDepthwise(graph, y, `${prefix}_depthwise`, { kernel: 3, strides, padding });
  y = relu6(graph, normalized(y, `${prefix}_depthwise_BN`), `${prefix}_depthwise_relu`);
  const narrow = { filters, kernel: 1, padding: 'same', bias: false } as const;
  y = normalized(convolve(graph, y, `${prefix}_project`, narrow), `${prefix}_project_BN`);
  return strides === 1 && x.channels === filters ? graph.layer('Add', `${prefix}_add`, [x, y]) : y;
}

function weights({ inputSize: [height, width], top, alpha }: ArchitectureOptions): PublishedWeights | undefined {
  if (!alphas.includes(alpha)) return undefined;
  const size = height === width && trainedSizes.includes(height) ? height : 224;
  const file = `mobilenet_v2_weights_tf_dim_ordering_tf_kernels_${pythonFloat(alpha)}_${String(size)}`;
  return publishedFile(`mobilenet_v2/${file}${top ? '' : '_no_top'}.h5`);
}
