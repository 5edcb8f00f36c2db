// InceptionResNetV2: modules of parallel branches whose scaled output is added to their input.
import type { LayerGraph } from '../core/graphs.ts';
import { activate, classify, convolve } from './blocks.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import { addModule, addStem, convolveNormalized, type Branch } from './inceptionParts.ts';
import type { ArchitectureOptions, Preset } from './preset.ts';
import { tensorFlowKernels } from './published.ts';

/** A sequence of residual modules of one kind, with the scale of their outputs. */
interface Group {
  readonly name: 'block35' | 'block17' | 'block8';
  readonly count: number;
  readonly scale: number;
  readonly branches: readonly Branch[];
  /** The module before them. */
  readonly entry: { readonly name: string; readonly branches: readonly Branch[] };
}

// prettier-ignore
const groups: readonly Group[] = [
  {
    name: 'block35',
    count: 10,
    scale: 0.17,
    branches: [[[32, 1]], [[32, 1], [32, 3]], [[32, 1], [48, 3], [64, 3]]],
    entry: {
      name: 'mixed_5b',
      branches: [[[96, 1]], [[48, 1], [64, 5]], [[64, 1], [96, 3], [96, 3]], ['average', [64, 1]]],
    },
  },
  {
    name: 'block17',
    count: 20,
    scale: 0.1,
    branches: [[[192, 1]], [[128, 1], [160, [1, 7]], [192, [7, 1]]]],
    entry: { name: 'mixed_6a', branches: [[[384, 3, 2]], [[256, 1], [256, 3], [384, 3, 2]], ['maximum']] },
  },
  {
    name: 'block8',
    count: 9,
    scale: 0.2,
    branches: [[[192, 1]], [[192, 1], [224, [1, 3]], [256, [3, 1]]]],
    entry: {
      name: 'mixed_7a',
      branches: [[[256, 1], [384, 3, 2]], [[256, 1], [288, 3, 2]], [[256, 1], [288, 3], [320, 3, 2]], ['maximum']],
    },
  },
];

const md5 = ['e693bd0210a403b3192acc6073ad2e96', 'd19885ff4a710c122648d3b5c3b684e4'] as const;

/**
 * InceptionResNetV2 (Szegedy et al. 2016, https://arxiv.org/abs/1602.07261), as in
 * `keras/src/applications/inception_resnet_v2.py`.
 */
export const presets: readonly Preset[] = [
  {
    name: 'inception_resnet_v2',
    kerasName: 'InceptionResNetV2',
    inputSize: 299,
    smallestInputSize: 75,
    mode: 'tf',
    alphas: [1],
    architecture,
    weights: ({ top }) => tensorFlowKernels('inception_resnet_v2', 'inception_resnet_v2', md5, top),
  },
];

function architecture({ inputSize, top }: ArchitectureOptions): LayerGraph {
  const graph = buildGraph('inception_resnet_v2', inputSize);
  let x = addStem(graph);
  for (const { name, count, scale, branches, entry } of groups) {
    x = addModule(graph, x, entry.name, entry.branches);
    for (let i = 1; i <= count; i++) {
      const block = `${name}_${String(i)}`;
      x = activate(graph, addResidual(graph, x, block, { branches, scale }), `${block}_ac`);
    }
  }
  // The last module has scale 1 and no activation.
  x = addResidual(graph, x, 'block8_10', { branches: groups.at(-1)?.branches ?? [], scale: 1 });
  x = convolveNormalized(graph, x, [1536, 1], { name: 'conv_7b' });
  return graph.graph(top ? classify(graph, x, 'avg_pool') : x);
}

function addResidual(
  graph: GraphBuilder,
  x: Place,
  name: string,
  { branches, scale }: Pick<Group, 'branches' | 'scale'>,
): Place {
  const mixed = addModule(graph, x, `${name}_mixed`, branches);
  const up = convolve(graph, mixed, `${name}_conv`, { filters: x.channels, kernel: 1, padding: 'same' });
  return graph.layer('CustomScaleLayer', graph.autoName('custom_scale_layer'), [x, up], { scale });
}
