// Finds formulas among the nodes of a graph.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import { constantNode, nodeOf, nodesByName, outputOf, readersOf } from '../graphs/nodeGraph.ts';

/** A formula: an operation on formulas, a number, or a name for anything; the same name stands for the same value. */
export type Pattern = string | number | Operation;

/** An operation of a formula. */
export interface Operation {
  readonly ops: readonly string[];
  readonly inputs: readonly Pattern[];
  /** Whether its two inputs may be exchanged. */
  readonly isSymmetric: boolean;
}

/** A formula that was found. */
export interface Found {
  /** The references that names stand for. */
  readonly values: ReadonlyMap<string, string>;
  /** Names of the nodes of the formula, the last one excepted. */
  readonly inner: ReadonlySet<string>;
}

/** A graph with what the search asks about it. */
export interface Searched {
  readonly byName: ReadonlyMap<string, NodeSpec>;
  /** Names of the nodes that read each node. */
  readonly readers: ReadonlyMap<string, ReadonlySet<string>>;
  readonly outputs: ReadonlySet<string>;
  /** The value of a constant. */
  readonly constant: (reference: string | undefined) => Tensor | undefined;
}

/** Prepares a graph. */
export function searched({ nodes, outputs }: NodeGraph, constants: ReadonlyMap<string, Tensor>): Searched {
  const byName = nodesByName(nodes);
  const readers = new Map(
    [...readersOf(nodes)].map(([read, list]) => [read, new Set(list.map(({ name }) => name))] as const),
  );
  return {
    byName,
    readers,
    outputs: new Set(outputs.map(nodeOf)),
    constant: (reference) => constants.get(constantNode(byName, reference)?.name ?? ''),
  };
}

/** A sum, and other formulas. */
export const plus = (a: Pattern, b: Pattern): Operation => symmetric(['Add', 'AddV2'], a, b);
export const times = (a: Pattern, b: Pattern): Operation => symmetric(['Mul'], a, b);
export const minus = (a: Pattern, b: Pattern): Operation => ({ ops: ['Sub'], inputs: [a, b], isSymmetric: false });
export const over = (a: Pattern, b: Pattern): Operation => ({
  ops: ['RealDiv', 'Div'],
  inputs: [a, b],
  isSymmetric: false,
});
export const node = (op: string, ...inputs: readonly Pattern[]): Operation => ({
  ops: [op],
  inputs,
  isSymmetric: false,
});

function symmetric(ops: readonly string[], a: Pattern, b: Pattern): Operation {
  return { ops, inputs: [a, b], isSymmetric: true };
}

/** Finds a formula that ends in a node, and whose other nodes nothing else reads. */
export function findPattern(graph: Searched, last: NodeSpec, pattern: Operation): Found | undefined {
  const found = matchOperation(graph, last, pattern, { values: new Map(), inner: new Set() });
  if (found === undefined) return undefined;
  const isInside = (name: string) => name === last.name || found.inner.has(name);
  const isHidden = (name: string) =>
    !graph.outputs.has(name) && [...(graph.readers.get(name) ?? [])].every((reader) => isInside(reader));
  return [...found.inner].every(isHidden) ? found : undefined;
}

function match(graph: Searched, reference: string, pattern: Pattern, found: Found): Found | undefined {
  if (typeof pattern === 'number') return isNumber(graph.constant(reference), pattern) ? found : undefined;
  if (typeof pattern === 'string') {
    const known = found.values.get(pattern);
    if (known !== undefined) return known === reference ? found : undefined;
    return { ...found, values: new Map([...found.values, [pattern, reference]]) };
  }
  const read = graph.byName.get(nodeOf(reference));
  if (read === undefined || outputOf(reference) > 0) return undefined;
  const within = matchOperation(graph, read, pattern, found);
  return within && { ...within, inner: new Set([...within.inner, read.name]) };
}

function matchOperation(
  graph: Searched,
  { op, inputs }: NodeSpec,
  { ops, inputs: patterns, isSymmetric }: Operation,
  found: Found,
): Found | undefined {
  if (!ops.includes(op) || inputs.length !== patterns.length) return undefined;
  const orders = isSymmetric ? [inputs, [...inputs].reverse()] : [inputs];
  for (const order of orders) {
    const within = patterns.reduce<Found | undefined>(
      (sofar, pattern, i) => sofar && match(graph, order[i] ?? '', pattern, sofar),
      found,
    );
    if (within !== undefined) return within;
  }
  return undefined;
}

/** Files hold numbers in single precision. */
function isNumber(value: Tensor | undefined, expected: number): boolean {
  if (value?.size !== 1) return false;
  const [number = NaN] = value.dataSync();
  return Math.abs(number - expected) <= 1e-6 * Math.abs(expected);
}
