// Packs a snapshot of a folded model, and measures it on samples where there are some.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { Samples } from '../core/types.ts';
import type { AnyModel } from '../model/model.ts';
import { foldModel } from '../networks/fold/foldModel.ts';
import type { FoldedNodes } from '../networks/fold/foldNodes.ts';
import type { KernelKind } from '../networks/write/channelScales.ts';
import type { Quantization } from '../networks/write/packWeights.ts';
import { inputMeans } from './inputMeans.ts';
import { measureBoth, type MeasuredExport } from './measureExport.ts';
import type { Precision } from './packNodes.ts';

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

const noMeans: Precision['means'] = new Map();

/** One way of packing. */
export interface Packing<Content> {
  /** Kernels that have a scale for each channel in bytes. */
  readonly byChannel: readonly KernelKind[];
  /** Packs a folded model, whose constants are not disposed of. */
  readonly pack: (folded: FoldedNodes, precision: Precision) => Promise<Packed<Content>>;
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
  const made: Tensor[] = [];
  try {
    const answers = foldModel(model);
    made.push(...answers.constants.values());
    // Made at once, because the model may be in training.
    const logits = samples === undefined ? undefined : foldModel(model, 'logits');
    made.push(...(logits?.constants.values() ?? []));
    const { base } = model;
    const isRounded = quantize === 'uint8';
    const means = isRounded ? await inputMeans(answers, base.trunk.input, base.preprocessor.spec) : noMeans;
    made.push(...means.values());
    const precision = { quantize, byChannel, means };
    const { content, weightBytes } = await pack(answers, precision);
    const inquiry = samples && { model, samples, batchSize };
    const figures = inquiry && logits && (await measureBoth(inquiry, logits, precision));
    const parameters = [...answers.constants.values()].reduce((sum, { size }) => sum + size, 0);
    return { content, report: { parameters, weightBytes, ...(figures && { figures }) } };
  } finally {
    dispose(made);
  }
}
