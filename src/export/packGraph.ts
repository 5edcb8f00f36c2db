// A model as the artefact of a tfjs GraphModel.
import type { io } from '@tensorflow/tfjs-core';
import type { AnyModel } from '../model/model.ts';
import { foldedArtifacts } from './foldedArtifacts.ts';
import { packMeasured, type PackOptions, type ReportedPack } from './packMeasured.ts';
import { packNodes } from './packNodes.ts';

/** A scale for each channel of a large product would double its work: tfjs multiplies by them in every run. */
const byChannel = ['convolution'] as const;

/**
 * Packs a snapshot of a model.
 *
 * @throws TransferKitError the errors of `packMeasured` and `packWeights`.
 */
export async function packGraph(model: AnyModel, options: PackOptions): Promise<ReportedPack<io.ModelArtifacts>> {
  const { quantize } = options;
  return packMeasured(model, options, {
    byChannel,
    pack: async (folded) => {
      const { graph, weightSpecs, weightData } = await packNodes(folded, { quantize, byChannel });
      const content = { ...foldedArtifacts(model, graph), weightSpecs, weightData };
      return { content, weightBytes: weightData.byteLength };
    },
  });
}
