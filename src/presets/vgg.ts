// VGG16 and VGG19: blocks of 3 × 3 convolutions, each followed by a pooling.
import type { LayerGraph } from '../core/graphs.ts';
import { connect, convolve, poolMaximum } from './blocks.ts';
import { buildGraph } from './graphBuilder.ts';
import type { ArchitectureOptions, Preset } from './preset.ts';
import { tensorFlowKernels } from './published.ts';

/** Number of convolutions in each block, and the hashes of the weights with and without the classifier. */
interface Member {
  readonly name: string;
  readonly kerasName: string;
  readonly depths: readonly number[];
  readonly md5: readonly [string, string];
}

const filters = [64, 128, 256, 512, 512];

const members: readonly Member[] = [
  {
    name: 'vgg16',
    kerasName: 'VGG16',
    depths: [2, 2, 3, 3, 3],
    md5: ['64373286793e3c8b2b4e3219cbf3544b', '6d6bbae143d832006294945121d1f1fc'],
  },
  {
    name: 'vgg19',
    kerasName: 'VGG19',
    depths: [2, 2, 4, 4, 4],
    md5: ['cbe5617147190e668d6c5d5026f83318', '253f8cb515780f3b799900260a226db6'],
  },
];

/**
 * VGG16 and VGG19 (Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556), as in
 * `keras/src/applications/vgg16.py` and `vgg19.py`.
 */
export const presets: readonly Preset[] = members.map((member) => ({
  name: member.name,
  kerasName: member.kerasName,
  inputSize: 224,
  smallestInputSize: 32,
  mode: 'caffe',
  alphas: [1],
  architecture: (options) => architecture(member, options),
  weights: ({ top }) => tensorFlowKernels(member.name, member.name, member.md5, top),
}));

function architecture({ name, depths }: Member, { inputSize, top }: ArchitectureOptions): LayerGraph {
  const graph = buildGraph(name, inputSize);
  let x = graph.input;
  filters.forEach((width, index) => {
    const block = `block${String(index + 1)}`;
    for (let i = 1; i <= (depths[index] ?? 0); i++) {
      const convolution = { filters: width, kernel: 3, padding: 'same', activation: 'relu' } as const;
      x = convolve(graph, x, `${block}_conv${String(i)}`, convolution);
    }
    x = poolMaximum(graph, x, `${block}_pool`, { pool: 2, strides: 2 });
  });
  if (!top) return graph.graph(x);
  x = graph.layer('Flatten', 'flatten', x);
  x = connect(graph, x, 'fc1', 4096, 'relu');
  x = connect(graph, x, 'fc2', 4096, 'relu');
  return graph.graph(connect(graph, x, 'predictions', 1000, 'softmax'));
}
