// Finds damaged or diverged weights when a model is loaded, before any example is run.
import { TransferKitError } from '../core/errors.ts';
import type { Trunk } from '../core/types.ts';

/** What happens to a model whose weights hold NaN or infinite values. */
export type NonFiniteWeights = 'error' | 'allow';

/**
 * Frees the model and raises when a weight of one of its trunks is not finite. Weights are read back one at a time.
 *
 * @throws TransferKitError `NOT_FINITE` with the names of the weights; `INVALID_OPTION` for another option.
 */
export async function assertFiniteWeights(
  model: { dispose(): void },
  { trunks, option = 'error' }: { readonly trunks: readonly Trunk[]; readonly option: unknown },
): Promise<void> {
  try {
    if (option === 'allow') return;
    if (option !== 'error') throw unknownOption(option);
    const found: string[] = [];
    for (const { name, variable } of trunks.flatMap(({ weights }) => weights)) {
      if (!isFinite(await variable.data())) found.push(name);
    }
    if (found.length > 0) throw notFinite(found);
  } catch (error) {
    model.dispose();
    throw error;
  }
}

function isFinite(values: Float32Array | Int32Array | Uint8Array): boolean {
  // The sum is not finite if one of its terms is not. A finite sum needs no search; an infinite one may be an overflow.
  let sum = 0;
  for (const value of values) sum += value;
  return Number.isFinite(sum) || Array.from(values).every(Number.isFinite);
}

function notFinite(names: readonly string[]): TransferKitError {
  const shown = names.slice(0, 10).join(', ') + (names.length > 10 ? ', …' : '');
  const text =
    `expected finite weights, got NaN or infinite values in ${shown} (${String(names.length)} in all). The file is damaged ` +
    "or its training diverged: fetch or export it again. To load it unchanged, pass nonFiniteWeights: 'allow'.";
  return new TransferKitError('NOT_FINITE', text, { weights: names });
}

function unknownOption(option: unknown): TransferKitError {
  const text = `expected nonFiniteWeights to be 'error' or 'allow', got ${JSON.stringify(option)}.`;
  return new TransferKitError('INVALID_OPTION', text, { nonFiniteWeights: option });
}
