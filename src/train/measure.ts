// Loss and decisions of a model over examples, in inference mode.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { TransferModel } from '../core/model.ts';
import type { Examples, Rows } from './examples.ts';
import type { SettledLoss } from './losses.ts';
import { runAndFree, type Network } from './network.ts';
import type { Pace } from './pace.ts';
import { allInBatches } from './readAhead.ts';
import { readRows } from './readRows.ts';
import { taskRules } from './taskRules.ts';

/** What the model said about one example. */
export interface Judgement {
  readonly id: string;
  readonly logits: Float32Array;
  readonly target: Float32Array;
  readonly loss: number;
  /** How much the example counts in the mean loss. */
  readonly weight: number;
}

/** Figures over all examples. */
export interface Measurement {
  readonly loss: number;
  readonly accuracy: number | undefined;
  readonly judgements: readonly Judgement[];
}

/** What is measured, and by which loss. */
export interface Subject {
  readonly model: TransferModel;
  readonly network: Network;
  readonly loss: SettledLoss;
}

/** Runs the network on every row. */
export async function measure(
  subject: Subject,
  examples: Examples,
  batchSize: number,
  pace?: Pace,
): Promise<Measurement> {
  const judgements: Judgement[] = [];
  const rules = taskRules[subject.model.head.task];
  let done = 0;
  for await (const rows of readRows(examples, allInBatches(examples.size, batchSize))) {
    if (rows !== undefined) judgements.push(...(await judge(subject, examples.entry, rows)));
    const amount = Math.min(batchSize, examples.size - done);
    done += amount;
    await pace?.advance(amount);
  }
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
  const correct = judgements.flatMap(({ logits, target }) => rules.correct(logits, target) ?? []);
  return {
    loss: mean(judgements.map(({ loss, weight }) => loss * weight)),
    accuracy: correct.length === 0 ? undefined : mean(correct),
    judgements,
  };
}

/** What the network says about each row; the tensors of the rows are freed. */
async function judge({ network, loss }: Subject, from: number, rows: Rows): Promise<Judgement[]> {
  const { input, targets, weights } = rows;
  const made: Tensor[] = [targets, weights];
  try {
    const logits = runAndFree(network, input, { from });
    made.push(logits);
    const losses = loss.losses(logits, targets);
    made.push(losses);
    const [values, lossValues] = await Promise.all([logits.data(), losses.data()]);
    if (!(values instanceof Float32Array)) throw new TypeError(`logits are ${logits.dtype}`);
    const width = values.length / rows.ids.length;
    return rows.targetRows.map((target, row) => ({
      id: rows.ids[row] ?? '',
      logits: values.slice(row * width, (row + 1) * width),
      target,
      loss: lossValues[row] ?? NaN,
      weight: rows.weightRows[row] ?? 1,
    }));
  } finally {
    dispose(made);
  }
}
