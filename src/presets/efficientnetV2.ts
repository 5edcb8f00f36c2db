// EfficientNetV2: the first blocks have one convolution over all channels instead of two.
import type { LayerGraph } from '../core/graphs.ts';
import { addEnd, addFusedBlock, addInvertedBlock, addPart, letterOf } from './efficientnetParts.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import type { ArchitectureOptions, Preset } from './preset.ts';
import { publishedFile } from './published.ts';

/** A group of blocks with equal width. All have 3 × 3 kernels. */
type Group = readonly [
  count: number,
  /** Channels at width 1. */
  filters: number,
  expansion: number,
  /** Strides of the first block. */
  strides: 1 | 2,
  kind: 'fused' | 'inverted',
];

/** Factors of width and depth, and the hashes of the weights with and without the classifier. */
interface Member {
  readonly size: 'b0' | 'b1' | 'b2' | 'b3' | 's' | 'm';
  readonly inputSize: number;
  readonly width: number;
  readonly depth: number;
  /** Filters of the first convolution at width 1. */
  readonly stem: number;
  readonly groups: readonly Group[];
  readonly md5: readonly [string, string];
}

const groupsOfB: readonly Group[] = [
  [1, 16, 1, 1, 'fused'],
  [2, 32, 4, 2, 'fused'],
  [2, 48, 4, 2, 'fused'],
  [3, 96, 4, 2, 'inverted'],
  [5, 112, 6, 1, 'inverted'],
  [8, 192, 6, 2, 'inverted'],
];

const groupsOfS: readonly Group[] = [
  [2, 24, 1, 1, 'fused'],
  [4, 48, 4, 2, 'fused'],
  [4, 64, 4, 2, 'fused'],
  [6, 128, 4, 2, 'inverted'],
  [9, 160, 6, 1, 'inverted'],
  [15, 256, 6, 2, 'inverted'],
];

const groupsOfM: readonly Group[] = [
  [3, 24, 1, 1, 'fused'],
  [5, 48, 4, 2, 'fused'],
  [5, 80, 4, 2, 'fused'],
  [7, 160, 4, 2, 'inverted'],
  [14, 176, 6, 1, 'inverted'],
  [18, 304, 6, 2, 'inverted'],
  [5, 512, 6, 1, 'inverted'],
];

const members: readonly Member[] = [
  {
    ...{ size: 'b0', inputSize: 224, width: 1, depth: 1, stem: 32, groups: groupsOfB },
    md5: ['21ecbf6da12460d5c40bb2f29ceb2188', '893217f2bb855e2983157299931e43ff'],
  },
  {
    ...{ size: 'b1', inputSize: 240, width: 1, depth: 1.1, stem: 32, groups: groupsOfB },
    md5: ['069f0534ff22adf035c89e2d9547a9dc', '0e80663031ca32d657f9caa404b6ec37'],
  },
  {
    ...{ size: 'b2', inputSize: 260, width: 1.1, depth: 1.2, stem: 32, groups: groupsOfB },
    md5: ['424e49f28180edbde1e94797771950a7', '1dfe2e7a5d45b6632553a8961ea609eb'],
  },
  {
    ...{ size: 'b3', inputSize: 300, width: 1.2, depth: 1.4, stem: 32, groups: groupsOfB },
    md5: ['1f1fc43bd98a6e4fd8fdfd551e02c7a0', 'f6abf7b5849ac99a89b50dd3fd532856'],
  },
  {
    ...{ size: 's', inputSize: 384, width: 1, depth: 1, stem: 24, groups: groupsOfS },
    md5: ['e1d88a8495beba45748fedd0cecbe016', 'af0682fb74e8c54910f2d4393339c070'],
  },
  {
    ...{ size: 'm', inputSize: 480, width: 1, depth: 1, stem: 24, groups: groupsOfM },
    md5: ['a3bf6aa3276309f4fc6a34aa114c95cd', '1b8dc055df72dde80d614482840fe342'],
  },
];

/** Momentum of the BatchNormalizations. */
const momentum = 0.9;
/** Drop rate of the last block in training. Earlier blocks have lower rates, in proportion to their index. */
const dropRate = 0.2;

/**
 * EfficientNetV2 (Tan and Le 2021, https://arxiv.org/abs/2104.00298), as in
 * `keras/src/applications/efficientnet_v2.py`. The input is pixels from 0 to 255; the network scales them.
 */
export const presets: readonly Preset[] = members.map((member) => ({
  name: `efficientnet_v2_${member.size}`,
  kerasName: `EfficientNetV2${member.size.toUpperCase()}`,
  inputSize: member.inputSize,
  smallestInputSize: 32,
  mode: 'raw',
  alphas: [1],
  architecture: (options) => architecture(member, options),
  weights: ({ top }) => {
    const file = `${nameOf(member)}${top ? '' : '_notop'}.h5`;
    return publishedFile(`efficientnet_v2/${file}`, top ? member.md5[0] : member.md5[1]);
  },
}));

function architecture(member: Member, { inputSize, top }: ArchitectureOptions): LayerGraph {
  const { width, depth, stem, groups } = member;
  const graph = buildGraph(nameOf(member), inputSize);
  const names = { name: 'stem_conv', normalization: 'stem_bn', activation: 'stem_activation' };
  const first = { filters: eights(stem * width), kernel: 3, strides: 2, momentum } as const;
  let x = addPart(graph, scale(graph, member), { ...names, ...first });
  // The rate grows with the number of blocks at depth 1, for any depth.
  const planned = groups.reduce((sum, [count]) => sum + count, 0);
  let added = 0;
  groups.forEach(([count, filters, expansion, strides, kind], group) => {
    for (let i = 0; i < Math.ceil(depth * count); i++, added++) {
      const block = {
        prefix: `block${String(group + 1)}${letterOf(i)}_`,
        kernel: 3,
        filters: eights(filters * width),
        strides: i === 0 ? strides : 1,
        expansion,
        dropRate: (dropRate * added) / planned,
        momentum,
      } as const;
      x =
        kind === 'fused' ? addFusedBlock(graph, x, block) : addInvertedBlock(graph, x, block, { depthwise: 'dwconv2' });
    }
  });
  return graph.graph(addEnd(graph, x, { filters: eights(1280 * width), dropout: 0.2, top, momentum }));
}

/** Scales pixels: B0 to B3 as in the first version, the others to -1..1, with 128 instead of 127.5. */
function scale(graph: GraphBuilder, { size }: Member): Place {
  const name = graph.autoName('rescaling');
  if (!size.startsWith('b')) return graph.layer('Rescaling', name, graph.input, { scale: 1 / 128, offset: -1 });
  const x = graph.layer('Rescaling', name, graph.input, { scale: 1 / 255, offset: 0 });
  const variance = [0.229 ** 2, 0.224 ** 2, 0.225 ** 2];
  const statistics = { mean: [0.485, 0.456, 0.406], variance };
  return graph.layer('Normalization', graph.autoName('normalization'), x, { axis: -1, ...statistics });
}

/** The nearest multiple of 8. Unlike in other families, it may be much smaller than the number. */
function eights(channels: number): number {
  return Math.max(8, Math.floor(Math.trunc(channels + 4) / 8) * 8);
}

function nameOf({ size }: Member): string {
  return `efficientnetv2-${size}`;
}
