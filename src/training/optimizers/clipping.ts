// Gradient clipping.
import { clipByValue, mul, scalar, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { assertRate, invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/**
 * Limits gradients before a step, as Keras's `clipvalue`, `clipnorm` and `global_clipnorm`: `value` limits each number,
 * `norm` the Euclidean norm of each weight's gradient, `globalNorm` the norm of all gradients together (Pascanu et al.,
 * "On the difficulty of training recurrent neural networks", 2013). Give one of the three, above 0.
 */
export type Clipping = { readonly value: number } | { readonly norm: number } | { readonly globalNorm: number };

/** Norms of gradients. */
export interface Norms {
  /** Euclidean norm of each gradient. */
  readonly each: readonly number[];
  readonly together: number;
}

/** Validated clipping. */
export interface SettledClipping {
  /** The options as plain data: a run can be resumed only with the same ones. */
  readonly settings: Clipping;
  /** Returns limited gradients: new tensors that the caller owns. */
  readonly apply: (gradients: readonly Tensor[], norms: Norms) => Tensor[];
}

/**
 * Validates clipping.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleClipping(clipping: Clipping | undefined): SettledClipping | undefined {
  if (clipping === undefined) return undefined;
  if (isObject(clipping)) assertOptions(clipping, { value: true, norm: true, globalNorm: true }, { of: 'clip' });
  const given: readonly (readonly [string, unknown])[] = isObject(clipping)
    ? Object.entries<unknown>(clipping).filter(([, limit]) => limit !== undefined)
    : [];
  const [entry, ...others] = given;
  if (entry === undefined || others.length > 0) {
    throw invalidOption('clip to be { value }, { norm } or { globalNorm }', clipping);
  }
  const [kind, most] = entry;
  assertRate(`clip.${kind}`, most);
  const settings = { ...clipping };
  if (kind === 'value') {
    return { settings, apply: (gradients) => gradients.map((gradient) => clipByValue(gradient, -most, most)) };
  }
  const factorOf = (norm: number) => (norm > most ? most / norm : 1);
  const apply: SettledClipping['apply'] = (gradients, norms) =>
    gradients.map((gradient, i) => {
      const factor = factorOf(kind === 'norm' ? (norms.each[i] ?? 0) : norms.together);
      return factor === 1 ? gradient.clone() : tidy(() => mul(gradient, scalar(factor)));
    });
  return { settings, apply };
}
