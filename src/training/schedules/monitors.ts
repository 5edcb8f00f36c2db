// Figures by which epochs are compared.
import type { Monitor } from '../../core/logs.ts';

/** All of these figures. */
export const monitors = [
  'loss',
  'accuracy',
  'validationLoss',
  'validationAccuracy',
] as const satisfies readonly Monitor[];

/** Whether a value is better than the previous best, if there is one, by more than `by`; NaN never is. */
export function isBetter(monitor: Monitor | undefined, value: number, than: number | undefined, by: number): boolean {
  if (Number.isNaN(value)) return false;
  if (than === undefined) return true;
  return monitor?.toLowerCase().endsWith('accuracy') === true ? value > than + by : value < than - by;
}
