// Packs a snapshot of a folded model, and measures it on samples where there are some.
import { dispose } from '@tensorflow/tfjs-core';
import type { Samples } from '../core/types.ts';
import type { AnyModel } from '../model/model.ts';
import { foldModel } from '../networks/fold/foldModel.ts';
import type { FoldedNodes } from '../networks/fold/foldNodes.ts';
import type { KernelKind } from '../networks/write/channelScales.ts';
import type { Quantization } from '../networks/write/packWeights.ts';
import { measureBoth, type MeasuredExport } from './measureExport.ts';

/** How to pack, and what to measure on. */
export interface PackOptions {
  readonly quantize: Quantization | undefined;
  readonly samples: Samples | undefined;
  readonly batchSize: number;
}

/** A packed model and the size of its weights. */
interface Packed<Content> {
  readonly content: Content;
  readonly weightBytes: number;
}

/** A packed model, and what is reported about it. */
export interface ReportedPack<Content> {
  readonly content: Content;
  readonly report: {
    readonly parameters: number;
    readonly weightBytes: number;
    readonly figures?: MeasuredExport;
  };
}

/** One way of packing. */
export interface Packing<Content> {
  /** Kernels that have a scale for each channel in bytes. */
  readonly byChannel: readonly KernelKind[];
  /** Packs a folded model, whose constants are not disposed of. */
  readonly pack: (folded: FoldedNodes) => Promise<Packed<Content>>;
}

/**
 * Folds, packs and measures a model.
 *
 * @throws TransferKitError the errors of `foldModel`, of packing and of samples.
 */
export async function packMeasured<Content>(
  model: AnyModel,
  { quantize, samples, batchSize }: PackOptions,
  { byChannel, pack }: Packing<Content>,
): Promise<ReportedPack<Content>> {
  const folded: FoldedNodes[] = [];
  try {
    const answers = foldModel(model);
    folded.push(answers);
    // Made at once, because the model may be in training.
    const logits = samples === undefined ? undefined : foldModel(model, 'logits');
    if (logits !== undefined) folded.push(logits);
    const { content, weightBytes } = await pack(answers);
    const inquiry = samples && { model, samples, batchSize };
    const figures = inquiry && logits && (await measureBoth(inquiry, logits, { quantize, byChannel }));
    const parameters = [...answers.constants.values()].reduce((sum, { size }) => sum + size, 0);
    return { content, report: { parameters, weightBytes, ...(figures && { figures }) } };
  } finally {
    for (const { constants } of folded) dispose([...constants.values()]);
  }
}
