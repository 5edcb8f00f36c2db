// Kernels as whole numbers from -127 to 127 with a scale for each output channel. Krishnamoorthi 2018,
// https://arxiv.org/abs/1806.08342, section 2.3: symmetric, per channel.
import { abs, dispose, div, max, maximum, round, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import { attribute, nodeOf, readersOf } from '../graphs/nodeGraph.ts';

/** A kernel that equals `whole * scale` to within half a step. The caller owns both. */
export interface ChannelScaled {
  /** Whole numbers, as floats. */
  readonly whole: Tensor;
  /** Broadcasts over the kernel. */
  readonly scale: Tensor;
}

/** Operations whose second input is a kernel. */
export type KernelKind = 'convolution' | 'product';

/** A kernel of a graph. */
export interface Kernel {
  /** Its constant. */
  readonly name: string;
  readonly kind: KernelKind;
  /** Axes that the sum of each output runs over. */
  readonly summed: readonly number[];
}

/** Kernels of convolutions are [h, w, in, out], or [h, w, in, multiplier] of depthwise ones. */
const kernels: Readonly<Record<string, Pick<Kernel, 'kind' | 'summed'>>> = {
  Conv2D: { kind: 'convolution', summed: [0, 1, 2] },
  DepthwiseConv2dNative: { kind: 'convolution', summed: [0, 1] },
  FusedDepthwiseConv2dNative: { kind: 'convolution', summed: [0, 1] },
  MatMul: { kind: 'product', summed: [0] },
  _FusedConv2D: { kind: 'convolution', summed: [0, 1, 2] },
  _FusedMatMul: { kind: 'product', summed: [0] },
};

/** The kernels of a graph, by the nodes that read them: constants that nothing else reads. */
export function kernelsIn(
  { nodes }: NodeGraph,
  constants: ReadonlyMap<string, Pick<Tensor, 'dtype'>>,
): ReadonlyMap<NodeSpec, Kernel> {
  const readers = readersOf(nodes);
  const found = nodes.flatMap((node): [NodeSpec, Kernel][] => {
    const kernel = kernels[node.op];
    const name = nodeOf(node.inputs[1] ?? '');
    if (kernel === undefined || constants.get(name)?.dtype !== 'float32' || readers.get(name)?.length !== 1) return [];
    const isTransposed = attribute(node, 'transpose_b').b === true;
    return [[node, { name, ...kernel, ...(isTransposed && { summed: [1] }) }]];
  });
  return new Map(found);
}

/** The largest whole number: the same on both sides of zero. */
const largest = 127;
/** Far below all weights, and far above the least float32. */
const smallest = 1e-30;

/** Rounds a kernel. A factor for each output channel, as folding BatchNorm puts into it, changes the scales alone. */
function channelScaled(kernel: Tensor, { summed }: Pick<Kernel, 'summed'>): ChannelScaled {
  const [whole, scale] = tidy((): [Tensor, Tensor] => {
    // A channel of zeros keeps them with any scale.
    const scale = div(maximum(max(abs(kernel), [...summed], true), smallest), largest);
    return [round(div(kernel, scale)), scale];
  });
  return { whole, scale };
}

/** Rounds some kernels, by their constants. */
export function scaleKernels(
  chosen: Iterable<Kernel>,
  constants: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, ChannelScaled> {
  const scaled = new Map<string, ChannelScaled>();
  try {
    for (const kernel of chosen) {
      const value = constants.get(kernel.name);
      if (value !== undefined) scaled.set(kernel.name, channelScaled(value, kernel));
    }
    return scaled;
  } catch (error) {
    for (const { whole, scale } of scaled.values()) dispose([whole, scale]);
    throw error;
  }
}
