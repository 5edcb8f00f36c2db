// The verb predict: labels with probabilities for raw inputs.
import { nameErrors } from './core/edge.ts';
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import { internalError, TransferKitError } from './core/errors.ts';
import { byHead } from './model/headParts.ts';
import type { AnyModel, HeadPart, Tasks, TransferModel, LoadedModel } from './model/model.ts';
import { tasks, type TaskName } from './model/tasks/tasks.ts';
import type { Predicted, Prediction, RankingOptions } from './model/predictions.ts';
import { inferenceNetwork } from './model/inference.ts';
import { inSlices } from './features/inSlices.ts';
import { assertWhole } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import { isListOfInputs, prepareInputs, type PreparedInputs } from './data/reading/prepareInputs.ts';
import { warnOnce } from './core/warnOnce.ts';
import { whileUsed } from './model/uses.ts';
import type { InferViews, ViewOptions } from './measure/viewOptions.ts';
import { viewsFor } from './measure/viewsFor.ts';

/** Options of {@link predict}. */
export interface PredictOptions extends RankingOptions, ViewOptions {}

/**
 * Predicts labels or values for raw inputs, with the model's own preprocessing. Warns once on the console if the head
 * was never trained.
 *
 * @param model - A model of any task, or with several heads.
 * @param input - One raw input (a picture's path, address, bytes or element; a tensor, a list of numbers …), or a list
 * of inputs.
 * @param options - See {@link PredictOptions}.
 * @returns Labels with probabilities, the most probable first; for `regression` the values in the order of the outputs.
 * Several heads give a record of these lists, by name. A list of inputs gives a list of these results.
 * @throws TransferKitError `UNREADABLE`, `NOT_FOUND`, `PREPROCESSOR_UNKNOWN`, `WRONG_SHAPE`, `WRONG_DTYPE`,
 * `NOT_FINITE`, `OUT_OF_RANGE`, `INVALID_OPTION`, `DISPOSED`, `BACKEND_LOST`.
 *
 * @example
 * ```ts
 * const [best] = await predict(model, input, { topK: 1 });
 * console.log(best?.label, best?.probability);
 *
 * // The mean over the picture and its mirror image.
 * const [surer] = await predict(model, input, { topK: 1, views: 2 });
 * ```
 */
export async function predict<T extends TaskName | Tasks, Input, Label extends string = string>(
  model: TransferModel<T, Label>,
  input: Input,
  options?: PredictOptions,
): Promise<Predicted<T, Input, Label>>;
export async function predict<Input>(
  model: LoadedModel,
  input: Input,
  options?: PredictOptions,
): Promise<Predicted<TaskName, Input> | Predicted<Tasks, Input>>;
export async function predict(
  model: AnyModel,
  input: unknown,
  options: PredictOptions = {},
): Promise<AnyPrediction | AnyPrediction[]> {
  return nameErrors('predict', () => {
    assertOptions(options, { topK: true, batchSize: true, views: true, augment: true });
    return whileUsed(model, () => predictNow(model, input, options));
  });
}

async function predictNow(
  model: AnyModel,
  input: unknown,
  { topK = Infinity, batchSize = 32, ...viewing }: PredictOptions,
): Promise<AnyPrediction | AnyPrediction[]> {
  if (topK !== Infinity) assertWhole('topK', topK, 1);
  assertWhole('batchSize', batchSize, 1);
  const views = await viewsFor(model, viewing);
  if (!model.head.trained) {
    warnOnce(
      model.head,
      `predict: the head on '${model.base.name}' has never been trained: its predictions are chance. Call trainHead or fineTune.`,
    );
  }
  await ensureBackend();
  const isList = isListOfInputs(input);
  const inputs = isList ? input : [input];
  const { parts } = model.head;
  const predictions: AnyPrediction[] = [];
  for await (const batch of prepareInputs(model.base, inputs, batchSize)) {
    const rows = await logitsOf(model, batch, views);
    predictions.push(...rows.map((logits) => byHead(parts, (part) => describe(part, logits, topK))));
  }
  return isList ? predictions : (predictions[0] ?? []);
}

type AnyPrediction = Prediction<TaskName> | Readonly<Record<string, Prediction<TaskName>>>;

/** The logits of each input of a batch, which is freed. */
async function logitsOf(
  model: AnyModel,
  { input, names }: PreparedInputs,
  views: InferViews | undefined,
): Promise<Float32Array[]> {
  const logits = await inSlices(model, input, (part) => infer(model, part, views));
  try {
    const values = await logits.data();
    if (!(values instanceof Float32Array)) throw internalError(`logits are ${logits.dtype}`);
    const width = values.length / names.length;
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw notFinite(values[bad] ?? NaN, names[Math.floor(bad / width)] ?? '');
    return names.map((_, row) => values.slice(row * width, (row + 1) * width));
  } finally {
    dispose(logits);
  }
}

async function infer(model: AnyModel, input: Tensor, views: InferViews | undefined): Promise<Tensor> {
  const network = await inferenceNetwork(model);
  try {
    return await (views === undefined ? network.infer(input) : views(input, (view) => network.infer(view)));
  } finally {
    network.dispose();
  }
}

function notFinite(value: number, id: string): TransferKitError {
  const text =
    `expected finite outputs, got ${String(value)} for ${id}. Check its preprocessing, and whether training ` +
    'has left the weights in range.';
  return new TransferKitError('NOT_FINITE', text, { id });
}

/** The predictions of one head. */
function describe(part: HeadPart, logits: Float32Array, topK: number) {
  return tasks[part.task].predictions(part, logits.subarray(part.from, part.to), topK);
}
