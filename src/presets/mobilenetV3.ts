// MobileNetV3 Small and Large: the blocks of MobileNetV2 with squeeze-and-excitation. The network scales pixels.
import type { LayerGraph } from '../core/graphs.ts';
import {
  activate,
  convolve,
  convolveDepthwise,
  halve,
  multipleOfEight,
  normalizeBatch,
  padZeros,
  paddingBeforeStride,
} from './blocks.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import type { ArchitectureOptions, Preset, PublishedWeights } from './preset.ts';
import { publishedFile, pythonFloat } from './published.ts';

/** Expansion factor, output channels (at width 1), kernel, strides, squeeze-and-excitation or not, activation. */
type Row = readonly [number, number, 3 | 5, 1 | 2, boolean, 'relu' | 'hard_swish'];

interface Member {
  readonly size: 'small' | 'large';
  readonly kerasName: string;
  readonly rows: readonly Row[];
  /** Channels before the classifier. */
  readonly last: number;
  /** Hashes with and without the classifier, by width multiplier. */
  readonly md5: ReadonlyMap<number, readonly [string, string]>;
}

const members: readonly Member[] = [
  {
    size: 'small',
    kerasName: 'MobileNetV3Small',
    last: 1024,
    md5: new Map([
      [0.75, ['cb65d4e5be93758266aa0a7f2c6708b7', 'ebdb5cc8e0b497cd13a7c275d475c819']],
      [1, ['8768d4c2e7dee89b9d02b2d03d65d862', 'd3e8ec802a04aa4fc771ee12a9a9b836']],
    ]),
    rows: [
      [1, 16, 3, 2, true, 'relu'],
      [72 / 16, 24, 3, 2, false, 'relu'],
      [88 / 24, 24, 3, 1, false, 'relu'],
      [4, 40, 5, 2, true, 'hard_swish'],
      [6, 40, 5, 1, true, 'hard_swish'],
      [6, 40, 5, 1, true, 'hard_swish'],
      [3, 48, 5, 1, true, 'hard_swish'],
      [3, 48, 5, 1, true, 'hard_swish'],
      [6, 96, 5, 2, true, 'hard_swish'],
      [6, 96, 5, 1, true, 'hard_swish'],
      [6, 96, 5, 1, true, 'hard_swish'],
    ],
  },
  {
    size: 'large',
    kerasName: 'MobileNetV3Large',
    last: 1280,
    md5: new Map([
      [0.75, ['765b44a33ad4005b3ac83185abf1d0eb', '40af19a13ebea4e2ee0c676887f69a2e']],
      [1, ['59e551e166be033d707958cf9e29a6a7', '07fb09a5933dd0c8eaafa16978110389']],
    ]),
    rows: [
      [1, 16, 3, 1, false, 'relu'],
      [4, 24, 3, 2, false, 'relu'],
      [3, 24, 3, 1, false, 'relu'],
      [3, 40, 5, 2, true, 'relu'],
      [3, 40, 5, 1, true, 'relu'],
      [3, 40, 5, 1, true, 'relu'],
      [6, 80, 3, 2, false, 'hard_swish'],
      [2.5, 80, 3, 1, false, 'hard_swish'],
      [2.3, 80, 3, 1, false, 'hard_swish'],
      [2.3, 80, 3, 1, false, 'hard_swish'],
      [6, 112, 3, 1, true, 'hard_swish'],
      [6, 112, 3, 1, true, 'hard_swish'],
      [6, 160, 5, 2, true, 'hard_swish'],
      [6, 160, 5, 1, true, 'hard_swish'],
      [6, 160, 5, 1, true, 'hard_swish'],
    ],
  },
];

const epsilon = 1e-3;
const momentum = 0.999;

/**
 * MobileNetV3 (Howard et al. 2019, https://arxiv.org/abs/1905.02244), as in `keras/src/applications/mobilenet_v3.py`.
 */
export const presets: readonly Preset[] = members.map((member) => ({
  name: `mobilenet_v3_${member.size}`,
  kerasName: member.kerasName,
  inputSize: 224,
  smallestInputSize: 32,
  mode: 'raw',
  alphas: [...member.md5.keys()],
  architecture: (options) => architecture(member, options),
  weights: (options) => weights(member, options),
}));

function architecture({ kerasName, rows, last }: Member, { inputSize, top, alpha }: ArchitectureOptions): LayerGraph {
  const graph = buildGraph(kerasName, inputSize);
  let x = graph.layer('Rescaling', graph.autoName('rescaling'), graph.input, { scale: 1 / 127.5, offset: -1 });
  x = convolve(graph, x, 'conv', { filters: 16, kernel: 3, strides: 2, padding: 'same', bias: false });
  x = activateAs(graph, normalizeBatch(graph, x, 'conv_bn', { epsilon, momentum }), 'hard_swish');
  let size = halve(inputSize);
  rows.forEach((row, number) => {
    x = addBlock(graph, x, {
      row,
      prefix: number === 0 ? 'expanded_conv' : `expanded_conv_${String(number)}`,
      alpha,
      size,
    });
    if (row[3] === 2) size = halve(size);
  });
  x = convolvePixels(graph, x, 'conv_1', multipleOfEight(x.channels * 6), false);
  x = activateAs(graph, normalizeBatch(graph, x, 'conv_1_bn', { epsilon, momentum }), 'hard_swish');
  if (!top) return graph.graph(x);
  x = graph.layer('GlobalAveragePooling2DKeepDims', graph.autoName('global_average_pooling2d'), x);
  x = convolvePixels(graph, x, 'conv_2', alpha > 1 ? multipleOfEight(last * alpha) : last, true);
  x = activateAs(graph, x, 'hard_swish');
  x = graph.layer('Dropout', graph.autoName('dropout'), x, { rate: 0.2 });
  x = convolvePixels(graph, x, 'logits', 1000, true);
  x = graph.layer('Flatten', graph.autoName('flatten'), x);
  return graph.graph(activate(graph, x, 'predictions', 'softmax'));
}

interface Block {
  readonly row: Row;
  readonly prefix: string;
  readonly alpha: number;
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
}

function addBlock(graph: GraphBuilder, x: Place, { row, prefix, alpha, size }: Block): Place {
  const [factor, width, kernel, strides, gated, activation] = row;
  const normalized = (input: Place, name: string) => normalizeBatch(graph, input, name, { epsilon, momentum });
  let y = x;
  if (prefix !== 'expanded_conv') {
    y = convolvePixels(graph, y, `${prefix}_expand`, multipleOfEight(x.channels * factor), false);
    y = activateAs(graph, normalized(y, `${prefix}_expand_bn`), activation);
  }
  if (strides === 2) y = padZeros(graph, y, `${prefix}_depthwise_pad`, paddingBeforeStride(size, kernel));
  const padding = strides === 1 ? 'same' : 'valid';
  y = convolveDepthwise(graph, y, `${prefix}_depthwise`, { kernel, strides, padding });
  y = activateAs(graph, normalized(y, `${prefix}_depthwise_bn`), activation);
  if (gated) y = gate(graph, y, `${prefix}_squeeze_excite`);
  const filters = multipleOfEight(width * alpha);
  y = normalized(convolvePixels(graph, y, `${prefix}_project`, filters, false), `${prefix}_project_bn`);
  return strides === 1 && x.channels === filters ? graph.layer('Add', `${prefix}_add`, [x, y]) : y;
}

/** Squeeze-and-excitation (Hu et al. 2017, https://arxiv.org/abs/1709.01507) with a piecewise linear sigmoid. */
function gate(graph: GraphBuilder, x: Place, prefix: string): Place {
  let y = graph.layer('GlobalAveragePooling2DKeepDims', `${prefix}_avg_pool`, x);
  y = convolvePixels(graph, y, `${prefix}_conv`, multipleOfEight(x.channels * 0.25), true);
  y = graph.layer('ReLU', `${prefix}_relu`, y);
  y = convolvePixels(graph, y, `${prefix}_conv_1`, x.channels, true);
  y = graph.layer('AddConstant', graph.autoName('add'), y, { value: 3 });
  y = graph.layer('ReLU', graph.autoName('re_lu'), y, { max_value: 6 });
  y = graph.layer('MultiplyConstant', graph.autoName('multiply'), y, { value: 1 / 6 });
  return graph.layer('Multiply', `${prefix}_mul`, [x, y]);
}

function activateAs(graph: GraphBuilder, x: Place, activation: 'relu' | 'hard_swish'): Place {
  return activation === 'relu'
    ? graph.layer('ReLU', graph.autoName('re_lu'), x)
    : graph.layer('ActivationOf', graph.autoName('activation'), x, { activation });
}

function convolvePixels(graph: GraphBuilder, x: Place, name: string, filters: number, bias: boolean): Place {
  return convolve(graph, x, name, { filters, kernel: 1, padding: 'same', bias });
}

function weights({ size, md5 }: Member, { top, alpha }: ArchitectureOptions): PublishedWeights | undefined {
  const hashes = md5.get(alpha);
  if (hashes === undefined) return undefined;
  const file = `weights_mobilenet_v3_${size}_224_${pythonFloat(alpha)}_float${top ? '' : '_no_top_v2'}.h5`;
  return publishedFile(`mobilenet_v3/${file}`, top ? hashes[0] : hashes[1]);
}
