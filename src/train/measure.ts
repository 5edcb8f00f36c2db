// Loss and decisions of a model over examples, in inference mode.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { TransferModel } from '../core/types.ts';
import type { Examples, Rows } from './examples.ts';
import { taskRules } from './losses.ts';
import type { Network } from './network.ts';
import type { Pace } from './pace.ts';

/** What the model said about one example. */
export interface Judgement {
  readonly id: string;
  readonly logits: Float32Array;
  readonly target: Float32Array;
  /** Times the example's weight. */
  readonly loss: number;
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
  const all = Array.from({ length: examples.size }, (_, row) => row);
  for (let start = 0; start < examples.size; start += batchSize) {
    const rows = await examples.batch(all.slice(start, start + batchSize));
    if (rows !== undefined) {
      const logits = runAndFree(network, rows, examples.entry);
      try {
        const values = await logits.data();
        if (!(values instanceof Float32Array)) throw new TypeError(`logits are ${logits.dtype}`);
        const width = values.length / rows.ids.length;
        rows.targetRows.forEach((target, row) => {
          const own = values.slice(row * width, (row + 1) * width);
          judgements.push({
            id: rows.ids[row] ?? '',
            logits: own,
            target,
            loss: (rows.weightRows[row] ?? 1) * rules.rowLoss(own, target),
          });
        });
      } finally {
        dispose(logits);
      }
    }
    await pace?.advance(Math.min(batchSize, examples.size - start));
  }
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
  const correct = judgements.flatMap(({ logits, target }) => rules.correct(logits, target) ?? []);
  return {
    loss: mean(judgements.map((each) => each.loss)),
    accuracy: correct.length === 0 ? undefined : mean(correct),
    judgements,
  };
}

function runAndFree(network: Network, rows: Rows, from: number): Tensor {
  try {
    return network.run(rows.input, { from });
  } finally {
    dispose([rows.input, rows.targets, rows.weights]);
  }
}
