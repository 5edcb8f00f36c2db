// Prepares the kernels of a graph for storage in bytes. The format of tfjs has one scale for each tensor, which ruins
// kernels that BatchNorm is folded into, depthwise ones above all: their channels differ in size by orders of magnitude.
// So a convolution's kernel is stored without the sizes of its channels, and a node multiplies it by them.
import { clone, dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import { float, withConstantAttributes } from '../graphs/nodeDraft.ts';
import { nodeOf } from '../graphs/nodeGraph.ts';
import { channelScaled } from './channelScales.ts';
import type { Grid } from './packWeights.ts';

/** A graph, the values of its constants, which the caller owns, and how its kernels become bytes. */
export interface QuantizedNodes {
  readonly graph: NodeGraph;
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly grids: ReadonlyMap<string, Grid>;
}

/** The constant with the scales of a kernel's channels. */
export function scaleName(kernel: string): string {
  return `${kernel}/scale`;
}

/** The node that multiplies a kernel by them. */
export function scaledName(kernel: string): string {
  return `${kernel}/scaled`;
}

/** Axes of the output channels at the end of the kernels of convolutions. */
const convolutions: Readonly<Record<string, 1 | 2>> = {
  Conv2D: 1,
  DepthwiseConv2dNative: 2,
  FusedDepthwiseConv2dNative: 2,
  _FusedConv2D: 1,
};

/** Products of matrices. Their kernels keep one scale: a scale for each output would double the work of a large one. */
const products: ReadonlySet<string> = new Set(['MatMul', '_FusedMatMul']);

/**
 * Quantises the kernels of a graph.
 *
 * @param constants - Values of all constants. They are not disposed of.
 */
export function quantizeNodes(graph: NodeGraph, constants: ReadonlyMap<string, Tensor>): QuantizedNodes {
  const values = new Map<string, Tensor>();
  const grids = new Map<string, Grid>();
  try {
    const readers = readersOf(graph);
    const kernels = new Set<string>();
    const nodes = graph.nodes.flatMap((node): NodeSpec[] => {
      const [x = '', reference = '', ...rest] = node.inputs;
      const name = nodeOf(reference);
      const kernel = constants.get(name);
      const axes = convolutions[node.op];
      if (kernel?.dtype !== 'float32' || readers.get(name) !== 1) return [node];
      if (products.has(node.op)) grids.set(name, 'range');
      if (axes === undefined) return [node];
      const { whole, scale } = channelScaled(kernel, axes);
      values.set(name, whole);
      values.set(scaleName(name), scale);
      grids.set(name, 'whole');
      kernels.add(name);
      return [
        { name: scaleName(name), op: 'Const', inputs: [], attr: {} },
        { name: scaledName(name), op: 'Mul', inputs: [name, scaleName(name)], attr: { T: float } },
        { ...node, inputs: [x, scaledName(name), ...rest] },
      ];
    });
    for (const [name, value] of constants) if (!kernels.has(name)) values.set(name, clone(value));
    return { graph: { ...graph, nodes: withConstantAttributes(nodes, values) }, constants: values, grids };
  } catch (error) {
    dispose([...values.values()]);
    throw error;
  }
}

/** How many inputs of nodes each node is. */
function readersOf({ nodes }: NodeGraph): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { inputs } of nodes) {
    for (const name of inputs.map(nodeOf)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
