// Loss and decisions of a model over examples, in inference mode.
import { dispose } from '@tensorflow/tfjs-core';
import type { TransferModel } from '../core/model.ts';
import type { Examples, Rows } from './examples.ts';
import { taskRules } from './losses.ts';
import { runAndFree, type Network } from './network.ts';
import type { Pace } from './pace.ts';
import { allInBatches } from './readAhead.ts';
import { readRows } from './readRows.ts';

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

/** Runs the network on every row. */
export async function measure(
  model: TransferModel,
  network: Network,
  examples: Examples,
  batchSize: number,
  pace?: Pace,
): Promise<Measurement> {
  const judgements: Judgement[] = [];
  const rules = taskRules[model.head.task];
  let done = 0;
  for await (const rows of readRows(examples, allInBatches(examples.size, batchSize))) {
    if (rows !== undefined) judgements.push(...(await judge(model, network, examples.entry, rows)));
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
async function judge(model: TransferModel, network: Network, from: number, rows: Rows): Promise<Judgement[]> {
  const rules = taskRules[model.head.task];
  dispose([rows.targets, rows.weights]);
  const logits = runAndFree(network, rows.input, { from });
  try {
    const values = await logits.data();
    if (!(values instanceof Float32Array)) throw new TypeError(`logits are ${logits.dtype}`);
    const width = values.length / rows.ids.length;
    return rows.targetRows.map((target, row) => {
      const own = values.slice(row * width, (row + 1) * width);
      return {
        id: rows.ids[row] ?? '',
        logits: own,
        target,
        loss: rules.rowLoss(own, target),
        weight: rows.weightRows[row] ?? 1,
      };
    });
  } finally {
    dispose(logits);
  }
}
