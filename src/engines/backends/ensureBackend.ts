// The first step of every async verb: ensures that a backend is started, complete and checked. Costs nothing when it
// is.
import { engine } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import { isComplete } from './completeBackend.ts';
import { assertNotLost } from './lostBackend.ts';
import { startedBackend } from './startedBackend.ts';

/**
 * Completes the active backend, or starts the platform's default when none is set.
 *
 * @throws TransferKitError `PACKAGE_MISSING`, `BACKEND_UNAVAILABLE`, `BACKEND_WRONG_RESULT`; `BACKEND_LOST` until another one is chosen.
 */
export async function ensureBackend(): Promise<void> {
  const active = startedBackend(engine().backendName);
  if (active !== undefined && isComplete(active)) {
    assertNotLost(engine().backendName, active);
    return;
  }
  const { chooseBackend } = await import('./chooseBackend.ts');
  await chooseBackend(platform.backends);
}
