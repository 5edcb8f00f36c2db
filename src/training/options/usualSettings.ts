// The settings of fineTune that a user did not choose, and why. A pure function of plain facts, and the only file that
// holds these numbers (figures: docs/accuracy.md).
import { flip } from '../../data/augment/flip.ts';
import type { ImageOperation } from '../../data/augment/operations.ts';
import type { ScheduleName, ScheduleSettings } from '../schedules/schedules.ts';

/** How much time training may take for better figures. */
export type Effort = 'quick' | 'standard' | 'thorough';

/** How pictures are changed. */
type PictureChanges = 'none' | 'light' | readonly ImageOperation[];

/** What the settings depend on. */
export interface Facts {
  readonly effort: Effort;
  /** Number of examples to train on, without those for validation. */
  readonly examples: number;
  /** Number of steps in an epoch. */
  readonly stepsPerEpoch: number;
  readonly initialEpoch: number;
  /** Whether inputs are pictures that presets of `augment` can change. */
  readonly arePictures: boolean;
  /** The head before the first epoch: at the optimum for the frozen features, trained in another way, or new. */
  readonly head: 'solved' | 'trained' | 'new';
  /** Layers of the base to train: the user's choice, all of them, or `'open'` where the user chose none. */
  readonly base: 'open' | 'part' | 'whole';
  /** Multiplications of each stage of the base for one example. */
  readonly costs: readonly number[];
  /** The optimizer's own rate. */
  readonly optimizerRate: number;
  /** The number of the epoch before which training stops, where the user gave it. */
  readonly epochs: number | undefined;
  /** Validation examples: none, some that the head may know from its training, too few to choose by, or enough. */
  readonly validation: 'none' | 'known' | 'few' | 'enough';
  /** Whether the user gave `monitor` or `earlyStopping`, which are about the best epoch. */
  readonly seeksBestEpoch: boolean;
  /** Whether BatchNorm layers may update their statistics. */
  readonly movesStatistics: boolean;
}

/** The settings, as options of `fineTune`. */
interface UsualSettings {
  readonly epochs: number;
  readonly learningRate: { readonly head: number; readonly base: readonly [first: number, last: number] };
  readonly schedule: ScheduleName | ScheduleSettings;
  /** Undefined where the user has chosen layers. */
  readonly unfreeze: 'base' | { readonly lastStages: number } | undefined;
  readonly augment: PictureChanges;
  readonly views: number | 'fresh';
  readonly labelSmoothing: number;
  readonly ema: boolean | { readonly decay: number };
  readonly blend: boolean | { readonly alpha: number };
  readonly restoreBest: boolean;
}

/** A setting, and its reason as the end of a sentence. */
interface Choice<Value> {
  readonly value: Value;
  readonly reason: string;
}

/** All settings with their reasons. */
export type UsualChoices = { readonly [Name in keyof UsualSettings]: Choice<UsualSettings[Name]> };

/** What an effort stands for. */
interface Row {
  readonly mostEpochs: number;
  readonly fewestEpochs: number;
  /** Number of steps from which a run has fewer epochs than the most. */
  readonly steps: number;
  /** Share of the base's multiplications before the first trained layer, where the user has chosen no layers. */
  readonly frozenShare: number;
  readonly augment: PictureChanges;
  /** Number of views of each picture, where their features are kept. */
  readonly views: number;
}

const efforts: Readonly<Record<Effort, Row>> = {
  quick: { mostEpochs: 4, fewestEpochs: 2, steps: 600, frozenShare: 0.5, augment: 'none', views: 1 },
  standard: { mostEpochs: 10, fewestEpochs: 5, steps: 1500, frozenShare: 1 / 3, augment: [flip()], views: 2 },
  thorough: { mostEpochs: 20, fewestEpochs: 10, steps: 3000, frozenShare: 1 / 3, augment: 'light', views: 8 },
};

/** The names of all efforts. */
export const effortNames: readonly Effort[] = ['quick', 'standard', 'thorough'];

/** Number of steps from which a run uses the optimizer's own rate. */
const longRun = 1500;
/** The lowest share of that rate, for the shortest runs. */
const lowestShare = 0.05;
/** Divisor of the rate from the last stage of the base to the first one, and to a head that is at its optimum. */
const span = 10;
/** Share of the run in which the rate rises. */
const rise = 0.4;

/** Fewest validation examples by which a blend is chosen: their accuracy has a standard error of four points or less. */
export const fewestToChoose = 100;

/** Chooses all settings. */
export function usualSettings(facts: Facts): UsualChoices {
  const unfreeze = chooseUnfreeze(facts);
  const augment = chooseAugment(facts);
  const blend = chooseBlend(facts);
  return {
    epochs: chooseEpochs(facts),
    learningRate: chooseRates(facts),
    schedule: {
      value: { name: 'cosine', warmUp: { steps: rise, from: 0.01 } },
      reason: 'a rate that rises from almost 0 keeps what the head has learned, and one that falls to 0 averages steps',
    },
    unfreeze,
    augment,
    views: chooseViews(facts, unfreeze.value, augment.value),
    labelSmoothing: { value: 0, reason: 'targets are used as they are' },
    ema: { value: false, reason: 'the rate falls to almost 0 at the end, which averages too' },
    blend,
    restoreBest: chooseRestoreBest(blend.value, facts),
  };
}

function chooseEpochs({ effort, examples, stepsPerEpoch, initialEpoch }: Facts): Choice<number> {
  const { mostEpochs, fewestEpochs, steps } = efforts[effort];
  const epochs = Math.max(fewestEpochs, Math.min(mostEpochs, Math.round(steps / stepsPerEpoch)));
  const size = `${counted(examples, 'example')} make ${counted(stepsPerEpoch, 'step')} an epoch`;
  const reason = `effort '${effort}' trains ${counted(epochs, 'epoch')}, as ${size}`;
  return { value: initialEpoch + epochs, reason };
}

/**
 * The optimizer's own rate for the last stage of the base, a tenth of it for the first stage and for a head that is at its
 * optimum already. For a run of fewer than 1,500 steps they are reduced in proportion, at most to a twentieth: a short run
 * cannot repair the damage that a high rate does to pretrained weights.
 */
function chooseRates(facts: Facts): Choice<UsualSettings['learningRate']> {
  const { optimizerRate, stepsPerEpoch, initialEpoch, epochs = chooseEpochs(facts).value } = facts;
  const steps = stepsPerEpoch * (epochs - initialEpoch);
  const share = Math.min(1, Math.max(lowestShare, steps / longRun));
  const highest = optimizerRate * share;
  const isSolved = facts.head === 'solved';
  const why = share === 1 ? "the optimizer's own rate" : `${share.toPrecision(2)} of the optimizer's own rate`;
  const [whole, tenth] = isSolved
    ? ['the last stage', 'the first stage and the head, which is at its optimum']
    : ['the head and the last stage', 'the first stage'];
  const reason = `a run of ${counted(steps, 'step')} takes ${why} for ${whole}, and a tenth of it for ${tenth}`;
  return { value: { head: isSolved ? highest / span : highest, base: [highest / span, highest] }, reason };
}

function chooseBlend({ head, movesStatistics, validation }: Facts): Choice<UsualSettings['blend']> {
  if (head === 'new') return { value: false, reason: 'a head that was never trained is no end to blend with' };
  if (movesStatistics)
    return { value: false, reason: "batchNorm: 'train' changes statistics, which cannot be blended" };
  if (validation === 'enough') {
    return { value: true, reason: 'validation chooses between the trained head and fine-tuning' };
  }
  const why = {
    none: 'there is no validation',
    known: 'the head may know the validation examples',
    few: `fewer than ${String(fewestToChoose)} validation examples would choose by chance`,
  }[validation];
  return { value: { alpha: 0.5 }, reason: `the middle between the trained head and fine-tuning, as ${why}` };
}

function chooseRestoreBest(blend: UsualSettings['blend'], { seeksBestEpoch }: Facts): Choice<boolean> {
  if (seeksBestEpoch) return { value: true, reason: 'monitor and earlyStopping are about the best epoch' };
  if (blend === false) return { value: true, reason: 'the best epoch by validation counts' };
  return { value: false, reason: 'blend chooses between the weights before the run and those after the last epoch' };
}

function chooseUnfreeze({ base, costs, effort }: Facts): Choice<UsualSettings['unfreeze']> {
  if (base !== 'open') return { value: undefined, reason: 'the layers that were unfrozen before the call are trained' };
  const { frozenShare } = efforts[effort];
  const stages = stagesAfter(costs, frozenShare);
  if (stages >= costs.length) {
    return { value: 'base', reason: 'no layer of the base was unfrozen before the call, and all may change' };
  }
  const saved = `the stages before them do ${String(Math.round(frozenShare * 100))} % of the base's multiplications or more, once for each example`;
  return { value: { lastStages: stages }, reason: `effort '${effort}' trains ${counted(stages, 'stage')}: ${saved}` };
}

/** Number of the last stages that remain after a share of the multiplications. */
function stagesAfter(costs: readonly number[], share: number): number {
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  if (share === 0 || total === 0) return costs.length;
  let done = 0;
  const first = costs.findIndex((cost) => (done += cost) > total * share);
  // The stage in which the share is reached is trained, unless nothing that multiplies is left after it.
  const next = costs.slice(first + 1).some((cost) => cost > 0) ? first + 1 : first;
  return costs.length - next;
}

function chooseAugment({ arePictures, effort }: Facts): Choice<PictureChanges> {
  const { augment } = efforts[effort];
  if (augment !== 'none' && !arePictures) return { value: 'none', reason: 'inputs are not pictures' };
  if (augment === 'none') return { value: augment, reason: `effort '${effort}' leaves inputs as they are` };
  const how = augment === 'light' ? 'moves, zooms and mirrors pictures' : 'mirrors pictures';
  return { value: augment, reason: `effort '${effort}' ${how}; where a mirror image is wrong, give augment: 'none'` };
}

function chooseViews(
  { base, effort }: Facts,
  unfreeze: UsualSettings['unfreeze'],
  augment: PictureChanges,
): Choice<UsualSettings['views']> {
  if (augment === 'none') return { value: 'fresh', reason: 'inputs are not changed' };
  if (base === 'whole' || unfreeze === 'base')
    return { value: 'fresh', reason: 'the whole base runs in every epoch anyway' };
  return { value: efforts[effort].views, reason: 'the frozen layers run only once for each view' };
}

function counted(amount: number, what: string): string {
  return `${amount.toLocaleString('en-US')} ${what}${amount === 1 ? '' : 's'}`;
}
