// The verb tuneThresholds: finds the probability from which each label is chosen.
import { nameErrors } from './core/edge.ts';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import { TransferKitError } from './core/errors.ts';
import type { AnyModel, HeadPart, Tasks, TransferModel } from './model/model.ts';
import type { Decider } from './model/tasks/task.ts';
import { listTasks, tasks, type TaskName, type ThresholdTask } from './model/tasks/tasks.ts';
import type { Progress, Samples } from './core/types.ts';
import { assertAlive } from './model/assertAlive.ts';
import { whileChanged } from './model/uses.ts';
import { settleHeadLoss } from './losses/headRules.ts';
import { judgeSamples } from './measure/judgeSamples.ts';
import { ofHead, type Measurement } from './measure/measure.ts';
import { assertOneOf, assertWhole } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import { bestThreshold, scoreAt, type ThresholdMetric } from './measure/thresholds.ts';

/** Options of {@link tuneThresholds}. */
export interface TuneThresholdsOptions {
  /**
   * Metric to maximise for each label: `'f1'`, the harmonic mean of precision and recall, or `'accuracy'`, the share of
   * right decisions. Default `'f1'`.
   */
  readonly metric?: ThresholdMetric;
  /** Examples run at once. Default 32. */
  readonly batchSize?: number;
  /** Called after every batch, and awaited. An error that it throws or rejects with rejects the verb. */
  readonly onProgress?: (progress: Progress) => unknown;
}

/** The threshold of a label. */
export interface LabelThreshold {
  readonly label: string;
  /** Probability above which the label is chosen, 0 … 1. */
  readonly threshold: number;
  /** Metric on the samples with the model's previous threshold. */
  readonly before: number;
  readonly after: number;
}

/** Result of `tuneThresholds` for a task; for several heads a record of those that have thresholds. */
export type ThresholdsOf<T extends TaskName | Tasks> = [T] extends [TaskName]
  ? readonly LabelThreshold[]
  : { readonly [Name in keyof T as T[Name] extends ThresholdTask ? Name : never]: readonly LabelThreshold[] };

/**
 * Finds the best decision threshold of each label on held-out samples: the label is chosen if its probability is above
 * it. The thresholds become part of the model and are saved with it: `evaluate` and `predict` (`chosen`) use them.
 * Probabilities do not change.
 *
 * A threshold is half-way between the probabilities of two examples, or 0.5 if no other one is better. With few
 * examples of a label its threshold is random: some dozens of each are needed.
 *
 * @param model - A model of task `multiLabel` or `binary` (one threshold, for the second label); of several heads,
 * those of these tasks.
 * @param samples - Examples that training has not seen.
 * @param options - See {@link TuneThresholdsOptions}.
 * @returns The thresholds in the order of the labels.
 * @throws TransferKitError `INVALID_OPTION` for a model of another task, the errors of `evaluate`, and `BUSY` while
 * another verb changes the model. After an error the model is unchanged.
 *
 * @example
 * ```ts
 * import { fromArrays, replaceHead, trainHead, tuneThresholds } from 'transferkit';
 * const marks = replaceHead(base, { task: 'multiLabel', labels: ['round', 'dark'] });
 * const pictures = ['cat.jpg', 'dog.jpg', 'cat.jpg', 'dog.jpg'];
 * const marked = fromArrays({ inputs: pictures, targets: [['round'], ['dark'], ['round'], ['dark', 'round']] });
 * await trainHead(marks, marked, { epochs: 3 });
 * for (const { label, threshold } of await tuneThresholds(marks, marked)) console.log(label, threshold);
 * ```
 */
export async function tuneThresholds<T extends TaskName | Tasks>(
  model: TransferModel<T>,
  samples: Samples,
  options?: TuneThresholdsOptions,
): Promise<ThresholdsOf<T>>;
export async function tuneThresholds(
  model: AnyModel,
  samples: Samples,
  options: TuneThresholdsOptions = {},
): Promise<readonly LabelThreshold[] | Readonly<Record<string, readonly LabelThreshold[]>>> {
  return nameErrors('tuneThresholds', () => {
    assertOptions(options, { metric: true, batchSize: true, onProgress: true });
    return whileChanged('tuneThresholds', [model], () => tuneNow(model, samples, options));
  });
}

async function tuneNow(
  model: AnyModel,
  samples: Samples,
  { metric = 'f1', batchSize = 32, onProgress }: TuneThresholdsOptions,
): Promise<readonly LabelThreshold[] | Readonly<Record<string, readonly LabelThreshold[]>>> {
  assertOneOf('metric', metric, ['f1', 'accuracy']);
  assertWhole('batchSize', batchSize, 1);
  const { parts } = model.head;
  const heads = parts.flatMap((part) => {
    const { thresholds } = tasks[part.task];
    return typeof thresholds === 'string' ? [] : [{ part, labels: thresholds(part.labels) }];
  });
  if (heads.length === 0) throw nothingChosen(parts);
  await ensureBackend();
  const loss = settleHeadLoss(parts);
  const judged = await judgeSamples({ model, loss, batchSize, onProgress }, samples);
  const found = heads.map(({ part, labels }) => {
    return { part, tuned: tune({ ...part, labels }, ofHead(judged, parts, part), metric) };
  });
  assertAlive(model);
  for (const { part, tuned } of found) part.thresholds = tuned.map(({ threshold }) => threshold);
  const [only] = found;
  if (only?.part.name === '') return only.tuned;
  return Object.fromEntries(found.map(({ part, tuned }) => [part.name, tuned]));
}

/** The best threshold of each logit of a head, whose labels are given. */
function tune({ labels, thresholds }: Decider, { judgements }: Measurement, metric: ThresholdMetric) {
  return labels.map((label, unit): LabelThreshold => {
    const said = judgements.map(({ logits, target }) => {
      return { logit: logits[unit] ?? 0, applies: (target[unit] ?? 0) > 0.5 };
    });
    const threshold = bestThreshold(metric, said);
    const before = scoreAt(metric, said, thresholds?.[unit]);
    return { label, threshold, before, after: scoreAt(metric, said, threshold) };
  });
}

function nothingChosen(parts: readonly HeadPart[]): TransferKitError {
  const names = [...new Set(parts.map(({ task }) => task))];
  const reasons = names.map((name) => tasks[name].thresholds).filter((reason) => typeof reason === 'string');
  const expected = listTasks(({ thresholds }) => typeof thresholds !== 'string');
  const text = `expected a model of task ${expected}, got '${names.join("', '")}'. ${reasons.join(' ')}`;
  return new TransferKitError('INVALID_OPTION', text, { tasks: names });
}
