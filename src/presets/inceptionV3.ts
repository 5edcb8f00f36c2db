// InceptionV3: modules of parallel branches, with convolutions factorised into rows and columns.
import type { LayerGraph } from '../core/graphs.ts';
import { classify, concatenate } from './blocks.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import { addBranch, addModule, addStem, type Branch } from './inceptionParts.ts';
import type { ArchitectureOptions, Preset } from './preset.ts';
import { tensorFlowKernels } from './published.ts';

const row = [1, 7] as const;
const column = [7, 1] as const;

/** The branches of the modules mixed0 to mixed8. */
const modules: readonly (readonly Branch[])[] = [
  small(32),
  small(64),
  small(64),
  [[[384, 3, 2]], [[64, 1], [96, 3], [96, 3, 2]], ['maximum']], // prettier-ignore
  split(128),
  split(160),
  split(160),
  split(192),
  [
    [[192, 1], [320, 3, 2]], // prettier-ignore
    [[192, 1], [192, row], [192, column], [192, 3, 2]], // prettier-ignore
    ['maximum'],
  ],
];

const md5 = ['9a0d58056eeedaa3f26cb7ebd46da564', 'bcbd6486424b2319ff4ef7d526e38f63'] as const;

/**
 * InceptionV3 (Szegedy et al. 2015, https://arxiv.org/abs/1512.00567), as in `keras/src/applications/inception_v3.py`.
 */
export const presets: readonly Preset[] = [
  {
    name: 'inception_v3',
    kerasName: 'InceptionV3',
    inputSize: 299,
    smallestInputSize: 75,
    mode: 'tf',
    alphas: [1],
    architecture,
    weights: ({ top }) => tensorFlowKernels('inception_v3', 'inception_v3', md5, top),
  },
];

function architecture({ inputSize, top }: ArchitectureOptions): LayerGraph {
  const graph = buildGraph('inception_v3', inputSize);
  let x = addStem(graph);
  modules.forEach((branches, index) => {
    x = addModule(graph, x, `mixed${String(index)}`, branches);
  });
  x = addWideModule(graph, x, 0);
  x = addWideModule(graph, x, 1);
  return graph.graph(top ? classify(graph, x, 'avg_pool') : x);
}

/** The branches of a module with 5 × 5 convolutions. */
function small(pooled: number): readonly Branch[] {
  return [
    [[64, 1]],
    [[48, 1], [64, 5]], // prettier-ignore
    [[64, 1], [96, 3], [96, 3]], // prettier-ignore
    ['average', [pooled, 1]],
  ];
}

/** The branches of a module with 7 × 7 convolutions, each factorised into a row and a column. */
function split(width: number): readonly Branch[] {
  return [
    [[192, 1]],
    [[width, 1], [width, row], [192, column]], // prettier-ignore
    [[width, 1], [width, column], [width, row], [width, column], [192, row]], // prettier-ignore
    ['average', [192, 1]],
  ];
}

/** Adds one of the last modules, whose branches end in a row and a column in parallel. */
function addWideModule(graph: GraphBuilder, x: Place, number: number): Place {
  const fork = (y: Place) => [addBranch(graph, y, [[384, [1, 3]]]), addBranch(graph, y, [[384, [3, 1]]])];
  const pixels = addBranch(graph, x, [[320, 1]]);
  const once = concatenate(graph, fork(addBranch(graph, x, [[384, 1]])), `mixed9_${String(number)}`);
  const ends = fork(addBranch(graph, x, [[448, 1], [384, 3]])); // prettier-ignore
  const twice = concatenate(graph, ends, graph.autoName('concatenate'));
  const pooled = addBranch(graph, x, ['average', [192, 1]]);
  return concatenate(graph, [pixels, once, twice, pooled], `mixed${String(9 + number)}`);
}
