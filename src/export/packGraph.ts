// A model as the artefact of a tfjs GraphModel.
import type { io } from '@tensorflow/tfjs-core';
import type { AnyModel } from '../model/model.ts';
import { foldedArtifacts } from './foldedArtifacts.ts';
import { packMeasured, type PackOptions, type ReportedPack } from './packMeasured.ts';
import { packNodes } from './packNodes.ts';

/**
 * Packs a snapshot of a model.
 *
 * @throws TransferKitError the errors of `packMeasured` and `packWeights`.
 */
export async function packGraph(model: AnyModel, options: PackOptions): Promise<ReportedPack<io.ModelArtifacts>> {
  return packMeasured(model, options, {
    // tfjs multiplies by scales in every run, which would double the work of a large product.
    byChannel: ['convolution'],
    pack: async (folded, precision) => {
      const { graph, weightSpecs, weightData } = await packNodes(folded, precision);
      const content = { ...foldedArtifacts(model, graph), weightSpecs, weightData };
      return { content, weightBytes: weightData.byteLength };
    },
  });
}
