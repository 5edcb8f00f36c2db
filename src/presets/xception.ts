// Xception: residual blocks of separable convolutions.
import type { LayerGraph } from '../core/graphs.ts';
import { activate, classify, convolve, convolveSeparably, normalizeBatch, poolMaximum } from './blocks.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import type { ArchitectureOptions, Preset } from './preset.ts';
import { tensorFlowKernels } from './published.ts';

/** Filters of the separable convolutions in the blocks 2 to 13, and whether the block halves the size at its end. */
const blocks: readonly (readonly [filters: readonly number[], halves: boolean])[] = [
  [[128, 128], true],
  [[256, 256], true],
  [[728, 728], true],
  ...Array.from({ length: 8 }, () => [[728, 728, 728], false] as const),
  [[728, 1024], true],
];

const md5 = ['0a58e3b7378bc2990ea3b43d5981f1f6', 'b0042744bf5b25fce3cb969f33bebb97'] as const;

/** Xception (Chollet 2016, https://arxiv.org/abs/1610.02357), as in `keras/src/applications/xception.py`. */
export const presets: readonly Preset[] = [
  {
    name: 'xception',
    kerasName: 'Xception',
    inputSize: 299,
    smallestInputSize: 71,
    mode: 'tf',
    alphas: [1],
    architecture,
    weights: ({ top }) => tensorFlowKernels('xception', 'xception', md5, top),
  },
];

function architecture({ inputSize, top }: ArchitectureOptions): LayerGraph {
  const graph = buildGraph('xception', inputSize);
  let x = convolve(graph, graph.input, 'block1_conv1', { filters: 32, kernel: 3, strides: 2, bias: false });
  x = activate(graph, normalizeBatch(graph, x, 'block1_conv1_bn'), 'block1_conv1_act');
  x = convolve(graph, x, 'block1_conv2', { filters: 64, kernel: 3, bias: false });
  x = activate(graph, normalizeBatch(graph, x, 'block1_conv2_bn'), 'block1_conv2_act');
  blocks.forEach(([filters, halves], index) => {
    x = addBlock(graph, x, `block${String(index + 2)}`, { filters, halves });
  });
  for (const [number, filters] of [1536, 2048].entries()) {
    const name = `block14_sepconv${String(number + 1)}`;
    x = activate(graph, addSeparable(graph, x, name, filters), `${name}_act`);
  }
  return graph.graph(top ? classify(graph, x, 'avg_pool') : x);
}

function addBlock(
  graph: GraphBuilder,
  x: Place,
  block: string,
  { filters, halves }: { readonly filters: readonly number[]; readonly halves: boolean },
): Place {
  const around = halves ? project(graph, x, filters.at(-1) ?? 0) : x;
  let y = x;
  filters.forEach((width, index) => {
    const name = `${block}_sepconv${String(index + 1)}`;
    // The input of the second block is activated already.
    if (name !== 'block2_sepconv1') y = activate(graph, y, `${name}_act`);
    y = addSeparable(graph, y, name, width);
  });
  if (halves) y = poolMaximum(graph, y, `${block}_pool`, { pool: 3, strides: 2, padding: 'same' });
  return graph.layer('Add', graph.autoName('add'), [y, around]);
}

/** The shortcut of a block, projected to the block's size and channels. */
function project(graph: GraphBuilder, x: Place, filters: number): Place {
  const convolution = { filters, kernel: 1, strides: 2, padding: 'same', bias: false } as const;
  const y = convolve(graph, x, graph.autoName('conv2d'), convolution);
  return normalizeBatch(graph, y, graph.autoName('batch_normalization'));
}

function addSeparable(graph: GraphBuilder, x: Place, name: string, filters: number): Place {
  return normalizeBatch(graph, convolveSeparably(graph, x, name, { filters, kernel: 3 }), `${name}_bn`);
}
