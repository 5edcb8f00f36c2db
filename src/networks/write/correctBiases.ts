// Corrects biases for what rounding its kernel does to the mean of each output. Inputs after a ReLU have means above 0, so that
// rounding errors add up to a constant. Nagel et al. 2019, https://arxiv.org/abs/1906.04721, section 4.2.
import { add, mul, reshape, sub, sum, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeSpec } from '../../core/graphs.ts';
import { fusedOps, nodeOf, readersOf } from '../graphs/nodeGraph.ts';
import type { ChannelScaled, Kernel } from './channelScales.ts';

/** Mean of each channel of the inputs of kernels, by the node's reference to its input. */
export type InputMeans = ReadonlyMap<string, Tensor>;

/** A graph whose kernels are rounded. */
export interface RoundedGraph {
  readonly nodes: readonly NodeSpec[];
  /** Kernels by the nodes that read them. */
  readonly kernels: ReadonlyMap<NodeSpec, Kernel>;
  /** Rounded kernels by name. */
  readonly scaled: ReadonlyMap<string, ChannelScaled>;
  readonly constants: ReadonlyMap<string, Tensor>;
}

/**
 * Returns new values of the biases of nodes whose kernels are rounded: those that the nodes add themselves, and those that
 * the next nodes add, also after a factor. A bias that several nodes read stays as it is.
 *
 * @returns Values by name, which the caller owns.
 */
export function correctedBiases(graph: RoundedGraph, means: InputMeans): ReadonlyMap<string, Tensor> {
  const { nodes, kernels, scaled, constants } = graph;
  const corrected = new Map<string, Tensor>();
  const readers = readersOf(nodes);
  for (const [node, kernel] of kernels) {
    const [value, rounded] = [constants.get(kernel.name), scaled.get(kernel.name)];
    const mean = means.get(node.inputs[0] ?? '');
    const found = biasOf(node, readers, constants);
    if (found === undefined || value === undefined || rounded === undefined || mean === undefined) continue;
    const { name, bias, factor } = found;
    if (readers.get(name)?.length !== 1 || value.shape[inputAxis(kernel)] !== mean.size) continue;
    corrected.set(
      name,
      tidy(() => {
        const lost = reshape(meanError(value, rounded, kernel, mean), [bias.size]);
        const added = factor === undefined ? lost : mul(lost, reshape(factor, [factor.size]));
        return add(bias, reshape(added, bias.shape));
      }),
    );
  }
  return corrected;
}

type Readers = ReturnType<typeof readersOf>;

/** A bias, and the factor between a kernel's outputs and it. */
interface Bias {
  readonly name: string;
  readonly bias: Tensor;
  readonly factor: Tensor | undefined;
}

const additions: ReadonlySet<string> = new Set(['Add', 'AddV2', 'BiasAdd', 'BiasAddV1']);

function biasOf(node: NodeSpec, readers: Readers, constants: RoundedGraph['constants']): Bias | undefined {
  if (fusedOps(node)[0] === 'BiasAdd') {
    const name = nodeOf(node.inputs[2] ?? '');
    const bias = constants.get(name);
    return bias && { name, bias, factor: undefined };
  }
  if (fusedOps(node).length > 0) return undefined;
  const next = stepAfter(node, readers, constants);
  if (next?.op !== 'Mul') return next && additions.has(next.op) ? { ...next, factor: undefined } : undefined;
  const last = stepAfter(next.reader, readers, constants);
  return last && additions.has(last.op) && last.bias.size === next.bias.size
    ? { ...last, factor: next.bias }
    : undefined;
}

/** The only reader of a node, if its other input is a constant with more than one number. */
function stepAfter({ name }: NodeSpec, readers: Readers, constants: RoundedGraph['constants']) {
  const [reader, other] = readers.get(name) ?? [];
  if (reader?.inputs.length !== 2 || other !== undefined) return undefined;
  const constant = reader.inputs.map(nodeOf).find((input) => input !== name) ?? '';
  const bias = constants.get(constant);
  return bias === undefined || bias.size < 2 ? undefined : { op: reader.op, reader, name: constant, bias };
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
