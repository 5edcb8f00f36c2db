// ResNet50, 101, 152 and their second version: bottleneck blocks with a shortcut.
import type { LayerGraph } from '../core/graphs.ts';
import { activate, classify, convolve, normalizeBatch, padZeros, poolMaximum } from './blocks.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import type { ArchitectureOptions, Preset } from './preset.ts';
import { tensorFlowKernels } from './published.ts';

/** Number of blocks in each stack, and the hashes of the weights with and without the classifier. */
interface Member {
  readonly name: string;
  readonly kerasName: string;
  readonly version: 1 | 2;
  readonly depths: readonly number[];
  readonly md5: readonly [string, string];
}

/** One bottleneck block. */
interface Block {
  readonly name: string;
  /** Channels inside the block. The output has four times as many. */
  readonly filters: number;
  readonly strides: number;
  /** Whether the shortcut has a convolution. */
  readonly projects: boolean;
}

const filters = [64, 128, 256, 512];
const epsilon = 1.001e-5;
const one = [1, 1] as const;
const three = [3, 3] as const;

const members: readonly Member[] = [
  {
    name: 'resnet50',
    kerasName: 'ResNet50',
    version: 1,
    depths: [3, 4, 6, 3],
    md5: ['2cb95161c43110f7111970584f804107', '4d473c1dd8becc155b73f8504c6f6626'],
  },
  {
    name: 'resnet101',
    kerasName: 'ResNet101',
    version: 1,
    depths: [3, 4, 23, 3],
    md5: ['f1aeb4b969a6efcfb50fad2f0c20cfc5', '88cf7a10940856eca736dc7b7e228a21'],
  },
  {
    name: 'resnet152',
    kerasName: 'ResNet152',
    version: 1,
    depths: [3, 8, 36, 3],
    md5: ['100835be76be38e30d865e96f2aaae62', 'ee4c566cf9a93f14d82f913c2dc6dd0c'],
  },
  {
    name: 'resnet50v2',
    kerasName: 'ResNet50V2',
    version: 2,
    depths: [3, 4, 6, 3],
    md5: ['3ef43a0b657b3be2300d5770ece849e0', 'fac2f116257151a9d068a22e544a4917'],
  },
  {
    name: 'resnet101v2',
    kerasName: 'ResNet101V2',
    version: 2,
    depths: [3, 4, 23, 3],
    md5: ['6343647c601c52e1368623803854d971', 'c0ed64b8031c3730f411d2eb4eea35b5'],
  },
  {
    name: 'resnet152v2',
    kerasName: 'ResNet152V2',
    version: 2,
    depths: [3, 8, 36, 3],
    md5: ['a49b44d1979771252814e80f8ec446f9', 'ed17cf2e0169df9d443503ef94b23b33'],
  },
];

/**
 * ResNets (He et al. 2015, https://arxiv.org/abs/1512.03385) and ResNets V2 (He et al. 2016,
 * https://arxiv.org/abs/1603.05027), as in `keras/src/applications/resnet.py` and `resnet_v2.py`.
 */
export const presets: readonly Preset[] = members.map((member) => ({
  name: member.name,
  kerasName: member.kerasName,
  inputSize: 224,
  smallestInputSize: 32,
  mode: member.version === 1 ? 'caffe' : 'tf',
  alphas: [1],
  architecture: (options) => architecture(member, options),
  weights: ({ top }) => tensorFlowKernels('resnet', member.name, member.md5, top),
}));

function architecture({ name, version, depths }: Member, { inputSize, top }: ArchitectureOptions): LayerGraph {
  const graph = buildGraph(name, inputSize);
  let x = padZeros(graph, graph.input, 'conv1_pad', [three, three]);
  x = convolve(graph, x, 'conv1_conv', { filters: 64, kernel: 7, strides: 2 });
  if (version === 1) x = activate(graph, normalizeBatch(graph, x, 'conv1_bn', { epsilon }), 'conv1_relu');
  x = padZeros(graph, x, 'pool1_pad', [one, one]);
  x = poolMaximum(graph, x, 'pool1_pool', { pool: 3, strides: 2 });
  depths.forEach((depth, index) => {
    for (let i = 1; i <= depth; i++) {
      const [block, add] = version === 1 ? [blockOf(index, i, 1), addBlock] : [blockOf(index, i, depth), addBlockV2];
      x = add(graph, x, block);
    }
  });
  if (version === 2) x = activate(graph, normalizeBatch(graph, x, 'post_bn', { epsilon }), 'post_relu');
  return graph.graph(top ? classify(graph, x, 'avg_pool') : x);
}

/**
 * The block `number` of a stack.
 *
 * @param strided - Number of the block that halves the size: the first in version 1, the last in version 2. In each
 * version one stack keeps its size.
 */
function blockOf(stack: number, number: number, strided: number): Block {
  const keepsSize = strided === 1 ? stack === 0 : stack === filters.length - 1;
  return {
    name: `conv${String(stack + 2)}_block${String(number)}`,
    filters: filters[stack] ?? 0,
    strides: number === strided && !keepsSize ? 2 : 1,
    projects: number === 1,
  };
}

function addBlock(graph: GraphBuilder, x: Place, { name, filters: width, strides, projects }: Block): Place {
  const normalized = (input: Place, part: string, convolution: Parameters<typeof convolve>[3]) =>
    normalizeBatch(graph, convolve(graph, input, `${name}_${part}_conv`, convolution), `${name}_${part}_bn`, {
      epsilon,
    });
  const around = projects ? normalized(x, '0', { filters: 4 * width, kernel: 1, strides }) : x;
  let y = activate(graph, normalized(x, '1', { filters: width, kernel: 1, strides }), `${name}_1_relu`);
  y = activate(graph, normalized(y, '2', { filters: width, kernel: 3, padding: 'same' }), `${name}_2_relu`);
  y = normalized(y, '3', { filters: 4 * width, kernel: 1 });
  return activate(graph, graph.layer('Add', `${name}_add`, [around, y]), `${name}_out`);
}

function addBlockV2(graph: GraphBuilder, x: Place, { name, filters: width, strides, projects }: Block): Place {
  const active = (input: Place, part: string) =>
    activate(graph, normalizeBatch(graph, input, `${name}_${part}_bn`, { epsilon }), `${name}_${part}_relu`);
  const entry = active(x, 'preact');
  const around = projects ? convolve(graph, entry, `${name}_0_conv`, { filters: 4 * width, kernel: 1 }) : undefined;
  const skipped =
    strides > 1 ? poolMaximum(graph, x, graph.autoName('max_pooling2d'), { pool: 1, strides }) : (around ?? x);
  let y = convolve(graph, entry, `${name}_1_conv`, { filters: width, kernel: 1, bias: false });
  y = padZeros(graph, active(y, '1'), `${name}_2_pad`, [one, one]);
  y = convolve(graph, y, `${name}_2_conv`, { filters: width, kernel: 3, strides, bias: false });
  y = convolve(graph, active(y, '2'), `${name}_3_conv`, { filters: 4 * width, kernel: 1 });
  return graph.layer('Add', `${name}_out`, [skipped, y]);
}
