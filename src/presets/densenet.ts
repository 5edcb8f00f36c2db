// DenseNets: blocks in which every layer reads the channels of all layers before it.
import type { LayerGraph } from '../core/graphs.ts';
import {
  activate,
  classify,
  concatenate,
  convolve,
  normalizeBatch,
  padZeros,
  poolAverage,
  poolMaximum,
} from './blocks.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import type { ArchitectureOptions, Preset } from './preset.ts';
import { tensorFlowKernels } from './published.ts';

/** Number of layers in each block, and the hashes of the weights with and without the classifier. */
interface Member {
  readonly name: string;
  readonly kerasName: string;
  readonly depths: readonly number[];
  readonly md5: readonly [string, string];
}

const members: readonly Member[] = [
  {
    name: 'densenet121',
    kerasName: 'DenseNet121',
    depths: [6, 12, 24, 16],
    md5: ['9d60b8095a5708f2dcce2bca79d332c7', '30ee3e1110167f948a6b9946edeeb738'],
  },
  {
    name: 'densenet169',
    kerasName: 'DenseNet169',
    depths: [6, 12, 32, 32],
    md5: ['d699b8f76981ab1b30698df4c175e90b', 'b8c4d4c20dd625c148057b9ff1c1176b'],
  },
  {
    name: 'densenet201',
    kerasName: 'DenseNet201',
    depths: [6, 12, 48, 32],
    md5: ['1ceb130c1ea1b78c3bf6114dbdfd8807', 'c13680b51ded0fb44dff2d8f86ac8bb1'],
  },
];

const epsilon = 1.001e-5;
/** Number of channels that each layer adds. */
const growth = 32;

/**
 * DenseNets (Huang et al. 2016, https://arxiv.org/abs/1608.06993), as in `keras/src/applications/densenet.py`.
 */
export const presets: readonly Preset[] = members.map((member) => ({
  name: member.name,
  kerasName: member.kerasName,
  inputSize: 224,
  smallestInputSize: 32,
  mode: 'torch',
  alphas: [1],
  architecture: (options) => architecture(member, options),
  weights: ({ top }) => tensorFlowKernels('densenet', member.name, member.md5, top),
}));

function architecture({ name, depths }: Member, { inputSize, top }: ArchitectureOptions): LayerGraph {
  const graph = buildGraph(name, inputSize);
  let x = padZeros(graph, graph.input, graph.autoName('zero_padding2d'), [[3, 3], [3, 3]]); // prettier-ignore
  x = convolve(graph, x, 'conv1_conv', { filters: 64, kernel: 7, strides: 2, bias: false });
  x = activated(graph, x, 'conv1_bn', 'conv1_relu');
  x = padZeros(graph, x, graph.autoName('zero_padding2d'), [[1, 1], [1, 1]]); // prettier-ignore
  x = poolMaximum(graph, x, 'pool1', { pool: 3, strides: 2 });
  depths.forEach((depth, index) => {
    const number = String(index + 2);
    for (let i = 1; i <= depth; i++) x = addLayer(graph, x, `conv${number}_block${String(i)}`);
    if (index < depths.length - 1) x = addTransition(graph, x, `pool${number}`);
  });
  x = activated(graph, x, 'bn', 'relu');
  return graph.graph(top ? classify(graph, x, 'avg_pool') : x);
}

function addLayer(graph: GraphBuilder, x: Place, name: string): Place {
  let y = activated(graph, x, `${name}_0_bn`, `${name}_0_relu`);
  y = convolve(graph, y, `${name}_1_conv`, { filters: 4 * growth, kernel: 1, bias: false });
  y = activated(graph, y, `${name}_1_bn`, `${name}_1_relu`);
  y = convolve(graph, y, `${name}_2_conv`, { filters: growth, kernel: 3, padding: 'same', bias: false });
  return concatenate(graph, [x, y], `${name}_concat`);
}

/** Halves channels, height and width. */
function addTransition(graph: GraphBuilder, x: Place, name: string): Place {
  const filters = Math.floor(x.channels / 2);
  let y = activated(graph, x, `${name}_bn`, `${name}_relu`);
  y = convolve(graph, y, `${name}_conv`, { filters, kernel: 1, bias: false });
  return poolAverage(graph, y, `${name}_pool`, { pool: 2, strides: 2 });
}

function activated(graph: GraphBuilder, x: Place, normalization: string, activation: string): Place {
  return activate(graph, normalizeBatch(graph, x, normalization, { epsilon }), activation);
}
