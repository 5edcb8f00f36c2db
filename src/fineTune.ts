// The verb fineTune: trains the head together with unfrozen layers of the base.
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import { TransferKitError } from './core/errors.ts';
import type { AnyModel } from './model/model.ts';
import type { TrainingLog } from './core/logs.ts';
import type { Samples, TrunkWeight } from './core/types.ts';
import { unfreezeNow, type FreezeSelection } from './freeze.ts';
import { whileChanged } from './model/uses.ts';
import type { Segment } from './training/state/plan.ts';
import { assertWhole } from './core/optionChecks.ts';
import { assertOptions, type NamesOf } from './core/optionNames.ts';
import type { SettledOptions, TrainingOptions } from './training/options/options.ts';
import type { LearningRates, SettledRates } from './training/options/rates.ts';
import { trainHeadNow, type TrainHeadOptions } from './trainHead.ts';

/** Layers to unfreeze from an epoch on, in addition to those that are unfrozen already. */
export type UnfreezeStep = { readonly epoch: number } & (
  { readonly lastStages: number } | { readonly from: string } | { readonly layers: FreezeSelection }
);

/** Options of {@link fineTune}. */
export interface FineTuneOptions extends TrainingOptions {
  /**
   * Layers to unfreeze before training, as for `unfreeze`. Default: the layers that are unfrozen now; if none of the
   * base is, the whole base is unfrozen. A list of steps unfreezes gradually:
   * `[{ epoch: 0, lastStages: 1 }, { epoch: 3, lastStages: 3 }]`. At each step the features of the layers that are
   * still frozen are computed again.
   */
  readonly unfreeze?: FreezeSelection | readonly UnfreezeStep[];
  /**
   * Highest learning rates of the schedule, above 0; see {@link LearningRates}. Default: the optimizer's own rate (1e-3
   * for Adam) for the head and the last unfrozen stage of the base, falling to a tenth of it at the first unfrozen
   * stage. For a run of fewer than 500 steps all of these are reduced in proportion, at most to a tenth.
   */
  readonly learningRate?: LearningRates;
  /**
   * Factor of the learning rate from each stage of the base to the stage before it, above 0 and at most 1. The rate of
   * the last stage is multiplied by it once. Default 1.
   *
   * Bao et al., "BEiT: BERT Pre-Training of Image Transformers", 2022; timm's `layer_decay`.
   */
  readonly layerDecay?: number;
  /**
   * Epochs of `trainHead` before fine-tuning, for a head that was never trained: gradients of a random head damage a
   * pretrained base. Default: that of `trainHead`; 0 turns it off. Where the head is trained by gradients, these epochs
   * use Adam with a rate of 1e-3; `optimizer`, `learningRate`, `schedule`, `clip`, `ema`, `augment`, `mixup`, `cutMix`,
   * `monitor`, `earlyStopping`, `maxSeconds` and `checkpoint` apply to the epochs after them only.
   */
  readonly headEpochs?: number;
}

/**
 * Trains the head and every unfrozen layer of the base. The frozen layers before the first unfrozen one run only once
 * for each example; their outputs are kept. BatchNorm uses its stored statistics; with `batchNorm: 'train'`, unfrozen
 * BatchNorm layers use and update those of the batch.
 *
 * @param model - From `replaceHead` or `load`.
 * @param samples - Training examples; their labels must be the head's.
 * @param options - See {@link FineTuneOptions}. Default 5 epochs with a one-cycle schedule.
 * @returns The training log, as plain data; also appended to `model.history`, after the log of the head's training if
 * there was one.
 * @throws TransferKitError The errors of `trainHead`, whose texts begin with `trainHead` while the head is trained
 * first; `UNKNOWN_LAYER`; `NOTHING_TO_TRAIN` if base and head are frozen; `BASE_SHARED` if unfrozen layers are in a
 * base that several models share. After an error before the first epoch the model is unchanged, freeze state included.
 *
 * @example
 * ```ts
 * await trainHead(model, samples, { epochs: 5 });
 * const log = await fineTune(model, samples, { unfreeze: { lastStages: 1 }, epochs: 2, learningRate: 1e-4 });
 * console.log(log.cachedUpTo);
 * ```
 */
export async function fineTune(model: AnyModel, samples: Samples, options: FineTuneOptions = {}): Promise<TrainingLog> {
  assertFineTuneNames('fineTune', options);
  return whileChanged('fineTune', [model], () => fineTuneNow(model, samples, options));
}

/**
 * Raises unless options are an object with known names, steps of `unfreeze` included.
 *
 * @param of - Name of the options in error texts. Default: that of the verb.
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertFineTuneNames(verb: string, options: FineTuneOptions, of?: string): void {
  assertOptions(verb, options, fineTuneNames, of === undefined ? {} : { of });
  const { unfreeze } = options;
  if (!isSteps(unfreeze)) return;
  for (const step of unfreeze) {
    assertOptions(verb, step, { epoch: true, lastStages: true, from: true, layers: true }, { of: 'unfreeze' });
  }
}

/**
 * Fills in defaults and validates values; does not change the model.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export async function settleFineTune(
  model: AnyModel,
  samples: Samples,
  options: FineTuneOptions,
): Promise<{ readonly settled: SettledOptions; readonly rates: SettledRates }> {
  const { settleOptions, settleRates, usualRates } = await import('./training/run/training.ts');
  const { learningRate, layerDecay, headEpochs } = options;
  const settled = settleOptions('fineTune', options, { epochs: 5, schedule: 'oneCycle' }, model);
  const rates = settleRates('fineTune', learningRate ?? usualRates('fineTune', samples, settled), layerDecay);
  if (headEpochs !== undefined) assertWhole('fineTune', 'headEpochs', headEpochs, 0);
  return { settled, rates };
}

/** Does the work of {@link fineTune} for a verb that already holds the model. */
export async function fineTuneNow(model: AnyModel, samples: Samples, options: FineTuneOptions): Promise<TrainingLog> {
  const startedAt = performance.now();
  const { findCheckpoints, settleRun, segmentNow, runTraining } = await import('./training/run/training.ts');
  const { settled, rates } = await settleFineTune(model, samples, options);
  await ensureBackend();

  const checkpoints = await findCheckpoints('fineTune', 'fineTune', settled);
  const restore = rememberFrozen(model);
  try {
    const segments = planSegments(model, options.unfreeze, settled, segmentNow);
    const plan = {
      verb: 'fineTune',
      phase: 'fineTune',
      segments,
      rates,
      options: settled,
      startedAt,
      checkpoints,
    } as const;
    if (
      checkpoints?.resumes !== true &&
      !model.head.trained &&
      options.headEpochs !== 0 &&
      segments[0]?.trainable.some(isOf(model.head.trunk.weights))
    ) {
      // Layers that cannot be trained are refused before the head is trained.
      settleRun(model, samples, plan);
      const log = await trainHeadNow(model, samples, headOptions(options));
      if (log.stoppedBy === 'signal') return log;
    }
    return await runTraining(model, samples, plan);
  } catch (error) {
    restore();
    throw error;
  }
}

/** Which weights train in which epochs. Leaves the model in the freeze state of the first segment. */
function planSegments(
  model: AnyModel,
  selection: FineTuneOptions['unfreeze'],
  { initialEpoch, epochs }: { readonly initialEpoch: number; readonly epochs: number },
  segmentNow: (epoch: number, weights: readonly TrunkWeight[]) => Segment,
): readonly Segment[] {
  const weights = [...model.base.trunk.weights, ...model.head.trunk.weights];
  const isActive = ({ trainable }: Segment) => trainable.length > 0;
  if (!isSteps(selection)) {
    if (selection !== undefined) unfreezeNow(model, selection);
    else if (!isActive(segmentNow(0, model.base.trunk.weights)) && isActive(segmentNow(0, model.head.trunk.weights))) {
      unfreezeNow(model, 'base');
    }
    return [segmentNow(initialEpoch, weights)];
  }
  assertSteps(selection);
  const segments = selection.map((step) => {
    unfreezeNow(model, selectionOf(step));
    return segmentNow(step.epoch, weights);
  });
  // A resumed run begins in the step that its first epoch belongs to.
  const current = Math.max(
    0,
    segments.findLastIndex(({ epoch }) => epoch <= initialEpoch),
  );
  const left = segments.slice(current).filter(({ epoch }, place) => place === 0 || epoch < epochs);
  const [first] = left;
  for (const weight of weights) weight.frozen = first?.unfrozen.includes(weight) !== true;
  return left.map((segment, place) => (place === 0 ? { ...segment, epoch: initialEpoch } : segment));
}

function selectionOf({ epoch: _epoch, ...selection }: UnfreezeStep): FreezeSelection {
  return 'layers' in selection ? selection.layers : selection;
}

function isSteps(selection: FineTuneOptions['unfreeze']): selection is readonly UnfreezeStep[] {
  return (
    Array.isArray(selection) &&
    selection.some((each: unknown) => typeof each === 'object' && each !== null && 'epoch' in each)
  );
}

function assertSteps(steps: readonly UnfreezeStep[]): void {
  const epochs = steps.map(({ epoch }) => epoch);
  const rising = epochs.every((epoch, i) => Number.isInteger(epoch) && epoch > (epochs[i - 1] ?? -1));
  if (rising && epochs[0] === 0) return;
  const text =
    `fineTune: expected unfreeze to list steps whose epochs are whole numbers that rise from 0, got ${epochs.join(', ')}. ` +
    'Give every step an epoch.';
  throw new TransferKitError('INVALID_OPTION', text, { epochs });
}

/** Every option, and whether the preceding training of the head uses it too. */
const fineTuneNames = {
  augment: 'fineTune',
  batchNorm: 'both',
  batchSize: 'both',
  cache: 'both',
  checkpoint: 'fineTune',
  classWeights: 'both',
  clip: 'fineTune',
  cutMix: 'fineTune',
  earlyStopping: 'fineTune',
  ema: 'fineTune',
  epochs: 'fineTune',
  gradientAccumulationSteps: 'fineTune',
  headEpochs: 'fineTune',
  initialEpoch: 'fineTune',
  labelSmoothing: 'both',
  layerDecay: 'fineTune',
  learningRate: 'fineTune',
  loss: 'both',
  lossWeights: 'both',
  maxSeconds: 'fineTune',
  mixup: 'fineTune',
  monitor: 'fineTune',
  onEpoch: 'both',
  onProgress: 'both',
  optimizer: 'fineTune',
  restoreBest: 'fineTune',
  resume: 'fineTune',
  schedule: 'fineTune',
  seed: 'both',
  signal: 'both',
  unfreeze: 'fineTune',
  validation: 'both',
  views: 'fineTune',
} as const satisfies NamesOf<FineTuneOptions, 'fineTune' | 'both'>;

type Names = typeof fineTuneNames;
type Shared = { [Name in keyof Names]: Names[Name] extends 'both' ? Name : never }[keyof Names];

function headOptions({ headEpochs: epochs, ...options }: FineTuneOptions): TrainHeadOptions {
  const given = Object.entries(options).filter(([name]) => isShared(name));
  const shared: Pick<TrainHeadOptions, Shared> = Object.fromEntries(given);
  return { ...shared, ...(epochs === undefined ? {} : { epochs }) };
}

function isShared(name: string): name is Shared {
  return new Map<string, string>(Object.entries(fineTuneNames)).get(name) === 'both';
}

function isOf(weights: readonly TrunkWeight[]): (weight: TrunkWeight) => boolean {
  return (weight) => weights.includes(weight);
}

/** Remembers the freeze state; the returned function restores it. */
function rememberFrozen({ base, head }: AnyModel): () => void {
  const before = [...base.trunk.weights, ...head.trunk.weights].map((weight) => ({ weight, frozen: weight.frozen }));
  return () => {
    for (const { weight, frozen } of before) weight.frozen = frozen;
  };
}
