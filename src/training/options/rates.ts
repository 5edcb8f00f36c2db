// Learning rates of single weights: one for the head, one or a rising span for the base, lower for layers nearer to the
// input.
import type { AnyModel } from '../../model/model.ts';
import type { TrunkWeight } from '../../core/types.ts';
import { assertRate, invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/**
 * Learning rates before the schedule, above 0: one for all weights, or one for the head and one for the base. A span
 * `base: [first, last]` rises by equal factors from the first unfrozen stage to the last one (discriminative rates:
 * Howard and Ruder, "Universal Language Model Fine-tuning for Text Classification", 2018; fastai's `slice`).
 */
export type LearningRates =
  number | { readonly head: number; readonly base: number | readonly [first: number, last: number] };

/** Validated rates, with all defaults filled in. */
export interface SettledRates {
  readonly head: number;
  /** Rates of the first and the last unfrozen stage of the base. */
  readonly base: readonly [first: number, last: number];
  /** Factor from a stage of the base to the stage before it. */
  readonly layerDecay: number;
}

/**
 * Validates rates.
 *
 * @throws TransferKitError `INVALID_OPTION`, also for a span that falls.
 */
export function settleRates(rates: LearningRates, layerDecay = 1): SettledRates {
  if (isObject(rates)) assertOptions(rates, { head: true, base: true }, { of: 'learningRate' });
  if (isObject(rates)) assertRate('learningRate.head', rates.head);
  else assertRate('learningRate', rates);
  const { head, base } = typeof rates === 'number' ? { head: rates, base: rates } : rates;
  const span: readonly unknown[] = Array.isArray(base) ? base : [base, base];
  const [first, last] = span;
  assertRate('learningRate.base', first);
  assertRate('learningRate.base', last);
  if (span.length > 2 || first > last) {
    const expected =
      'learningRate.base to be one number or [first, last], rising from the input of the base to its end,';
    throw invalidOption(expected, base);
  }
  if (!(Number.isFinite(layerDecay) && layerDecay > 0 && layerDecay <= 1))
    throw invalidOption('layerDecay to be above 0 and at most 1', layerDecay);
  return { head, base: [first, last], layerDecay };
}

/** The rate of each trained weight. */
export function ratesOf(
  { base }: AnyModel,
  { head, base: [first, last], layerDecay }: SettledRates,
  trainable: readonly TrunkWeight[],
): ReadonlyMap<TrunkWeight, number> {
  const ofBase = new Set(base.trunk.weights);
  const stages = [...new Set(trainable.filter((weight) => ofBase.has(weight)).map(({ stage }) => stage))];
  const [lowest, highest] = [Math.min(...stages), Math.max(...stages)];
  const end = base.trunk.stages.length - 1;
  const inBase = ({ stage }: TrunkWeight) => {
    const share = first === last || highest === lowest ? 1 : (stage - lowest) / (highest - lowest);
    return first ** (1 - share) * last ** share * layerDecay ** (end - stage + 1);
  };
  return new Map(trainable.map((weight) => [weight, ofBase.has(weight) ? inBase(weight) : head]));
}
