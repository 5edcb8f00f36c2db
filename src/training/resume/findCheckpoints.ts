// Takes the checkpoints of a run and looks for one to resume from, before anything is trained.
import { platform } from '#platform';
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

/**
 * Runs a training while no other page or worker can train with its checkpoints. Locations of custom stores, and those of
 * an environment without locks, are not held.
 *
 * @throws TransferKitError `BUSY`, and the errors of the training.
 */
export async function whileHeld<T>({ checkpoint }: SettledOptions, training: () => Promise<T>): Promise<T> {
  const release = typeof checkpoint?.to === 'string' ? await platform.holdCheckpoints?.(checkpoint.to) : undefined;
  try {
    return await training();
  } finally {
    await release?.();
  }
}
