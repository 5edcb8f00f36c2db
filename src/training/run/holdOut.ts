// Holds examples out for validation: those that are given, a share, or the usual tenth where the samples allow it.
import type { TrainingLog } from '../../core/logs.ts';
import { assertWhole, invalidOption } from '../../core/optionChecks.ts';
import type { Samples } from '../../core/types.ts';
import { assertSamples, assertTrainable, labelCounts } from '../../model/checkLabels.ts';
import { byHeads } from '../../model/headTargets.ts';
import type { AnyModel } from '../../model/model.ts';
import { tasks } from '../../model/tasks/tasks.ts';
import type { TrainingOptions } from '../options/options.ts';
import type { SplitSamples } from '../state/plan.ts';

/** Shares that `'auto'` tries. A higher one is needed only where labels cannot be drawn evenly. */
const usualShares = [0.1, 0.15, 0.2, 0.25];
/** Fewest examples of a label that `'auto'` holds out. */
const fewestOfLabel = 3;
/** Fewest examples that it holds out where no head has labels. */
const fewestNumbers = 10;
/** A label, or samples without labels, must have this many times as many examples. */
const times = 4;
/** Share of the labels that may be too small. */
const smallLabels = 0.1;

/**
 * Splits samples into those for training and for validation.
 *
 * @throws TransferKitError `INVALID_OPTION`, `TOO_FEW_EXAMPLES`; for `'auto'` also the errors of `assertTrainable`.
 */
export function holdOut(
  model: AnyModel,
  samples: Samples,
  { validation = false, seed = 0 }: Pick<TrainingOptions, 'validation' | 'seed'>,
): SplitSamples {
  assertSamples(samples);
  assertWhole('seed', seed, 0);
  if (validation === false) return { train: samples, validation: undefined };
  if (validation === 'auto') return usualPart(model, samples, seed);
  if (typeof validation === 'number' && validation > 0 && validation < 1) {
    const split = samples.split({ validation, seed });
    return { ...split, held: { by: 'share', examples: split.validation.size } };
  }
  if (typeof validation === 'object') return { train: samples, validation };
  throw invalidOption("validation to be samples, a share above 0 and below 1, 'auto' or false", validation);
}

/** The number of examples that were held out, for the log. */
export function heldOutOf({ held }: SplitSamples): Pick<TrainingLog, 'heldOut'> {
  return held?.examples === undefined ? {} : { heldOut: held.examples };
}

function usualPart(model: AnyModel, samples: Samples, seed: number): SplitSamples {
  assertTrainable(model, samples);
  const obstacle = obstacleTo(model, samples);
  if (obstacle !== undefined) return { train: samples, validation: undefined, held: { by: 'auto', obstacle } };
  const atLeast = hasLabels(model) ? fewestOfLabel : fewestNumbers;
  for (const validation of usualShares) {
    const split = samples.split({ validation, atLeast, seed });
    if (isEven(model, samples, split)) {
      return { ...split, held: { by: 'auto', examples: split.validation.size } };
    }
  }
  const unevenly = `a quarter of the examples does not hold ${String(fewestOfLabel)} of each label`;
  return { train: samples, validation: undefined, held: { by: 'auto', obstacle: unevenly } };
}

function hasLabels({ head }: AnyModel): boolean {
  return head.parts.some(({ task }) => tasks[task].labelled !== undefined);
}

/** Why no examples are held out. */
function obstacleTo(model: AnyModel, samples: Samples): string | undefined {
  const fewest = times * fewestOfLabel;
  for (const head of byHeads(model, samples)) {
    const counts = labelCounts(head);
    const few = counts.filter((count) => count < fewest).length;
    if (few > counts.length * smallLabels) {
      return `${String(few)} of ${String(counts.length)} labels have fewer than ${String(fewest)} examples`;
    }
  }
  if (hasLabels(model) || samples.size >= times * fewestNumbers) return undefined;
  return `there are fewer than ${String(times * fewestNumbers)} examples`;
}

/** Whether validation has enough examples of nearly every label, and training keeps at least half of each. */
function isEven(
  model: AnyModel,
  samples: Samples,
  { train, validation }: { readonly train: Samples; readonly validation: Samples },
): boolean {
  const countsOf = (part: Samples) => byHeads(model, part).map(labelCounts);
  const [left, held] = [countsOf(train), countsOf(validation)];
  return countsOf(samples).every((counts, head) => {
    const few = (held[head] ?? []).filter((count) => count < fewestOfLabel).length;
    const isKept = counts.every((count, label) => (left[head]?.[label] ?? 0) >= count / 2);
    return isKept && few <= counts.length * smallLabels;
  });
}
