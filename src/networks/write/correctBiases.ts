// Corrects biases for what rounding its kernel does to the mean of each output. Inputs after a ReLU have means above 0, so that
// rounding errors add up to a constant. Nagel et al. 2019, https://arxiv.org/abs/1906.04721, section 4.2.
import { add, mul, reshape, sub, sum, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeSpec } from '../../core/graphs.ts';
import { fusedOps, nodeOf } from '../graphs/nodeGraph.ts';
import type { ChannelScaled, Kernel } from './channelScales.ts';

/** Mean of each channel of the inputs of kernels, by the node's reference to its input. */
export type InputMeans = ReadonlyMap<string, Tensor>;

/**
 * Returns new values of the biases of nodes whose kernels are rounded. A bias that several nodes read stays as it is.
 *
 * @param kernels - By the nodes that read them.
 * @param scaled - Rounded kernels by name.
 * @returns Values by name, which the caller owns.
 */
export function correctedBiases(
  kernels: ReadonlyMap<NodeSpec, Kernel>,
  scaled: ReadonlyMap<string, ChannelScaled>,
  constants: ReadonlyMap<string, Tensor>,
  means: InputMeans,
): ReadonlyMap<string, Tensor> {
  const corrected = new Map<string, Tensor>();
  const readers = [...kernels.keys()].map(({ inputs }) => inputs[2]);
  for (const [node, kernel] of kernels) {
    const [input = '', , reference = ''] = node.inputs;
    const bias = fusedOps(node)[0] === 'BiasAdd' ? constants.get(nodeOf(reference)) : undefined;
    const [value, rounded, mean] = [constants.get(kernel.name), scaled.get(kernel.name), means.get(input)];
    if (bias === undefined || value === undefined || rounded === undefined || mean === undefined) continue;
    if (readers.filter((each) => each === reference).length > 1 || value.shape[inputAxis(kernel)] !== mean.size)
      continue;
    corrected.set(
      nodeOf(reference),
      tidy(() => add(bias, reshape(meanError(value, rounded, kernel, mean), bias.shape))),
    );
  }
  return corrected;
}

/** What the outputs lose on average. */
function meanError(value: Tensor, { whole, scale }: ChannelScaled, kernel: Kernel, mean: Tensor): Tensor {
  const axis = inputAxis(kernel);
  const along = value.shape.map((_, each) => (each === axis ? mean.size : 1));
  return sum(mul(sub(value, mul(whole, scale)), reshape(mean, along)), [...kernel.summed]);
}

/** The axis of a kernel's input channels: that of a depthwise one is not summed over. */
function inputAxis({ kind, summed }: Kernel): number {
  return kind === 'convolution' ? 2 : (summed[0] ?? 0);
}
