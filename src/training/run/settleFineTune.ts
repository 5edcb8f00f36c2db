// Completes the options of fineTune: what the user gave, and the usual settings for everything else.
import type { TrainingLog } from '../../core/logs.ts';
import { assertOneOf, assertWhole } from '../../core/optionChecks.ts';
import type { Samples } from '../../core/types.ts';
import type { AnyModel } from '../../model/model.ts';
import { settleBlend, type SettledBlend } from '../options/blendOptions.ts';
import { headOptions, type FineTuneOptions } from '../options/fineTuneOptions.ts';
import { settleOptions, type SettledOptions } from '../options/options.ts';
import { describeSettings, isGiven, type Chosen, type Described } from '../options/plainSettings.ts';
import { settleRates, type SettledRates } from '../options/rates.ts';
import { effortNames, fewestToChoose, usualSettings, type Facts, type UsualChoices } from '../options/usualSettings.ts';
import type { TrainHeadOptions } from '../options/trainHeadOptions.ts';
import type { SplitSamples } from '../state/plan.ts';
import { factsOf } from './fineTuneFacts.ts';
import { holdOut } from './holdOut.ts';
import { settleHead, type HeadPlan } from './trainHeadNow.ts';

/** Everything that a run of fineTune is to do. */
export interface FineTunePlan {
  readonly samples: SplitSamples;
  readonly settled: SettledOptions;
  readonly rates: SettledRates;
  readonly unfreeze: FineTuneOptions['unfreeze'];
  /** Training of a head that was never trained; undefined if that is turned off. */
  readonly head: HeadPlan | undefined;
  readonly blend: SettledBlend | undefined;
  /** What the log says about the options. */
  readonly chosen: Described;
}

/**
 * Fills in defaults and validates values; does not change the model.
 *
 * @param history - Logs of the model's training before the run: a resumed run has those of its checkpoint.
 * @throws TransferKitError `INVALID_OPTION`, and the errors of `holdOut`.
 */
export function settleFineTune(
  model: AnyModel,
  all: Samples,
  options: FineTuneOptions,
  history: readonly TrainingLog[] = model.history,
): FineTunePlan {
  const { validation = 'auto', effort = 'standard', headEpochs, seed = 0 } = options;
  assertOneOf('effort', effort, effortNames);
  if (headEpochs !== undefined) assertWhole('headEpochs', headEpochs, 0);
  const samples = holdOut(model, all, { validation, seed });
  const isNew = areNew(samples, history, seed);
  const isSolvable = headEpochs !== 0 && settleHead(model, samples, headOptions(options)).solver !== undefined;
  const known = { train: samples.train, effort, history, isSolvable, validation: stateOf(samples, isNew) };
  const choices = usualSettings(factsOf(model, options, known));
  const complete = { ...asOptions(choices, options), ...withoutUndefined(options) };
  const head =
    headEpochs === 0 ? undefined : settleHead(model, samples, withViews(headOptions(options), complete, isSolvable));
  const { epochs = choices.epochs.value, schedule = choices.schedule.value, layerDecay } = options;
  const validated = samples.validation !== undefined;
  const settled = settleOptions({ ...complete, epochs, schedule }, { base: model.base, validated });
  const { watch, maxSeconds } = settled;
  const chosen = {
    ...Object.fromEntries(Object.entries({ ...usualValues, ...choices }).filter(([name]) => mayChoose(name, options))),
    ...describeValidation(samples, isNew),
  };
  return {
    samples,
    settled: { ...settled, watch: { ...watch, weighsStart: watch.weighsStart && isNew } },
    rates: settleRates(complete.learningRate, layerDecay),
    unfreeze: complete.unfreeze,
    blend: settleBlend(complete.blend),
    head: head && { ...head, settled: { ...head.settled, maxSeconds } },
    chosen: describeSettings(options, chosen),
  };
}

/** Defaults that depend on nothing. */
const usualValues = { batchSize: { value: 32 }, optimizer: { value: 'adam' }, seed: { value: 0 } };

/** Whether the user leaves a setting open. An augmentation and the number of its views belong together. */
function mayChoose(name: string, options: FineTuneOptions): boolean {
  const together = name === 'augment' || name === 'views' ? ['augment', 'views'] : [name];
  return !together.some((each) => isGiven(options, each));
}

/** The choices as options, as far as the user leaves them open. */
function asOptions(
  { unfreeze, augment, views, labelSmoothing, ema, learningRate, blend, restoreBest }: UsualChoices,
  given: FineTuneOptions,
) {
  return {
    learningRate: learningRate.value,
    labelSmoothing: labelSmoothing.value,
    ema: ema.value,
    blend: blend.value,
    restoreBest: restoreBest.value,
    ...(unfreeze.value === undefined ? {} : { unfreeze: unfreeze.value }),
    ...(mayChoose('views', given) ? { augment: augment.value, views: views.value } : {}),
  };
}

/** The options of a head that is solved for, with the views of the run. Other heads are trained on unchanged inputs. */
function withViews(
  options: TrainHeadOptions,
  { augment, views }: FineTuneOptions,
  isSolvable: boolean,
): TrainHeadOptions {
  return isSolvable && augment !== undefined && typeof views === 'number' ? { ...options, augment, views } : options;
}

function stateOf({ validation }: SplitSamples, isNew: boolean): Facts['validation'] {
  const size = validation?.size;
  if (size === undefined) return 'none';
  if (!isNew) return 'known';
  return size < fewestToChoose ? 'few' : 'enough';
}

function withoutUndefined(options: FineTuneOptions): FineTuneOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/**
 * Whether the model has not been trained on the examples that `'auto'` holds out: earlier runs held out as many with the
 * same seed, or there were none. Figures of examples that the head knows are too good to be compared with later ones.
 */
function areNew({ held }: SplitSamples, history: readonly TrainingLog[], seed: number): boolean {
  if (held?.by !== 'auto') return true;
  return history.every((log) => log.epochs.length === 0 || (log.heldOut === held.examples && log.seed === seed));
}

function describeValidation({ train, held }: SplitSamples, isNew: boolean): Readonly<Record<string, Chosen>> {
  if (held?.by !== 'auto') return {};
  if (held.examples === undefined) {
    return { validation: { value: 'auto', reason: `no example is held out, as ${held.obstacle}` } };
  }
  const count = `${String(held.examples)} of ${String(train.size + held.examples)} examples are held out`;
  const known =
    'the model was trained before, and may know them: its figures before the first epoch are not compared with later ones';
  return { validation: { value: 'auto', reason: isNew ? count : `${count}; ${known}` } };
}
