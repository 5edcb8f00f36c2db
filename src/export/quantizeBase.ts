// A base of nodes with its kernels as bytes, for writeBase.
import { dispose } from '@tensorflow/tfjs-core';
import type { Base } from '../model/model.ts';
import { hasLayers, nodesOfBase } from '../networks/write/baseNodes.ts';
import { quantizeNodes, type QuantizedNodes } from '../networks/write/quantizeNodes.ts';
import { inputMeans } from './inputMeans.ts';

/** A base of nodes, and the node of its features. */
export interface QuantizedBase extends QuantizedNodes {
  readonly features: string;
}

/**
 * Quantises a base. A converter may have folded BatchNorm into its kernels.
 *
 * @returns Nodes and constants, which the caller owns; undefined for a base of layers.
 * @throws TransferKitError `UNSUPPORTED_TRUNK` for a trunk that cannot be written.
 */
export async function quantizeBase(base: Base): Promise<QuantizedBase | undefined> {
  if (hasLayers(base.trunk)) return undefined;
  const { features, ...nodes } = nodesOfBase(base);
  const made = [...nodes.constants.values()];
  try {
    const means = await inputMeans(nodes, base.trunk.input, base.preprocessor.spec);
    made.push(...means.values());
    return { features, ...quantizeNodes(nodes.graph, nodes.constants, { means }) };
  } finally {
    dispose(made);
  }
}
