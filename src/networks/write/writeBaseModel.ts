// Writes a base alone as a tfjs model: a LayersModel or a GraphModel, depending on the base.
import type { io, Tensor } from '@tensorflow/tfjs-core';
import type { Base } from '../../model/model.ts';
import { writeNodes } from '../graphs/nodeGraph.ts';
import { hasLayers, nodesOfBase } from './baseNodes.ts';
import { signatureOf } from './graphParts.ts';
import type { Grid } from './packWeights.ts';
import type { QuantizedNodes } from './quantizeNodes.ts';
import { writeTopology } from './writeTopology.ts';

/** A base in tfjs's format, with its tensors. */
export interface WrittenBaseModel {
  readonly artifacts: Pick<io.ModelArtifacts, 'modelTopology' | 'signature'> & {
    readonly format: 'layers-model' | 'graph-model';
  };
  /** Weights by name: clones, which later changes of the base do not reach. The caller frees them. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** How kernels become bytes; none of them where they are not to be quantised. */
  readonly grids: ReadonlyMap<string, Grid>;
  /** Name of the layer or node that gives the features. */
  readonly cut: string;
}

/**
 * Writes the network from its input to the cut.
 *
 * @param quantized - Nodes to write in place of those of the base, for a base without layers.
 * @throws TransferKitError `UNSUPPORTED_TRUNK` for a trunk that cannot be written.
 */
export function writeBaseModel(base: Base, quantized?: QuantizedNodes & { features: string }): WrittenBaseModel {
  const { trunk, cut } = base;
  if (hasLayers(trunk)) {
    // First, since it may raise an error: nobody would free the clones.
    const modelTopology = writeTopology(trunk.layers.graph);
    const weights = Object.fromEntries(trunk.weights.map(({ name, variable }) => [name, variable.clone()]));
    // BatchNorm is not folded into these kernels, so one scale for each of them is enough.
    const kernels = trunk.weights.filter(({ kind }) => kind === 'kernel');
    const grids = new Map(kernels.map(({ name }) => [name, 'range'] as const));
    return { artifacts: { modelTopology, format: 'layers-model' }, weights, grids, cut };
  }
  const { graph, features, constants, grids } = quantized ?? { ...nodesOfBase(base), grids: new Map<string, Grid>() };
  const signature = signatureOf(graph, { features });
  return {
    artifacts: { modelTopology: writeNodes(graph), format: 'graph-model', signature },
    weights: Object.fromEntries(constants),
    grids,
    cut: features,
  };
}
