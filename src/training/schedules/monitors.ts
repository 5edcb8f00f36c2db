// Figures that epochs are judged by.
import type { Monitor } from '../../core/logs.ts';

/** All there are. */
export const monitors = [
  'loss',
  'accuracy',
  'validationLoss',
  'validationAccuracy',
] as const satisfies readonly Monitor[];

/** Whether a value is better than the best before, if there was one, by more than a difference; NaN never is. */
export function isBetter(monitor: Monitor | undefined, value: number, than: number | undefined, by: number): boolean {
  if (Number.isNaN(value)) return false;
  if (than === undefined) return true;
  return monitor?.toLowerCase().endsWith('accuracy') === true ? value > than + by : value < than - by;
}
