// The verb predict: raw input in, labels with probabilities out.
import { dispose, stack, type Tensor } from '@tensorflow/tfjs-core';
import { ensureBackend } from './backends/ensureBackend.ts';
import { TransferKitError } from './core/errors.ts';
import type { Task, TransferModel } from './core/types.ts';
import { taskRules } from './train/losses.ts';
import { networkOf } from './train/network.ts';
import { assertWhole } from './train/options.ts';
import { assertEqualShapes, preprocess } from './train/readBatch.ts';
import { assertAlive } from './train/runTraining.ts';

/** Options of {@link predict}. */
export interface PredictOptions {
  /** How many labels to give, the most probable first. Default all of them. */
  readonly topK?: number;
  /** Inputs run at once. Default 32. */
  readonly batchSize?: number;
}

/** A label and how probable it is, 0 … 1. */
export interface LabelPrediction {
  readonly label: string;
  readonly probability: number;
}

/** An output of a regression and its value. */
export interface ValuePrediction {
  readonly output: string;
  readonly value: number;
}

/** What `predict` gives for a task. */
export type PredictionOf<T extends Task> = T extends 'regression' ? ValuePrediction : LabelPrediction;

/** A list of inputs gives a list of predictions; a list of numbers is one input. */
export type Predicted<T extends Task, Input> = Input extends readonly number[]
  ? PredictionOf<T>[]
  : Input extends readonly unknown[]
    ? PredictionOf<T>[][]
    : PredictionOf<T>[];

/**
 * Predicts with the model's own preprocessing.
 *
 * @param model - A model of any task.
 * @param input - One raw input (a picture's path, address, bytes or element; a tensor, a list of numbers …), or a list of inputs.
 * @param options - See {@link PredictOptions}.
 * @returns Labels with probabilities, the most probable first; for `regression` the values in the order of the outputs.
 * A list of inputs gives a list of these.
 * @throws TransferKitError `UNREADABLE`, `NOT_FOUND`, `PREPROCESSOR_UNKNOWN`, `WRONG_SHAPE`, `WRONG_DTYPE`,
 * `NOT_FINITE`, `OUT_OF_RANGE`, `INVALID_OPTION`, `DISPOSED`.
 *
 * @example
 * ```ts
 * const [best] = await predict(model, input, { topK: 1 });
 * console.log(best?.label, best?.probability);
 * ```
 */
export async function predict<T extends Task, Input>(
  model: TransferModel<T>,
  input: Input,
  options?: PredictOptions,
): Promise<Predicted<T, Input>>;
export async function predict(
  model: TransferModel,
  input: unknown,
  { topK = model.labels.length, batchSize = 32 }: PredictOptions = {},
): Promise<PredictionOf<Task>[] | PredictionOf<Task>[][]> {
  assertWhole('predict', 'topK', topK, 1);
  assertWhole('predict', 'batchSize', batchSize, 1);
  assertAlive('predict', model);
  await ensureBackend();
  const isList = isListOfInputs(input);
  const inputs = isList ? input : [input];
  const predictions: PredictionOf<Task>[][] = [];
  for (let start = 0; start < inputs.length; start += batchSize) {
    const rows = await logitsOf(model, inputs.slice(start, start + batchSize), start);
    predictions.push(...rows.map((logits) => describe(model, logits, topK)));
  }
  return isList ? predictions : (predictions[0] ?? []);
}

/** A list of numbers is one example's values. */
function isListOfInputs(input: unknown): input is readonly unknown[] {
  return Array.isArray(input) && !(input.length > 0 && input.every((each) => typeof each === 'number'));
}

async function logitsOf(model: TransferModel, inputs: readonly unknown[], start: number): Promise<Float32Array[]> {
  const batch = await prepare(model, inputs, start);
  let logits: Tensor | undefined;
  try {
    logits = networkOf(model).run(batch);
    const values = await logits.data();
    if (!(values instanceof Float32Array)) throw new TypeError(`logits are ${logits.dtype}`);
    const width = values.length / inputs.length;
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw notFinite(values[bad] ?? NaN, nameOf(inputs, start, Math.floor(bad / width)));
    return inputs.map((_, row) => values.slice(row * width, (row + 1) * width));
  } finally {
    dispose([batch, ...(logits === undefined ? [] : [logits])]);
  }
}

/** [b, …] of raw inputs; nothing is left behind when one of them fails. */
async function prepare(model: TransferModel, inputs: readonly unknown[], start: number): Promise<Tensor> {
  const settled = await Promise.allSettled(
    inputs.map((input, index) => preprocess('predict', model, input, nameOf(inputs, start, index))),
  );
  const tensors = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  try {
    for (const each of settled) if (each.status === 'rejected') throw each.reason;
    assertEqualShapes(
      'predict',
      tensors.map((tensor) => tensor.shape),
    );
    return stack(tensors);
  } finally {
    dispose(tensors);
  }
}

/** What error texts call an input. */
function nameOf(inputs: readonly unknown[], start: number, index: number): string {
  const input = inputs[index];
  return typeof input === 'string' ? input : `input ${String(start + index)}`;
}

function notFinite(value: number, id: string): TransferKitError {
  const text =
    `predict: expected finite outputs, got ${String(value)} for ${id}. Check its preprocessing, and whether training ` +
    'has left the weights in range.';
  return new TransferKitError('NOT_FINITE', text, { id });
}

function describe({ head, labels }: TransferModel, logits: Float32Array, topK: number): PredictionOf<Task>[] {
  const values = taskRules[head.task].outputs(logits);
  if (head.task === 'regression') return labels.map((output, index) => ({ output, value: values[index] ?? NaN }));
  return labels
    .map((label, index) => ({ label, probability: values[index] ?? NaN }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, topK);
}
