// The nodes of a base, for writing a model as a GraphModel.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import type { NodeGraph } from '../../core/graphs.ts';
import type { LayersTrunk, Trunk } from '../../core/types.ts';
import type { Base } from '../../model/model.ts';
import { withConstantAttributes } from '../graphs/nodeDraft.ts';

/** A graph with one output, and the values of its constants, which the caller owns. */
export interface BaseNodes {
  readonly graph: NodeGraph;
  /** The node that gives the features. */
  readonly features: string;
  readonly constants: ReadonlyMap<string, Tensor>;
}

/** Whether a trunk can be written as tfjs layers. */
export function hasLayers(trunk: Trunk): trunk is LayersTrunk {
  return trunk.layers !== undefined;
}

/**
 * Writes a base as nodes.
 *
 * @throws TransferKitError `UNSUPPORTED_TRUNK` for a trunk that cannot be written.
 */
export function nodesOfBase({ name, trunk }: Pick<Base, 'name' | 'trunk'>): BaseNodes {
  if (trunk.writeNodes === undefined) {
    const text =
      `expected a base whose trunk has layers or writeNodes, got '${name}' with neither. ` +
      'Give its trunk a writeNodes() that returns the network as nodes of a GraphModel.';
    throw new TransferKitError('UNSUPPORTED_TRUNK', text, { missing: 'writeNodes', name });
  }
  const { nodes, input, output, constants, rest = {} } = trunk.writeNodes();
  try {
    const graph = { name, nodes: withConstantAttributes(nodes, constants), input, outputs: [output], rest };
    return { graph, features: output, constants };
  } catch (error) {
    dispose([...constants.values()]);
    throw error;
  }
}
