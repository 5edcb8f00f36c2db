// Finds activations among the nodes of a graph that are formulas there and one kernel of this package.
import type { NodeSpec } from '../../core/graphs.ts';
import {
  findPattern,
  node,
  over,
  plus,
  times,
  type Found,
  type Operation,
  type Pattern,
  type Searched,
} from './nodePattern.ts';

const raised = node('Relu6', plus('x', 3));
const gate: readonly Pattern[] = [times(raised, 1 / 6), over(raised, 6)];
const halfPlusErf: readonly Pattern[] = [
  plus(node('Erf', times('x', Math.SQRT1_2)), 1),
  plus(node('Erf', over('x', Math.SQRT2)), 1),
];
const cubes: readonly Pattern[] = [times('x', node('Square', 'x')), node('Pow', 'x', 3)];
const tanhs = cubes.map((cube) =>
  plus(node('Tanh', times(plus('x', times(cube, 0.044715)), Math.sqrt(2 / Math.PI))), 1),
);

/** Formulas by the name of the activation. Those within others come after them. */
const formulas: readonly (readonly [string, Operation])[] = [
  ['silu', times('x', node('Sigmoid', 'x'))],
  ...gate.map((each) => ['hard_silu', times('x', each)] as const),
  ['hard_silu', times(times('x', raised), 1 / 6)],
  ['hard_silu', over(times('x', raised), 6)],
  ['hard_sigmoid_relu6', times(raised, 1 / 6)],
  ['hard_sigmoid_relu6', over(raised, 6)],
  ['hard_sigmoid', node('ClipByValue', plus(times('x', 0.2), 0.5), 0, 1)],
  ...halvesOf('gelu', halfPlusErf),
  ...halvesOf('gelu_tanh', tanhs),
];

/** `x · part / 2`, in the orders in which it is written. */
function halvesOf(name: string, parts: readonly Pattern[]): (readonly [string, Operation])[] {
  return parts.flatMap((part) => [
    [name, times(times('x', part), 0.5)] as const,
    [name, times(times('x', 0.5), part)] as const,
    [name, times('x', times(part, 0.5))] as const,
  ]);
}

/** An activation that ends in a node. */
export interface FoundActivation extends Found {
  readonly activation: string;
  /** What it is applied to. */
  readonly x: string;
}

/** Finds the activation that ends in a node; the longest, if a formula is within another one. */
export function activationAt(graph: Searched, last: NodeSpec): FoundActivation | undefined {
  for (const [activation, formula] of formulas) {
    const found = findPattern(graph, last, formula);
    const x = found?.values.get('x');
    if (found !== undefined && x !== undefined) return { ...found, activation, x };
  }
  return undefined;
}
