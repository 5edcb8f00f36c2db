// Validates a run before it begins: samples against the model, loss, class weights and schedule.
import { TransferKitError } from '../../core/errors.ts';
import type { AnyModel } from '../../model/model.ts';
import { assertOwned } from '../../model/owners.ts';
import type { TrunkWeight } from '../../core/types.ts';
import { settleClassWeights } from './classWeights.ts';
import type { Run, Segment, TrainingPlan } from '../state/plan.ts';
import { assertHeadSmoothing, settleHeadLoss } from '../../losses/headRules.ts';
import { tasks } from '../../model/tasks/tasks.ts';
import { networkOf } from '../../model/network.ts';
import { monitors } from '../schedules/monitors.ts';
import { scheduleFactor, stepsOf } from '../options/scheduleFactor.ts';
import { assertTrainable, assertValidation } from '../../model/checkLabels.ts';

/**
 * Validates a plan and completes it to a run.
 *
 * @throws TransferKitError The errors of samples, targets and losses, `NOTHING_TO_TRAIN`, `INVALID_OPTION`,
 * `UNSUPPORTED_LAYER`.
 */
export function settleRun(model: AnyModel, plan: TrainingPlan): Run {
  const { options, segments, samples } = plan;
  assertTrainable(model, samples.train);
  if (samples.validation !== undefined) assertValidation(model, samples.validation);
  const { classWeights } = options;
  assertHeadSmoothing(model.head.parts, options.labelSmoothing);
  if (segments.some(({ trainable }) => trainable.length === 0)) throw nothingToTrain(plan);
  const isTrained = options.batchNorm !== 'inference';
  const moving = segments.map((segment) => ({
    ...segment,
    statistics: isTrained ? statisticsOf(model, segment.unfrozen) : [],
  }));
  for (const { trainable, statistics } of moving) assertOwned(model, [...trainable, ...statistics]);
  for (const segment of moving) assertDifferentiable(model, segment);
  const run: Run = {
    ...plan,
    segments: moving,
    model,
    network: networkOf(model),
    loss: settleHeadLoss(model.head.parts, options.loss, options.lossWeights),
    classWeight: classWeights === undefined ? undefined : settleClassWeights(model, samples.train, classWeights),
  };
  assertFigures(run);
  scheduleFactor(run, options.schedule.init, 0, stepsOf(options, samples.train.size));
  return run;
}

/** Raises unless epochs will have the figures that monitors and schedules need. */
function assertFigures({ model, options, samples: { validation } }: Run): void {
  const { watch, schedule } = options;
  const isJudged = model.head.parts.some(({ task }) => tasks[task].labelled !== undefined);
  const known = monitors.filter(
    (each) => (isJudged || !/accuracy$/i.test(each)) && (validation !== undefined || !each.startsWith('validation')),
  );
  const uses = { monitor: watch.monitor, 'the schedule': schedule.monitor };
  for (const [use, figure] of Object.entries(uses)) {
    if (figure === undefined || known.includes(figure)) continue;
    const text =
      `expected ${use} to use a figure of this run (${known.join(', ')}), got ${figure}. Accuracy is of tasks with ` +
      'labels, and what begins with validation takes samples to validate on.';
    throw new TransferKitError('INVALID_OPTION', text, { figure, known });
  }
}

/** @throws TransferKitError `UNSUPPORTED_LAYER` with the layer that has no gradient after the first trained weight. */
function assertDifferentiable({ base, head }: AnyModel, { trainable }: Segment): void {
  const own = (weights: readonly TrunkWeight[]) => weights.filter((weight) => trainable.includes(weight));
  const moving = own(base.trunk.weights);
  const found =
    base.trunk.blockedBy?.(moving, false) ?? head.trunk.blockedBy?.(own(head.trunk.weights), moving.length > 0);
  if (found === undefined) return;
  const { name, kind } = found;
  const text =
    `expected every layer after the first unfrozen weight to have a gradient, got '${name}' (${kind}), ` +
    'which has none in tfjs. Freeze every weight before it, or cut the base before it.';
  throw new TransferKitError('UNSUPPORTED_LAYER', text, { name, kind });
}

/**
 * @throws TransferKitError `UNSUPPORTED_LAYER` for a BatchNorm that cannot train, `UNSUPPORTED_TRUNK` where none can.
 */
function statisticsOf({ base, head }: AnyModel, unfrozen: Segment['unfrozen']) {
  return [base, head].flatMap(({ trunk }) => {
    if (trunk.movingStatistics !== undefined) return trunk.movingStatistics(unfrozen);
    const still = trunk.weights.find((weight) => weight.kind === 'statistics' && unfrozen.includes(weight));
    if (still === undefined) return [];
    const text =
      `expected a trunk with movingStatistics for batchNorm: 'train', got '${base.name}' without, in which '${still.name}' ` +
      "is unfrozen. Freeze it, or train with batchNorm: 'inference'.";
    throw new TransferKitError('UNSUPPORTED_TRUNK', text, { missing: 'movingStatistics', name: base.name });
  });
}

function nothingToTrain({ phase }: TrainingPlan): TransferKitError {
  const [found, advice] =
    phase === 'head'
      ? ['a head that is frozen', "unfreeze(model, 'head')"]
      : ['a model in which everything is frozen', "unfreeze(model, 'head') or unfreeze(model)"];
  const text = `expected weights to train, got ${found}. Call ${advice}.`;
  return new TransferKitError('NOTHING_TO_TRAIN', text);
}
