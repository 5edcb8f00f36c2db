// Runs a model on samples in inference mode, and measures loss and decisions.
import { TransferKitError } from '../core/errors.ts';
import type { AnyModel } from '../model/model.ts';
import type { Progress, Samples, Unreadable } from '../core/types.ts';
import type { Examples } from '../features/examples.ts';
import type { HeadLoss } from '../losses/headRules.ts';
import type { InferViews } from './viewOptions.ts';
import { measure, type Measurement } from './measure.ts';
import { prepareFront } from '../model/inference.ts';
import type { Network } from '../model/network.ts';
import { startPace } from '../core/pace.ts';
import { freeRows, readRows } from '../features/readRows.ts';
import { allInBatches } from '../data/reading/readAhead.ts';
import { streamExamples } from '../features/streamExamples.ts';
import { assertKnown } from '../model/checkLabels.ts';

/** The verb, the model and the loss of a measurement. */
export interface Inquiry {
  readonly model: AnyModel;
  readonly loss: HeadLoss;
  readonly batchSize: number;
  readonly onProgress: ((progress: Progress) => unknown) | undefined;
  /** Receives the features of the base batch by batch, as examples that enter after it. */
  readonly watch?: ((examples: Examples) => Examples) | undefined;
  /** Views of each example, whose mean is measured. Default: the example as it is. */
  readonly views?: InferViews | undefined;
}

/** The measurement, and examples that could not be read. */
export interface Judged extends Measurement {
  readonly skipped: readonly Unreadable[];
}

/**
 * Runs a model on samples.
 *
 * @throws TransferKitError `NOT_FINITE` for outputs that are not finite, and the errors of samples and reading.
 */
export async function judgeSamples(inquiry: Inquiry, samples: Samples): Promise<Judged> {
  assertKnown(inquiry.model, samples);
  const network = await prepareFront(inquiry.model, Infinity);
  try {
    return await judgeNetwork(inquiry, network, samples);
  } finally {
    network.dispose();
  }
}

/** {@link judgeSamples} with another network, which gives the logits of the model. */
export async function judgeNetwork(inquiry: Inquiry, network: Network, samples: Samples): Promise<Judged> {
  const { model, loss, batchSize, onProgress, watch, views } = inquiry;
  const source = { model, network, samples, batchSize, signal: undefined, augment: undefined };
  const fromBase = () => watch?.(streamExamples(source, model.base.trunk.stages.length));
  if (views !== undefined) await readAllRows(fromBase(), batchSize);
  const examples = (views === undefined ? fromBase() : undefined) ?? streamExamples(source, 0);
  const pace = await startPace('evaluate', samples.size, onProgress);
  const subject = { model, network: views === undefined ? network : inViews(network, views), loss };
  const measured = await measure(subject, examples, batchSize, pace);
  assertFinite(measured);
  return { ...measured, skipped: examples.skipped };
}

/** The same network, whose logits are means over views of its input. */
function inViews(network: Network, views: InferViews): Network {
  return { ...network, infer: (input) => views(input, (view) => network.infer(view)) };
}

/** What watches features of the base sees those of the examples as they are: views begin before the base. */
async function readAllRows(examples: Examples | undefined, batchSize: number): Promise<void> {
  if (examples === undefined) return;
  for await (const rows of readRows(examples, allInBatches(examples.size, batchSize))) {
    freeRows(rows);
  }
}

function assertFinite({ judgements }: Measurement): void {
  const bad = judgements.find(({ logits }) => !logits.every(Number.isFinite));
  if (bad === undefined) return;
  const text =
    `expected finite outputs, got ${Array.from(bad.logits).join(', ')} for ${bad.id}. Check its preprocessing, ` +
    'and whether training has left the weights in range.';
  throw new TransferKitError('NOT_FINITE', text, { id: bad.id });
}
