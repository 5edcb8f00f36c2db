// Writes a base alone as a tfjs model: a LayersModel or a GraphModel, depending on the base.
import type { io, Tensor } from '@tensorflow/tfjs-core';
import type { Base } from '../../model/model.ts';
import { writeNodes } from '../graphs/nodeGraph.ts';
import { hasLayers, nodesOfBase } from './baseNodes.ts';
import { signatureOf } from './graphParts.ts';
import { writeTopology } from './writeTopology.ts';

/** A base in tfjs's format, with its tensors. */
export interface WrittenBaseModel {
  readonly artifacts: Pick<io.ModelArtifacts, 'modelTopology' | 'signature'> & {
    readonly format: 'layers-model' | 'graph-model';
  };
  /** Weights by name: clones, which later changes of the base do not reach. The caller frees them. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** Name of the layer or node that gives the features. */
  readonly cut: string;
}

/**
 * Writes the network from its input to the cut.
 *
 * @throws TransferKitError `UNSUPPORTED_TRUNK` for a trunk that cannot be written.
 */
export function writeBaseModel(base: Base): WrittenBaseModel {
  const { trunk, cut } = base;
  if (hasLayers(trunk)) {
    // First, since it may raise an error: nobody would free the clones.
    const modelTopology = writeTopology(trunk.layers.graph);
    const weights = Object.fromEntries(trunk.weights.map(({ name, variable }) => [name, variable.clone()]));
    return { artifacts: { modelTopology, format: 'layers-model' }, weights, cut };
  }
  const { graph, features, constants } = nodesOfBase(base);
  const signature = signatureOf(graph, { features });
  return {
    artifacts: { modelTopology: writeNodes(graph), format: 'graph-model', signature },
    weights: Object.fromEntries(constants),
    cut: features,
  };
}
