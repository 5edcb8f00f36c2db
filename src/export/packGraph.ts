// A model as the artefact of a tfjs GraphModel, measured on samples where there are some.
import { dispose, type io } from '@tensorflow/tfjs-core';
import type { Samples } from '../core/types.ts';
import type { AnyModel } from '../model/model.ts';
import { foldModel } from '../networks/fold/foldModel.ts';
import type { FoldedNodes } from '../networks/fold/foldNodes.ts';
import type { Quantization } from '../networks/write/packWeights.ts';
import { foldedArtifacts } from './foldedArtifacts.ts';
import { measureBoth, type MeasuredExport } from './measureExport.ts';
import { packNodes } from './packNodes.ts';

/** How to pack, and what to measure on. */
export interface PackOptions {
  readonly quantize: Quantization | undefined;
  readonly samples: Samples | undefined;
  readonly batchSize: number;
}

/** An artefact, and what is reported about it. */
export interface PackedGraph {
  readonly artifacts: io.ModelArtifacts;
  readonly report: {
    readonly parameters: number;
    readonly weightBytes: number;
    readonly figures?: MeasuredExport;
  };
}

/**
 * Packs a snapshot of a model.
 *
 * @throws TransferKitError the errors of `foldModel`, `packWeights` and of samples.
 */
export async function packGraph(model: AnyModel, { quantize, samples, batchSize }: PackOptions): Promise<PackedGraph> {
  const folded: FoldedNodes[] = [];
  try {
    const answers = foldModel(model);
    folded.push(answers);
    // Made at once, because the model may be in training.
    const logits = samples === undefined ? undefined : foldModel(model, 'logits');
    if (logits !== undefined) folded.push(logits);
    const { graph, weightSpecs, weightData } = await packNodes(answers, quantize);
    const figures = samples && logits && (await measureBoth({ model, samples, batchSize }, logits, quantize));
    return {
      artifacts: { ...foldedArtifacts(model, graph), weightSpecs, weightData },
      report: {
        parameters: countNumbers(answers.constants),
        weightBytes: weightData.byteLength,
        ...(figures && { figures }),
      },
    };
  } finally {
    for (const { constants } of folded) dispose([...constants.values()]);
  }
}

/** Number of numbers in all weights. */
function countNumbers(constants: FoldedNodes['constants']): number {
  return [...constants.values()].reduce((sum, { size }) => sum + size, 0);
}
