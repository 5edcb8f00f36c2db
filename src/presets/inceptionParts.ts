// Shared parts of InceptionV3 and InceptionResNetV2: their first layers, and modules of parallel branches.
import { activate, concatenate, convolve, normalizeBatch, poolAverage, poolMaximum } from './blocks.ts';
import type { GraphBuilder, Place } from './graphBuilder.ts';

/** A convolution of a branch: filters, height and width, strides. Convolutions with strides 2 have no padding. */
export type Step = readonly [filters: number, kernel: number | readonly [number, number], strides?: 1 | 2];

/** Steps in sequence. Poolings have a window of 3: 'average' keeps the size, 'maximum' halves it. */
export type Branch = readonly (Step | 'average' | 'maximum')[];

/** Adds the layers before the first module. */
export function addStem(graph: GraphBuilder): Place {
  const step = (x: Place, ...convolution: Step) => convolveNormalized(graph, x, convolution, { padding: 'valid' });
  let x = step(step(graph.input, 32, 3, 2), 32, 3);
  x = addBranch(graph, x, [[64, 3], 'maximum']);
  x = step(step(x, 80, 1), 192, 3);
  return addBranch(graph, x, ['maximum']);
}

/** Adds branches that all read `x`, and concatenates their channels. */
export function addModule(graph: GraphBuilder, x: Place, name: string, branches: readonly Branch[]): Place {
  return concatenate(
    graph,
    branches.map((branch) => addBranch(graph, x, branch)),
    name,
  );
}

/** Adds the steps of a branch, with Keras's automatic names. */
export function addBranch(graph: GraphBuilder, x: Place, branch: Branch): Place {
  return branch.reduce((y: Place, step) => {
    if (step === 'average') {
      return poolAverage(graph, y, graph.autoName('average_pooling2d'), { pool: 3, strides: 1, padding: 'same' });
    }
    if (step === 'maximum') return poolMaximum(graph, y, graph.autoName('max_pooling2d'), { pool: 3, strides: 2 });
    return convolveNormalized(graph, y, step);
  }, x);
}

/**
 * Adds a convolution without a bias, a BatchNormalization without a scale, and a ReLU.
 *
 * @param options.name - Name of the convolution and, with an ending, of the others. Default: Keras's automatic names.
 * @param options.padding - Default: 'valid' with strides, 'same' without.
 */
export function convolveNormalized(
  graph: GraphBuilder,
  x: Place,
  [filters, kernel, strides = 1]: Step,
  { name, padding = strides === 1 ? 'same' : 'valid' }: { name?: string; padding?: 'same' | 'valid' } = {},
): Place {
  const named = (prefix: string, ending: string) => (name === undefined ? graph.autoName(prefix) : `${name}${ending}`);
  let y = convolve(graph, x, named('conv2d', ''), { filters, kernel, strides, padding, bias: false });
  y = normalizeBatch(graph, y, named('batch_normalization', '_bn'), { scale: false });
  return activate(graph, y, named('activation', '_ac'));
}
