// Evaluates a schedule and validates its factor, because a schedule may be a custom function.
import { invalidOption } from '../../core/optionChecks.ts';
import type { SettledOptions } from './options.ts';

/** Number of steps of a whole run over a number of examples. */
export function stepsOf(
  { epochs, initialEpoch, batchSize, gradientAccumulationSteps }: SettledOptions,
  examples: number,
): number {
  return Math.ceil(Math.ceil(examples / batchSize) / gradientAccumulationSteps) * (epochs - initialEpoch);
}

/**
 * Factor on the learning rates of a step.
 *
 * @throws TransferKitError `INVALID_OPTION` unless the factor is a finite number from 0.
 */
export function scheduleFactor(
  { options }: { readonly options: SettledOptions },
  state: readonly number[],
  step: number,
  steps: number,
): number {
  const factor: unknown = options.schedule.factor(state, step, steps);
  if (typeof factor === 'number' && Number.isFinite(factor) && factor >= 0) return factor;
  throw invalidOption(
    `the schedule to give a finite number from 0 for step ${String(step)} of ${String(steps)}`,
    factor,
  );
}
