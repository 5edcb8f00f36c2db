// Finds the scales and offsets of a base's normalisations, for the selection 'norms'.
import { TransferKitError } from '../core/errors.ts';
import type { Trunk, TrunkWeight } from '../core/types.ts';

/**
 * Layers and nodes that have a weight called gamma or beta and are not normalisations. A product or a sum of a GraphModel may
 * have been part of one; its node does not say so.
 */
const scalings: ReadonlySet<string | undefined> = new Set(['LayerScale', 'Mul', 'Add', 'AddV2']);

/**
 * Gamma and beta of every normalisation (BatchNorm, LayerNorm, GroupNorm …) of a base. Statistics are not among them.
 *
 * @throws TransferKitError `INVALID_OPTION` for a base without such weights.
 */
export function normWeights({ name, trunk }: { readonly name: string; readonly trunk: Trunk }): readonly TrunkWeight[] {
  const isNorm = (layer: string) => !scalings.has(trunk.describeLayer?.(layer).kind);
  const found = trunk.weights.filter(({ kind, layer }) => (kind === 'gamma' || kind === 'beta') && isNorm(layer));
  if (found.length > 0) return found;
  const text =
    `expected a base with BatchNorm or LayerNorm for 'norms', got '${name}', which has no normalisation with a scale or ` +
    'an offset: it never had one, or its norms are folded into its kernels. Unfreeze layers instead, such as ' +
    '{ lastStages: 2 }.';
  throw new TransferKitError('INVALID_OPTION', text, { selection: 'norms', base: name });
}
