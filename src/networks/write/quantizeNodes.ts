// Prepares the kernels of a graph for storage in bytes. The format of tfjs has one scale for each tensor, which ruins
// kernels that BatchNorm is folded into, depthwise ones above all: their channels differ in size by orders of magnitude.
// So such a kernel is stored without the sizes of its channels, and a node multiplies it by them.
import { clone, dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import { float, withConstantAttributes } from '../graphs/nodeDraft.ts';
import { kernelsIn, scaleKernels, type KernelKind } from './channelScales.ts';
import { correctedBiases, type InputMeans } from './correctBiases.ts';
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

/** How kernels are rounded. */
export interface NodeRounding {
  /** Kernels with a scale for each channel. Default: those of convolutions, because scales would double the work of a large product. */
  readonly byChannel?: readonly KernelKind[];
  /** Means of the kernels' inputs. Biases are corrected with them. Default: no bias is corrected. */
  readonly means?: InputMeans;
}

/**
 * Quantises the kernels of a graph.
 *
 * @param constants - Values of all constants. They are not disposed of.
 */
export function quantizeNodes(
  graph: NodeGraph,
  constants: ReadonlyMap<string, Tensor>,
  { byChannel = ['convolution'], means = new Map() }: NodeRounding = {},
): QuantizedNodes {
  const kernels = kernelsIn(graph, constants);
  const all = [...kernels.values()];
  const scaled = scaleKernels(
    all.filter(({ kind }) => byChannel.includes(kind)),
    constants,
  );
  const biases = correctedBiases({ nodes: graph.nodes, kernels, scaled, constants }, means);
  const values = new Map<string, Tensor>();
  for (const [name, value] of constants) {
    values.set(name, scaled.get(name)?.whole ?? biases.get(name) ?? clone(value));
  }
  for (const [name, { scale }] of scaled) values.set(scaleName(name), scale);
  try {
    const nodes = graph.nodes.flatMap((node) => {
      const { name = '' } = kernels.get(node) ?? {};
      return scaled.has(name) ? withScales(node, name) : [node];
    });
    return {
      graph: { ...graph, nodes: withConstantAttributes(nodes, values) },
      constants: values,
      grids: new Map(all.map(({ name }) => [name, scaled.has(name) ? 'whole' : 'range'])),
    };
  } catch (error) {
    dispose([...values.values()]);
    throw error;
  }
}

/** A node that reads a kernel times its scales. */
function withScales({ inputs: [x = '', , ...rest], ...node }: NodeSpec, kernel: string): NodeSpec[] {
  return [
    { name: scaleName(kernel), op: 'Const', inputs: [], attr: {} },
    { name: scaledName(kernel), op: 'Mul', inputs: [kernel, scaleName(kernel)], attr: { T: float } },
    { ...node, inputs: [x, scaledName(kernel), ...rest] },
  ];
}
