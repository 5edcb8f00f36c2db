// EfficientNet B0 to B7: one architecture, scaled in width, depth and picture size by one rule.
import type { LayerGraph } from '../core/graphs.ts';
import { halve, multipleOfEight, padZeros, paddingBeforeStride } from './blocks.ts';
import { addEnd, addInvertedBlock, addPart, letterOf } from './efficientnetParts.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import type { ArchitectureOptions, Preset } from './preset.ts';

/** Factors of width and depth, and the hashes of the weights with and without the classifier. */
interface Member {
  readonly number: number;
  readonly inputSize: number;
  readonly width: number;
  readonly depth: number;
  readonly dropout: number;
  readonly md5: readonly [string, string];
}

/** Kernel size, blocks, filters, expansion factor, and strides of the first block, all for B0. */
const groups = [
  [3, 1, 16, 1, 1],
  [3, 2, 24, 6, 2],
  [5, 2, 40, 6, 2],
  [3, 3, 80, 6, 2],
  [5, 3, 112, 6, 1],
  [5, 4, 192, 6, 2],
  [3, 1, 320, 6, 1],
] as const;

const members: readonly Member[] = [
  {
    ...{ number: 0, inputSize: 224, width: 1, depth: 1, dropout: 0.2 },
    md5: ['902e53a9f72be733fc0bcb005b3ebbac', '50bc09e76180e00e4465e1a485ddc09d'],
  },
  {
    ...{ number: 1, inputSize: 240, width: 1, depth: 1.1, dropout: 0.2 },
    md5: ['1d254153d4ab51201f1646940f018540', '74c4e6b3e1f6a1eea24c589628592432'],
  },
  {
    ...{ number: 2, inputSize: 260, width: 1.1, depth: 1.2, dropout: 0.3 },
    md5: ['b15cce36ff4dcbd00b6dd88e7857a6ad', '111f8e2ac8aa800a7a99e3239f7bfb39'],
  },
  {
    ...{ number: 3, inputSize: 300, width: 1.2, depth: 1.4, dropout: 0.3 },
    md5: ['ffd1fdc53d0ce67064dc6a9c7960ede0', 'af6d107764bb5b1abb91932881670226'],
  },
  {
    ...{ number: 4, inputSize: 380, width: 1.4, depth: 1.8, dropout: 0.4 },
    md5: ['18c95ad55216b8f92d7e70b3a046e2fc', 'ebc24e6d6c33eaebbd558eafbeedf1ba'],
  },
  {
    ...{ number: 5, inputSize: 456, width: 1.6, depth: 2.2, dropout: 0.4 },
    md5: ['ace28f2a6363774853a83a0b21b9421a', '38879255a25d3c92d5e44e04ae6cec6f'],
  },
  {
    ...{ number: 6, inputSize: 528, width: 1.8, depth: 2.6, dropout: 0.5 },
    md5: ['165f6e37dce68623721b423839de8be5', '9ecce42647a20130c1f39a5d4cb75743'],
  },
  {
    ...{ number: 7, inputSize: 600, width: 2, depth: 3.1, dropout: 0.5 },
    md5: ['8c03f828fec3ef71311cd463b6759d99', 'cbcfe4450ddf6f3ad90b1b398090fe4a'],
  },
];

/** Momentum of the BatchNormalizations: Keras's default. */
const momentum = 0.99;
/** Drop rate of the last block in training. Earlier blocks have lower rates, in proportion to their index. */
const dropRate = 0.2;
/** Standard deviations of ImageNet's colours in red, green and blue, from 0 to 1. */
const deviations = [0.229, 0.224, 0.225];

/**
 * EfficientNets (Tan and Le 2019, https://arxiv.org/abs/1905.11946), as in `keras/src/applications/efficientnet.py`.
 * The input is pixels from 0 to 255; the network scales them.
 */
export const presets: readonly Preset[] = members.map((member) => ({
  name: `efficientnet_b${String(member.number)}`,
  kerasName: `EfficientNetB${String(member.number)}`,
  inputSize: member.inputSize,
  smallestInputSize: 32,
  mode: 'raw',
  alphas: [1],
  architecture: (options) => architecture(member, options),
  weights: ({ top }) => ({
    // These weights have their own bucket.
    address: `https://storage.googleapis.com/keras-applications/${nameOf(member)}${top ? '' : '_notop'}.h5`,
    hash: { algorithm: 'md5', digest: top ? member.md5[0] : member.md5[1] },
  }),
}));

function architecture(member: Member, { inputSize, top, imagenet = false }: ArchitectureOptions): LayerGraph {
  const { width, dropout } = member;
  const graph = buildGraph(nameOf(member), inputSize);
  let x = padZeros(graph, scale(graph, imagenet), 'stem_conv_pad', paddingBeforeStride(inputSize, 3));
  const names = { name: 'stem_conv', normalization: 'stem_bn', activation: 'stem_activation' };
  const filters = multipleOfEight(32 * width);
  x = addPart(graph, x, { ...names, filters, kernel: 3, strides: 2, padding: 'valid', momentum });
  const blocks = blocksOf(member);
  let size = halve(inputSize);
  blocks.forEach((block, index) => {
    const { kernel, strides } = block;
    const padding = strides === 2 ? paddingBeforeStride(size, kernel) : undefined;
    const rate = (dropRate * index) / blocks.length;
    x = addInvertedBlock(graph, x, { ...block, dropRate: rate, momentum }, { depthwise: 'dwconv', padding });
    if (strides === 2) size = halve(size);
  });
  x = addEnd(graph, x, { filters: multipleOfEight(1280 * width), dropout, top, momentum });
  return graph.graph(x);
}

/** Blocks in order, their number multiplied by the depth factor. */
function blocksOf({ width, depth }: Member) {
  return groups.flatMap(([kernel, count, channels, expansion, strides], group) =>
    Array.from({ length: Math.ceil(depth * count) }, (_, i) => ({
      prefix: `block${String(group + 1)}${letterOf(i)}_`,
      kernel,
      filters: multipleOfEight(channels * width),
      strides: i === 0 ? strides : (1 as const),
      expansion,
    })),
  );
}

/**
 * Scales pixels. The published weights were trained on pixels divided by the variance instead of the standard
 * deviation. Keras corrects this with another scaling: https://github.com/tensorflow/tensorflow/issues/49930.
 */
function scale(graph: GraphBuilder, imagenet: boolean): Place {
  const x = graph.layer('Rescaling', graph.autoName('rescaling'), graph.input, { scale: 1 / 255, offset: 0 });
  const y = graph.layer('Normalization', graph.autoName('normalization'), x, { axis: -1 });
  if (!imagenet) return y;
  const factors = deviations.map((deviation) => 1 / Math.sqrt(deviation));
  return graph.layer('Rescaling', graph.autoName('rescaling'), y, { scale: factors, offset: 0 });
}

function nameOf({ number }: Member): string {
  return `efficientnetb${String(number)}`;
}
