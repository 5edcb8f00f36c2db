// Looks for the checkpoints of a run before anything is trained.
import type { Checkpoints } from './checkpoints.ts';
import type { SettledOptions } from '../options/options.ts';

/**
 * Opens the store of a run's checkpoints, and looks for one to resume from. Returns undefined if the run keeps none.
 *
 * @throws TransferKitError `INVALID_OPTION`, `SAVE_FAILED`, `WEIGHTS_DAMAGED`, `CHECKPOINT_MISMATCH` for another
 * version.
 */
export async function findCheckpoints(
  phase: 'head' | 'fineTune',
  { checkpoint }: SettledOptions,
): Promise<Checkpoints | undefined> {
  if (checkpoint === undefined) return undefined;
  const { openCheckpoints } = await import('./checkpoints.ts');
  const checkpoints = await openCheckpoints(phase, checkpoint);
  await checkpoints.find();
  return checkpoints;
}
