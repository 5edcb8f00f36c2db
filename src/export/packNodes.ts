// A folded model with its weights as bytes, in the precision that the user asks for.
import { dispose } from '@tensorflow/tfjs-core';
import type { FoldedNodes } from '../networks/fold/foldNodes.ts';
import type { KernelKind } from '../networks/write/channelScales.ts';
import type { InputMeans } from '../networks/write/correctBiases.ts';
import { packWeights, type PackedWeights, type Quantization } from '../networks/write/packWeights.ts';
import { quantizeNodes } from '../networks/write/quantizeNodes.ts';
import type { NodeGraph } from '../core/graphs.ts';

/** A graph and its weights for a file. */
export interface PackedNodes extends PackedWeights {
  readonly graph: NodeGraph;
}

/** The precision of weights. */
export interface Precision {
  readonly quantize: Quantization | undefined;
  /** Kernels that have a scale for each channel in bytes. */
  readonly byChannel: readonly KernelKind[];
  /** Means that biases are corrected by where kernels are rounded; of unknown ones they stay. */
  readonly means: InputMeans;
}

/** Packs a folded model in tfjs's format. Its constants are not disposed of. */
export async function packNodes(
  { graph, constants }: FoldedNodes,
  { quantize, byChannel, means }: Precision,
): Promise<PackedNodes> {
  if (quantize !== 'uint8') return { graph, ...(await packWeights(Object.fromEntries(constants), quantize)) };
  const quantized = quantizeNodes(graph, constants, { byChannel, means });
  const packed = await packWeights(Object.fromEntries(quantized.constants), quantized.grids).finally(() => {
    dispose([...quantized.constants.values()]);
  });
  return { graph: quantized.graph, ...packed };
}
