// The verb fineTune: head and unfrozen layers of the base are trained together at a low rate.
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import { TransferKitError } from './core/errors.ts';
import type { AnyModel } from './model/model.ts';
import type { TrainingLog } from './core/logs.ts';
import type { Samples, TrunkWeight } from './core/types.ts';
import { unfreezeNow, type FreezeSelection } from './freeze.ts';
import { whileChanged } from './model/uses.ts';
import type { Segment } from './training/run/loopPlan.ts';
import { assertWhole } from './core/optionChecks.ts';
import { assertOptions, type NamesOf } from './core/optionNames.ts';
import type { SettledOptions, TrainingOptions } from './training/options/options.ts';
import type { LearningRates, SettledRates } from './training/options/rates.ts';
import { trainHeadNow, type TrainHeadOptions } from './trainHead.ts';

/** What is unfrozen from an epoch on, beside what is unfrozen already. */
export type UnfreezeStep = { readonly epoch: number } & (
  { readonly lastStages: number } | { readonly from: string } | { readonly layers: FreezeSelection }
);

/** Options of {@link fineTune}. */
export interface FineTuneOptions extends TrainingOptions {
  /**
   * What to unfreeze first, as for `unfreeze`. Without it, what is unfrozen already is trained; when nothing of the base
   * is, all of it is unfrozen. A list of steps unfreezes little by little, the features of what is still frozen in front
   * computed anew with each: `[{ epoch: 0, lastStages: 1 }, { epoch: 3, lastStages: 3 }]`.
   */
  readonly unfreeze?: FreezeSelection | readonly UnfreezeStep[];
  /**
   * Highest rates of the schedule; see {@link LearningRates}. Default: the optimizer's own (1e-3 for Adam) for the head and the
   * last unfrozen stage of the base, from there down to a tenth of it at the first; all of them lower for a run of fewer than 500
   * steps, in proportion, down to a tenth.
   */
  readonly learningRate?: LearningRates;
  /**
   * Factor on the rate from each stage of the base to the one in front of it, above 0 and at most 1; the last stage has it
   * once. Default 1.
   *
   * Bao et al., "BEiT: BERT Pre-Training of Image Transformers", 2022; timm's `layer_decay`.
   */
  readonly layerDecay?: number;
  /**
   * Epochs of `trainHead` for a head that was never trained: random heads wreck good bases. Default: what `trainHead` does by
   * itself; 0 turns it off. By Adam at 1e-3 where it is by epochs; `optimizer`, `learningRate`, `schedule`, `clip`, `ema`,
   * `augment`, `mixup`, `cutMix`, `monitor`, `earlyStopping`, `maxSeconds` and `checkpoint` are those of the epochs behind it.
   */
  readonly headEpochs?: number;
}

/**
 * Trains the head and every unfrozen layer of the base. What is frozen in front of the first unfrozen layer is computed
 * only once for each example. Frozen BatchNorm runs by its stored statistics; the rest too, unless `batchNorm` is `'train'`.
 *
 * @param model - From `replaceHead` or `load`.
 * @param samples - Training examples; their labels must be the head's.
 * @param options - See {@link FineTuneOptions}. Default 5 epochs by a one-cycle schedule.
 * @returns What was done, as plain data; also appended to `model.history` (the log of the head's training before it).
 * @throws TransferKitError as `trainHead`, under its name while the head is trained first; `UNKNOWN_LAYER`; `NOTHING_TO_TRAIN` when base and head are frozen;
 * `BASE_SHARED` when layers of a base are to train that several models share. Before any
 * training the model, freeze state included, is left as it was.
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
 * @param of - What error texts call them, where they are not the verb's own.
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
 * Fills in defaults and checks values; the model stays as it is.
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

/** What {@link fineTune} does, for the verb that is changing the model. */
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
      // What cannot be trained is refused before the head is.
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

/** What moves when. The model's freeze state is that of the first segment afterwards. */
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
  // A run that begins later begins in the step that is under way then.
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

/** Every option, and whether the training of the head that comes first takes it over. */
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

/** Remembers what is frozen; the returned function puts it back. */
function rememberFrozen({ base, head }: AnyModel): () => void {
  const before = [...base.trunk.weights, ...head.trunk.weights].map((weight) => ({ weight, frozen: weight.frozen }));
  return () => {
    for (const { weight, frozen } of before) weight.frozen = frozen;
  };
}
