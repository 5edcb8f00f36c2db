// Whether a model can be used at all.
import { TransferKitError } from './errors.ts';
import type { AnyModel } from './model.ts';

/**
 * Raises when a model cannot be used any more.
 *
 * @throws TransferKitError `DISPOSED`.
 */
export function assertAlive(verb: string, { base, head }: AnyModel): void {
  if (!base.trunk.disposed && !head.trunk.disposed) return;
  const text = `${verb}: expected a usable model, got '${base.name}' after its dispose(). Load or build it again.`;
  throw new TransferKitError('DISPOSED', text, { name: base.name });
}
