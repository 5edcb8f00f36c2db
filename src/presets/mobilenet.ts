// MobileNet: every 3 × 3 convolution is split into a depthwise and a 1 × 1 convolution.
import type { LayerGraph } from '../core/graphs.ts';
import { activate, convolve, convolveDepthwise, normalizeBatch, padZeros, relu6 } from './blocks.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import type { ArchitectureOptions, Preset, PublishedWeights } from './preset.ts';
import { publishedFile } from './published.ts';

/** Channels (at width 1) and strides of the 13 blocks. */
const blocks = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

/** Width multipliers as written in file names. */
const alphaTexts: ReadonlyMap<number, string> = new Map([
  [0.25, '2_5'],
  [0.5, '5_0'],
  [0.75, '7_5'],
  [1, '1_0'],
]);

/** Square picture sizes with their own weights. All other sizes use those of 224. */
const trainedSizes = [128, 160, 192, 224];

/**
 * MobileNet (Howard et al. 2017, https://arxiv.org/abs/1704.04861), as in `keras/src/applications/mobilenet.py`.
 */
export const presets: readonly Preset[] = [
  {
    name: 'mobilenet',
    kerasName: 'MobileNet',
    inputSize: 224,
    smallestInputSize: 32,
    mode: 'tf',
    alphas: [...alphaTexts.keys()],
    architecture,
    weights,
  },
];

function architecture({ inputSize, top, alpha }: ArchitectureOptions): LayerGraph {
  const graph = buildGraph(`mobilenet_${alpha.toFixed(2)}_${String(inputSize[0])}`, inputSize);
  const first = { filters: Math.trunc(32 * alpha), kernel: 3, strides: 2, padding: 'same', bias: false } as const;
  let x = convolve(graph, graph.input, 'conv1', first);
  x = relu6(graph, normalizeBatch(graph, x, 'conv1_bn'), 'conv1_relu');
  blocks.forEach(([filters, strides], index) => {
    x = addBlock(graph, x, String(index + 1), Math.trunc(filters * alpha), strides);
  });
  if (!top) return graph.graph(x);
  x = graph.layer('GlobalAveragePooling2DKeepDims', graph.autoName('global_average_pooling2d'), x);
  x = graph.layer('Dropout', 'dropout', x, { rate: 1e-3 });
  x = convolve(graph, x, 'conv_preds', { filters: 1000, kernel: 1, padding: 'same' });
  x = graph.layer('Reshape', 'reshape_2', x, { target_shape: [1000] });
  return graph.graph(activate(graph, x, 'predictions', 'softmax'));
}

function addBlock(graph: GraphBuilder, x: Place, number: string, filters: number, strides: 1 | 2): Place {
  const padded = strides === 1 ? x : padZeros(graph, x, `conv_pad_${number}`, [[0, 1], [0, 1]]); // prettier-ignore
  const padding = strides === 1 ? 'same' : 'valid';
  let y = convolveDepthwise(graph, padded, `conv_dw_${number}`, { kernel: 3, strides, padding });
  y = relu6(graph, normalizeBatch(graph, y, `conv_dw_${number}_bn`), `conv_dw_${number}_relu`);
  y = convolve(graph, y, `conv_pw_${number}`, { filters, kernel: 1, padding: 'same', bias: false });
  return relu6(graph, normalizeBatch(graph, y, `conv_pw_${number}_bn`), `conv_pw_${number}_relu`);
}

function weights({ inputSize: [height, width], top, alpha }: ArchitectureOptions): PublishedWeights | undefined {
  const text = alphaTexts.get(alpha);
  if (text === undefined) return undefined;
  const size = height === width && trainedSizes.includes(height) ? height : 224;
  return publishedFile(`mobilenet/mobilenet_${text}_${String(size)}_tf${top ? '' : '_no_top'}.h5`);
}
