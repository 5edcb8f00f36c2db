// Rewrites a folded graph for the kernels of this package: formulas of activations become one node, which a kernel before
// them takes in.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import { attribute, fusedOps, nodeOf, nodesLeadingTo, numbersIn, outputOf } from '../graphs/nodeGraph.ts';
import { ownAttributes, ownOperations, type OwnWindow } from '../run/ownOperations.ts';
import { gatherAt, piecesOfConcat } from './nodeGather.ts';
import { layerNormAt } from './nodeLayerNorm.ts';
import { activationAt } from './nodeActivations.ts';
import { searched, type Searched } from './nodePattern.ts';

/**
 * Returns a graph of the same function for backends with this package's kernels; undefined if they have no part in it.
 * Its nodes keep the names of those that they replace, and read the same constants.
 */
export function ownNodes(graph: NodeGraph, constants: ReadonlyMap<string, Tensor>): NodeGraph | undefined {
  const around = searched(graph, constants);
  const replaced = new Map<string, NodeSpec>();
  for (const node of graph.nodes) {
    const own = layerNormNode(around, node) ?? activationNode(around, node);
    if (own !== undefined) replaced.set(node.name, own);
  }
  for (const node of graph.nodes) {
    const own = replaced.has(node.name) ? undefined : gatherNode(around, node);
    if (own !== undefined) replaced.set(node.name, own);
  }
  if (replaced.size === 0) return undefined;
  const nodes = graph.nodes.map((node) => replaced.get(node.name) ?? node);
  return nodesLeadingTo({ ...graph, nodes }, graph.outputs);
}

function layerNormNode(graph: Searched, last: NodeSpec): NodeSpec | undefined {
  const found = layerNormAt(graph, last);
  if (found === undefined) return undefined;
  const { x, gamma, beta, epsilon, axis } = found;
  const inputs = [x, gamma, beta].filter((reference) => reference !== undefined);
  const attr = {
    epsilon: { f: epsilon },
    axis: { i: String(axis) },
    scales: { b: gamma !== undefined },
    shifts: { b: beta !== undefined },
  };
  return { name: last.name, op: ownOperations.layerNorm, inputs, attr };
}

function gatherNode(graph: Searched, node: NodeSpec): NodeSpec | undefined {
  if (node.op === 'ConcatV2') return joinedConcat(graph, node);
  const found = gatherAt(graph, node);
  if (found === undefined) return undefined;
  const { pieces, scale, shift, filter, bias, before, activation } = found;
  const inputs = [...pieces, scale, shift, filter, bias].filter((reference) => reference !== undefined);
  const attr = { ...ownAttributes(activation), before: { s: btoa(before) }, pieces: { i: String(pieces.length) } };
  return { name: node.name, op: ownOperations.gathered, inputs, attr };
}

/** A concatenation of concatenations as one, so that those that only it reads are not computed. */
function joinedConcat(graph: Searched, node: NodeSpec): NodeSpec | undefined {
  const pieces = piecesOfConcat(graph, node);
  const count = node.inputs.length - 1;
  if (pieces.length <= count) return undefined;
  const inputs = [...pieces, node.inputs[count] ?? ''];
  return { ...node, inputs, attr: { ...node.attr, N: { i: String(pieces.length) } } };
}

function activationNode(graph: Searched, last: NodeSpec): NodeSpec | undefined {
  const found = activationAt(graph, last);
  if (found === undefined) return undefined;
  const { activation, x, inner } = found;
  const kernel = graph.byName.get(nodeOf(x));
  const isOnlyRead = [...(graph.readers.get(nodeOf(x)) ?? [])].every((name) => name === last.name || inner.has(name));
  const isTaken = kernel !== undefined && outputOf(x) === 0 && isOnlyRead && !graph.outputs.has(kernel.name);
  const own = isTaken ? kernelNode(graph, kernel) : undefined;
  return own === undefined || kernel === undefined
    ? { name: last.name, op: ownOperations.activation, inputs: [x], attr: ownAttributes(activation) }
    : { name: last.name, op: own.op, inputs: kernel.inputs, attr: ownAttributes(activation, own.sweep) };
}

interface OwnKernel {
  readonly op: string;
  readonly sweep?: OwnWindow;
}

const operations: Readonly<Record<string, keyof typeof ownOperations>> = {
  Conv2D: 'conv',
  _FusedConv2D: 'conv',
  DepthwiseConv2dNative: 'depthwise',
  FusedDepthwiseConv2dNative: 'depthwise',
  _FusedMatMul: 'product',
};

/** The operation for a kernel without an activation; undefined if this package's kernels do not run it. */
function kernelNode({ constant }: Searched, kernel: NodeSpec): OwnKernel | undefined {
  const kind = operations[kernel.op];
  const steps = fusedOps(kernel);
  const filter = constant(kernel.inputs[1]);
  if (kind === undefined || filter?.dtype !== 'float32') return undefined;
  if (kernel.inputs.length !== 2 + steps.length || steps.some((step) => step !== 'BiasAdd')) return undefined;
  const op = ownOperations[kind];
  if (kind === 'product') {
    const isTransposed = ['transpose_a', 'transpose_b'].some((name) => attribute(kernel, name).b === true);
    return isTransposed || filter.rank !== 2 ? undefined : { op };
  }
  const channels = kind === 'depthwise' ? filter.shape[2] : filter.shape[3];
  const bias = constant(kernel.inputs[2]);
  if (kind === 'depthwise' && filter.shape[3] !== 1) return undefined;
  if (steps.length > 0 && (bias?.rank !== 1 || bias.size !== channels)) return undefined;
  const sweep = windowOf(kernel);
  return sweep && { op, sweep };
}

function windowOf(kernel: NodeSpec): OwnWindow | undefined {
  const { s: format = btoa('NHWC') } = attribute(kernel, 'data_format');
  const strides = rowsAndColumns(numbersIn(kernel, 'strides'));
  const dilations = rowsAndColumns(numbersIn(kernel, 'dilations'));
  if (format !== btoa('NHWC')) return undefined;
  switch (attribute(kernel, 'padding').s) {
    case btoa('SAME'):
      return { strides, dilations, zeros: 'same' };
    case btoa('VALID'):
      return { strides, dilations, zeros: [0, 0, 0, 0] };
    default: {
      const [, , top, bottom, left, right] = numbersIn(kernel, 'explicit_paddings');
      const isGiven = top !== undefined && bottom !== undefined && left !== undefined && right !== undefined;
      return isGiven ? { strides, dilations, zeros: [top, bottom, left, right] } : undefined;
    }
  }
}

/** [1, rows, columns, 1] */
function rowsAndColumns([, rows = 1, columns = 1]: readonly number[]): [number, number] {
  return [rows, columns];
}
