// Finds LayerNormalizations over the last axis among the nodes of a graph.
import type { NodeSpec } from '../../core/graphs.ts';
import { attribute } from '../graphs/nodeGraph.ts';
import { findPattern, minus, node, plus, times, type Found, type Operation, type Searched } from './nodePattern.ts';

const centred = minus('x', node('Mean', 'x', 'axis'));
const variance = node('Mean', node('Square', centred), 'axes');
const normal = times(centred, node('Rsqrt', plus(variance, 'epsilon')));

/** With gamma and beta, or with one of them. */
const formulas: readonly Operation[] = [
  plus(times(normal, 'gamma'), 'beta'),
  times(normal, 'gamma'),
  plus(normal, 'beta'),
];

/** A LayerNormalization: references to what it reads, and its settings. */
export interface FoundLayerNorm {
  readonly x: string;
  readonly gamma: string | undefined;
  readonly beta: string | undefined;
  readonly epsilon: number;
  /** As in the graph: it may be negative. */
  readonly axis: number;
}

/** Finds the LayerNormalization that ends in a node. */
export function layerNormAt(graph: Searched, last: NodeSpec): FoundLayerNorm | undefined {
  for (const formula of formulas) {
    const found = findPattern(graph, last, formula);
    const read = found && normOf(graph, found);
    if (read !== undefined) return read;
  }
  return undefined;
}

function normOf(graph: Searched, { values, inner }: Found): FoundLayerNorm | undefined {
  const [x, gamma, beta] = ['x', 'gamma', 'beta'].map((name) => values.get(name));
  const epsilon = graph.constant(values.get('epsilon'));
  const axes = [...inner].flatMap((name) => graph.byName.get(name) ?? []).flatMap((each) => axisOf(graph, each));
  const [axis] = axes;
  const weights = [gamma, beta].flatMap((reference) => (reference === undefined ? [] : [graph.constant(reference)]));
  const areVectors = weights.every((value) => value?.rank === 1 && value.size === weights[0]?.size);
  if (x === undefined || epsilon?.size !== 1 || axis === undefined || !areVectors) return undefined;
  if (axes.some((each) => each !== axis)) return undefined;
  return { x, gamma, beta, epsilon: epsilon.dataSync()[0] ?? 0, axis };
}

/** The axis of a Mean: NaN if there are several, or if it is not kept. */
function axisOf({ constant }: Searched, mean: NodeSpec): number[] {
  if (mean.op !== 'Mean') return [];
  const axes = constant(mean.inputs[1]);
  const isKept = attribute(mean, 'keep_dims').b === true;
  return [isKept && axes?.size === 1 ? (axes.dataSync()[0] ?? NaN) : NaN];
}
