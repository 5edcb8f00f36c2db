// Loss and decisions of a model over examples, in inference mode.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../core/errors.ts';
import type { AnyModel, HeadPart } from '../model/model.ts';
import type { Examples, Rows } from '../features/examples.ts';
import { correctOf, type HeadLoss } from '../losses/headRules.ts';
import type { Answered } from '../model/tasks/task.ts';
import type { Network } from '../model/network.ts';
import { inSlices } from '../features/inSlices.ts';
import type { Pace } from '../core/pace.ts';
import { allInBatches } from '../data/reading/readAhead.ts';
import { readRows } from '../features/readRows.ts';

/** The result for one example. Its `loss` is that of all heads together. */
export interface Judgement extends Answered {
  /** Loss of each head, not multiplied by `lossWeights`. */
  readonly headLosses: readonly number[];
  /** Weight of the example in the mean loss. */
  readonly weight: number;
}

/** Figures over all examples. */
export interface Measurement {
  readonly loss: number;
  readonly accuracy: number | undefined;
  readonly judgements: readonly Judgement[];
}

/** The network to measure, and its loss. */
export interface Subject {
  readonly model: AnyModel;
  readonly network: Network;
  readonly loss: HeadLoss;
}

/** Runs the network on every row. */
export async function measure(
  subject: Subject,
  examples: Examples,
  batchSize: number,
  pace?: Pace,
): Promise<Measurement> {
  const judgements: Judgement[] = [];
  let done = 0;
  for await (const rows of readRows(examples, allInBatches(examples.size, batchSize))) {
    if (rows !== undefined) judgements.push(...(await judge(subject, examples.entry, rows)));
    const amount = Math.min(batchSize, examples.size - done);
    done += amount;
    await pace?.advance(amount);
  }
  return { ...figuresOf(judgements, correctOf(subject.model.head.parts)), judgements };
}

/** The measurement of one head: its logits, targets and losses. */
export function ofHead({ judgements }: Measurement, parts: readonly HeadPart[], part: HeadPart): Measurement {
  const place = parts.indexOf(part);
  const { from, to } = part;
  const own = judgements.map((judgement): Judgement => {
    const loss = judgement.headLosses[place] ?? NaN;
    const [logits, target] = [judgement.logits.subarray(from, to), judgement.target.subarray(from, to)];
    return { ...judgement, logits, target, loss, headLosses: [loss] };
  });
  return { ...figuresOf(own, correctOf([{ ...part, from: 0, to: to - from }])), judgements: own };
}

function figuresOf(judgements: readonly Judgement[], correct: ReturnType<typeof correctOf>) {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
  const shares = judgements.flatMap(({ logits, target }) => correct(logits, target) ?? []);
  return {
    loss: mean(judgements.map(({ loss, weight }) => loss * weight)),
    accuracy: shares.length === 0 ? undefined : mean(shares),
  };
}

/** Results for each row; frees the tensors of the rows. */
async function judge({ network, loss }: Subject, from: number, rows: Rows): Promise<Judgement[]> {
  const { input, targets, weights } = rows;
  const made: Tensor[] = [targets, weights];
  try {
    const logits = await inSlices(network, input, (part) => network.infer(part, { from }));
    made.push(logits);
    const losses = loss.byHead(logits, targets);
    made.push(losses);
    const [values, lossValues] = await Promise.all([logits.data(), losses.data()]);
    if (!(values instanceof Float32Array)) throw internalError(`logits are ${logits.dtype}`);
    const width = values.length / rows.ids.length;
    const heads = loss.weights.length;
    return rows.targetRows.map((target, row) => {
      const headLosses = Array.from(lossValues.slice(row * heads, (row + 1) * heads));
      return {
        id: rows.ids[row] ?? '',
        logits: values.slice(row * width, (row + 1) * width),
        target,
        loss: headLosses.reduce((sum, each, head) => sum + each * (loss.weights[head] ?? 1), 0),
        headLosses,
        weight: rows.weightRows[row] ?? 1,
      };
    });
  } finally {
    dispose(made);
  }
}
