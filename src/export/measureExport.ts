// What a quantised model is worth: loss and accuracy before and after, on samples.
import { concat, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { Samples } from '../core/types.ts';
import { settleHeadLoss } from '../losses/headRules.ts';
import { judgeNetwork } from '../measure/judgeSamples.ts';
import { ofHead } from '../measure/measure.ts';
import type { AnyModel } from '../model/model.ts';
import { networkOf } from '../model/network.ts';
import type { FoldedNodes } from '../networks/fold/foldNodes.ts';
import { packNodes, type PackedNodes, type Precision } from './packNodes.ts';
import { startGraph } from './startGraph.ts';

/** Figures of a model on samples. */
export interface ExportFigures {
  /** Mean loss. With several heads: the sum of their losses. */
  readonly loss: number;
  /** Share of right decisions, as `evaluate` counts them. Missing for tasks that decide nothing. */
  readonly accuracy?: number;
  /** Loss and accuracy of each head, by its name. Missing for a model with one head. */
  readonly heads?: Readonly<Record<string, Pick<ExportFigures, 'loss' | 'accuracy'>>>;
}

/** Figures in single precision, and of what was written. */
export interface MeasuredExport {
  readonly before: ExportFigures;
  readonly after: ExportFigures;
}

/** What to measure with. */
export interface ExportInquiry {
  readonly model: AnyModel;
  readonly samples: Samples;
  readonly batchSize: number;
}

/**
 * Measures a folded model before and after quantisation.
 *
 * @param logits - Its outputs are the logits of the heads. Its constants are not disposed of.
 * @throws TransferKitError the errors of samples and reading.
 */
export async function measureBoth(
  inquiry: ExportInquiry,
  logits: FoldedNodes,
  precision: Precision,
): Promise<MeasuredExport> {
  const before = await measurePacked(inquiry, await packNodes(logits, { ...precision, quantize: undefined }));
  if (precision.quantize === undefined) return { before, after: before };
  return { before, after: await measurePacked(inquiry, await packNodes(logits, precision)) };
}

/** Measures a packed model as tfjs runs it. */
async function measurePacked(
  { model, samples, batchSize }: ExportInquiry,
  packed: PackedNodes,
): Promise<ExportFigures> {
  const { parts } = model.head;
  const graphModel = await startGraph(packed);
  const infer = (input: Tensor): Tensor =>
    tidy(() => {
      const logits = graphModel.execute(input, [...packed.graph.outputs]);
      return Array.isArray(logits) ? concat(logits, 1) : logits;
    });
  try {
    const inquiry = { model, loss: settleHeadLoss(parts), batchSize, onProgress: undefined };
    const judged = await judgeNetwork(inquiry, { ...networkOf(model), infer }, samples);
    const figures = (part: (typeof parts)[number]): ExportFigures => {
      const { loss, accuracy } = ofHead(judged, parts, part);
      return { loss, ...(accuracy === undefined ? {} : { accuracy }) };
    };
    const [only] = parts;
    if (only?.name === '') return figures(only);
    const { loss, accuracy } = judged;
    const heads = Object.fromEntries(parts.map((part) => [part.name, figures(part)]));
    return { loss, ...(accuracy === undefined ? {} : { accuracy }), heads };
  } finally {
    graphModel.dispose();
  }
}
