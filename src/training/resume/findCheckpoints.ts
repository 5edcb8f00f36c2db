// The checkpoints of a run, looked for before anything is trained.
import type { Checkpoints } from './checkpoints.ts';
import type { SettledOptions } from '../options/options.ts';

/**
 * Opens the place of a run's checkpoints and looks for one to go on from; undefined where none are kept.
 *
 * @throws TransferKitError `INVALID_OPTION`, `SAVE_FAILED`, `WEIGHTS_DAMAGED`, `CHECKPOINT_MISMATCH` for another version.
 */
export async function findCheckpoints(
  verb: string,
  phase: 'head' | 'fineTune',
  { checkpoint }: SettledOptions,
): Promise<Checkpoints | undefined> {
  if (checkpoint === undefined) return undefined;
  const { openCheckpoints } = await import('./checkpoints.ts');
  const checkpoints = await openCheckpoints(verb, phase, checkpoint);
  await checkpoints.find();
  return checkpoints;
}
