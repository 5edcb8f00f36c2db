// Tracks which models share a base. Several may share a frozen base. It is freed with the last of them.
import { TransferKitError } from '../core/errors.ts';
import type { AnyModel, Base } from './model.ts';
import type { Trunk, TrunkWeight } from '../core/types.ts';

/** Trunks of the heads on a base, by the trunk of the base. */
const owners = new WeakMap<Trunk, Set<Trunk>>();

/**
 * Raises unless a base may get another head: it has no head yet, or it is completely frozen.
 *
 * @throws TransferKitError `BASE_SHARED`.
 */
export function assertShareable({ name, trunk }: Base): void {
  if (headsOn(trunk) === 0 || trunk.weights.every(({ frozen }) => frozen)) return;
  const text =
    `expected a base that is frozen, as another model has it too, got '${name}' with unfrozen layers. Call freeze(model) ` +
    'with that model, or load the base again.';
  throw new TransferKitError('BASE_SHARED', text, { name });
}

/**
 * Raises unless these weights of a model may change. Weights of a base that other models share may not.
 *
 * @throws TransferKitError `BASE_SHARED`.
 */
export function assertOwned({ base }: AnyModel, weights: readonly TrunkWeight[]): void {
  const { name, trunk } = base;
  const heads = headsOn(trunk);
  if (heads < 2) return;
  const own = new Set(trunk.weights);
  if (!weights.some((weight) => own.has(weight))) return;
  const text =
    `expected a base that belongs to one model for its weights to move, got '${name}', which ${String(heads)} models share. ` +
    "Train the head alone (unfreeze: 'head'), dispose of the other models (the base stays until the last), or load the base again.";
  throw new TransferKitError('BASE_SHARED', text, { name, models: heads });
}

/** Registers a head on a base. */
export function addOwner(base: Base, head: Trunk): void {
  const heads = owners.get(base.trunk) ?? new Set();
  owners.set(base.trunk, heads.add(head));
}

/** Removes a head from a base. The base is freed with its last head. A second call does nothing. */
export function removeOwner(base: Base, head: Trunk): void {
  const heads = owners.get(base.trunk);
  if (heads?.delete(head) === true && headsOn(base.trunk) === 0) base.dispose();
}

function headsOn(trunk: Trunk): number {
  return [...(owners.get(trunk) ?? [])].filter(({ disposed }) => !disposed).length;
}
