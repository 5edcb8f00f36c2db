// Options of fineTune, and which of them the preceding training of the head uses too.
import { assertOptions, type NamesOf } from '../../core/optionNames.ts';
import type { FreezeSelection } from '../../model/freezing.ts';
import type { TrainingOptions } from './options.ts';
import type { LearningRates } from './rates.ts';
import type { TrainHeadOptions } from './trainHeadOptions.ts';
import type { Effort } from './usualSettings.ts';

/** Layers to unfreeze from an epoch on, in addition to those that are unfrozen already. */
export type UnfreezeStep = { readonly epoch: number } & (
  { readonly lastStages: number } | { readonly from: string } | { readonly layers: FreezeSelection }
);

/** Options of `fineTune`. */
export interface FineTuneOptions extends TrainingOptions {
  /**
   * How much time training may take for better figures. It sets `epochs`, `unfreeze`, `augment` and `views` together;
   * options that are given count more. `'standard'`: 10 epochs, down to 5 where these have more than 1,500 steps, of the
   * stages after a third of the base's multiplications, so that the others run only once for each view; pictures in two
   * views, mirrored at random. `'quick'`: 4 epochs, down to 2, of the stages after half of the multiplications, pictures
   * as they are. `'thorough'`: 20 epochs, down to 10, and eight views with `augment: 'light'`. The log lists what was set
   * (`settings`) and why (`reasons`).
   * Default `'standard'`.
   */
  readonly effort?: Effort;
  /**
   * Layers to unfreeze before training, as for `unfreeze`. Default: the layers that are unfrozen now; if none of the
   * base is, those of `effort`; `'base'` is the whole base. A list of steps unfreezes gradually:
   * `[{ epoch: 0, lastStages: 1 }, { epoch: 3, lastStages: 3 }]`. At each step the features of the layers that are
   * still frozen are computed again. `'norms'` trains the head and the scales and offsets of the base's normalisations
   * alone (see {@link FreezeSelection}).
   */
  readonly unfreeze?: FreezeSelection | readonly UnfreezeStep[];
  /**
   * Highest learning rates of the schedule, above 0; see {@link LearningRates}. Default: the optimizer's own rate (1e-3
   * for Adam) for the last unfrozen stage of the base, falling to a tenth of it at the first unfrozen stage. A head that
   * was solved for has a tenth of it too, any other head the whole. For a run of fewer than 1,500 steps all of these are
   * reduced in proportion, at most to a twentieth.
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
   * `labelSmoothing`, `monitor`, `earlyStopping` and `checkpoint` apply to the epochs after them only. Both use the same
   * examples for training and validation, and `maxSeconds` covers both.
   */
  readonly headEpochs?: number;
  /**
   * Whether the model ends with a blend of the weights before the run (those of the trained head) and the weights that
   * the run would end with: `(1 - alpha) * before + alpha * after`. With `true`, alpha is the one of 0, 0.25, 0.5, 0.75
   * and 1 with the lowest validation loss at the temperature (1 … 6) that suits it, or 0.5 without
   * validation; `{ alpha }` sets it, from 0 to 1. `log.blend` lists what was tried. A run that its signal stops is not
   * blended. Not with BatchNorm layers that `batchNorm: 'train'` changes. Default: true where there are 100 validation
   * examples or more that the head has not seen, else `{ alpha: 0.5 }`; false without a trained head and with
   * `batchNorm: 'train'`.
   *
   * Wortsman et al., "Robust fine-tuning of zero-shot models", 2022.
   */
  readonly blend?: boolean | { readonly alpha: number };
}

/**
 * Raises unless options are an object with known names, steps of `unfreeze` included.
 *
 * @param of - Name of the options in error texts. Default: that of the verb.
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertFineTuneNames(options: FineTuneOptions, of?: string): void {
  assertOptions(options, fineTuneNames, of === undefined ? {} : { of });
  const { unfreeze } = options;
  if (!isSteps(unfreeze)) return;
  for (const step of unfreeze) {
    assertOptions(step, { epoch: true, lastStages: true, from: true, layers: true }, { of: 'unfreeze' });
  }
}

/** Whether layers are unfrozen step by step. */
export function isSteps(selection: FineTuneOptions['unfreeze']): selection is readonly UnfreezeStep[] {
  return (
    Array.isArray(selection) &&
    selection.some((each: unknown) => typeof each === 'object' && each !== null && 'epoch' in each)
  );
}

/** Every option, and whether the preceding training of the head uses it too. */
const fineTuneNames = {
  augment: 'fineTune',
  batchNorm: 'both',
  batchSize: 'both',
  blend: 'fineTune',
  cache: 'both',
  checkpoint: 'fineTune',
  classWeights: 'both',
  clip: 'fineTune',
  cutMix: 'fineTune',
  earlyStopping: 'fineTune',
  effort: 'fineTune',
  ema: 'fineTune',
  epochs: 'fineTune',
  gradientAccumulationSteps: 'fineTune',
  headEpochs: 'fineTune',
  initialEpoch: 'fineTune',
  labelSmoothing: 'fineTune',
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

/** The options for the training of the head before that of the base. */
export function headOptions({ headEpochs: epochs, ...options }: FineTuneOptions): TrainHeadOptions {
  const given = Object.entries(options).filter(([name]) => isShared(name));
  const shared: Pick<TrainHeadOptions, Shared> = Object.fromEntries(given);
  return { ...shared, ...(epochs === undefined ? {} : { epochs }) };
}

function isShared(name: string): name is Shared {
  return new Map<string, string>(Object.entries(fineTuneNames)).get(name) === 'both';
}
