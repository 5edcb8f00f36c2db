// The verb evaluate: loss and metrics of a model on samples.
import { nameErrors } from './core/edge.ts';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import type { AnyModel, Tasks, TransferModel, LoadedModel } from './model/model.ts';
import { tasks, type FiguresOf, type TaskName } from './model/tasks/tasks.ts';
import type { Progress, Samples, Unreadable } from './core/types.ts';
import type { BaselinePlan, LearntBaselines } from './neighbours/baselines.ts';
import { settleHeadLoss, type LossOption } from './losses/headRules.ts';
import { judgeSamples } from './measure/judgeSamples.ts';
import { ofHead } from './measure/measure.ts';
import type { ViewOptions } from './measure/viewOptions.ts';
import { viewsFor } from './measure/viewsFor.ts';
import type { MultiLabelFigures } from './model/tasks/multiLabel.ts';
import type { OneLabelFigures } from './model/tasks/oneLabel.ts';
import type { OutputsFigures } from './model/tasks/regression.ts';
import { assertWhole } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import { whileUsed } from './model/uses.ts';
import { assertKnown } from './model/checkLabels.ts';
import { watchExamples } from './training/run/seenExamples.ts';
import { fewExamples, noBetterThanChance, sharedExamples, untrained } from './training/run/warnings.ts';

/** Options of {@link evaluate}. */
export interface EvaluateOptions extends ViewOptions {
  /** Examples run at once. Default 32. */
  readonly batchSize?: number;
  /** The k of `topKAccuracy`, from 1. Default 5, or the number of labels if that is less. */
  readonly topK?: number;
  /** How many mistakes to list. Default 10. */
  readonly worst?: number;
  /**
   * Loss to measure; for several heads one for all or a record by name. Default: the loss of the task (see `LossName`).
   */
  readonly loss?: LossOption;
  /** Factor of each head's loss in the sum, from 0, by name. Default 1 for each. */
  readonly lossWeights?: Readonly<Record<string, number>>;
  /**
   * Training samples for baselines: classifiers that need no training learn from them and are measured on `samples` too
   * (tasks `classes` and `binary`). This runs the base once more, on the training samples. Default: no baselines.
   */
  readonly baselines?: Samples;
  /** Called after every batch, and awaited. An error that it throws or rejects with rejects the verb. */
  readonly onProgress?: (progress: Progress) => unknown;
}

/** Fields that every evaluation has. */
export interface EvaluationBase {
  /** Mean loss, as in training; for several heads the weighted sum of their losses. */
  readonly loss: number;
  readonly examples: number;
  readonly skipped: readonly Unreadable[];
  /**
   * Reasons not to trust the figures: a head that was never trained, fewer than five examples of a label, examples that
   * the model was trained on in this process (the same path, input object or id), a loss at chance level, an accuracy
   * no better than that of the most frequent label. Each is listed once; for several heads only here, not in `heads`.
   * Missing if there is none.
   */
  readonly warnings?: readonly string[];
}

/** Figures of a model that predicts one of several labels. */
export interface ClassEvaluation extends EvaluationBase, OneLabelFigures {}

/** Figures of a model that predicts any of several labels. */
export interface MultiLabelEvaluation extends EvaluationBase, MultiLabelFigures {}

/** Figures of a model that predicts numbers. */
export interface RegressionEvaluation extends EvaluationBase, OutputsFigures {}

/** Figures of a model with several heads. */
export interface SeveralEvaluation<T extends Tasks = Tasks> extends EvaluationBase {
  /** Figures of each head, by name; their losses are not multiplied by `lossWeights`. */
  readonly heads: { readonly [Name in keyof T]: EvaluationOf<T[Name]> };
}

/** Result of `evaluate` for a task, or for several heads. */
export type EvaluationOf<T extends TaskName | Tasks> = T extends Tasks
  ? SeveralEvaluation<T>
  : T extends TaskName
    ? EvaluationBase & FiguresOf<T>
    : never;

/**
 * Measures a model on samples, in inference mode.
 *
 * @param model - A model of any task, or with several heads.
 * @param samples - Examples with labels of the head; for several heads, targets are records by head name.
 * @param options - See {@link EvaluateOptions}.
 * @throws TransferKitError `NO_EXAMPLES`, `UNKNOWN_LABEL`, `UNREADABLE`, `WRONG_SHAPE`, `NOT_FINITE`, `OUT_OF_RANGE`,
 * `INVALID_OPTION`, `DISPOSED`, `BACKEND_LOST`.
 *
 * @example
 * ```ts
 * const { accuracy, confusion } = await evaluate(model, samples);
 * console.log(accuracy, confusion);
 *
 * const { loss } = await evaluate(model, samples, { views: 2 }); // of the mean over pictures and their mirror images
 *
 * const { baselines } = await evaluate(model, samples, { baselines: train });
 * console.log(baselines?.knn.accuracy, baselines?.nearestCentroid.accuracy, baselines?.mostFrequent.label); // … … cat
 * ```
 */
export async function evaluate<T extends TaskName | Tasks>(
  model: TransferModel<T>,
  samples: Samples,
  options?: EvaluateOptions,
): Promise<EvaluationOf<T>>;
export async function evaluate(
  model: LoadedModel,
  samples: Samples,
  options?: EvaluateOptions,
): Promise<EvaluationOf<TaskName> | EvaluationOf<Tasks>>;
export async function evaluate(
  model: AnyModel,
  samples: Samples,
  options: EvaluateOptions = {},
): Promise<EvaluationOf<TaskName | Tasks>> {
  return nameErrors('evaluate', () => {
    assertOptions(options, {
      batchSize: true,
      topK: true,
      worst: true,
      loss: true,
      lossWeights: true,
      baselines: true,
      views: true,
      augment: true,
      onProgress: true,
    });
    return whileUsed(model, () => evaluateNow(model, samples, options));
  });
}

async function evaluateNow(
  model: AnyModel,
  samples: Samples,
  { batchSize = 32, topK = 5, worst = 10, loss, lossWeights, baselines, onProgress, ...viewing }: EvaluateOptions,
): Promise<EvaluationOf<TaskName | Tasks>> {
  assertWhole('batchSize', batchSize, 1);
  assertWhole('topK', topK, 1);
  assertWhole('worst', worst, 0);
  const { parts } = model.head;
  const settled = settleHeadLoss(parts, loss, lossWeights);
  const views = await viewsFor(model, viewing);
  await ensureBackend();
  const asked = { model, batchSize, onProgress };
  assertKnown(model, samples);
  const learnt = baselines && (await learnFrom({ ...asked, samples: baselines }));
  const seen = watchExamples(samples);
  const judged = await judgeSamples({ ...asked, loss: settled, watch: learnt?.watch, views }, seen.samples);
  const isPlain = (loss === undefined || loss === 'crossEntropy') && !seen.isWeighted();
  const warnings = [
    ...untrained(model),
    ...fewExamples(model, samples, 'evaluation'),
    ...sharedExamples(seen.sharedWith(model.head.trunk), 'evaluation'),
    ...noBetterThanChance(model, samples, (part) => ofHead(judged, parts, part), isPlain),
  ];
  const warned = warnings.length === 0 ? {} : { warnings };
  const common = { examples: judged.judgements.length, skipped: judged.skipped };
  const heads = parts.map((part): readonly [string, EvaluationOf<TaskName>] => {
    const { loss, accuracy = NaN, judgements } = ofHead(judged, parts, part);
    const wanted = { accuracy, topK, worst, baselines: learnt?.of(part) };
    return [part.name, { loss, ...common, ...tasks[part.task].figures(part, judgements, wanted) }];
  });
  const [only] = heads;
  if (only?.[0] === '') return { ...only[1], ...warned };
  return { loss: judged.loss, ...common, ...warned, heads: Object.fromEntries(heads) };
}

async function learnFrom(plan: BaselinePlan): Promise<LearntBaselines> {
  const { learnBaselines } = await import('./neighbours/baselines.ts');
  return learnBaselines(plan);
}
