// How large gradients may be.
import { clipByValue, mul, scalar, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { assertRate, invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';

/**
 * Limits gradients before a step, as Keras's `clipvalue`, `clipnorm` and `global_clipnorm` do: each number by itself, each
 * weight's gradient by its Euclidean norm, or all gradients together by their common norm (Pascanu et al., "On the
 * difficulty of training recurrent neural networks", 2013). One of the three, above 0.
 */
export type Clipping = { readonly value: number } | { readonly norm: number } | { readonly globalNorm: number };

/** What clipping needs to know of the gradients. */
export interface Norms {
  /** Euclidean norm of each gradient. */
  readonly each: readonly number[];
  readonly together: number;
}

/** Clipping, settled. */
export interface SettledClipping {
  /** What was asked for, as plain data: a run is resumed with the same only. */
  readonly settings: Clipping;
  /** Limits gradients: new tensors that the caller owns. */
  readonly apply: (gradients: readonly Tensor[], norms: Norms) => Tensor[];
}

/**
 * What clips.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleClipping(verb: string, clipping: Clipping | undefined): SettledClipping | undefined {
  if (clipping === undefined) return undefined;
  if (isObject(clipping)) assertOptions(verb, clipping, { value: true, norm: true, globalNorm: true }, { of: 'clip' });
  const given: readonly (readonly [string, unknown])[] = isObject(clipping)
    ? Object.entries<unknown>(clipping).filter(([, limit]) => limit !== undefined)
    : [];
  const [entry, ...others] = given;
  if (entry === undefined || others.length > 0) {
    throw invalidOption(verb, 'clip to be { value }, { norm } or { globalNorm }', clipping);
  }
  const [kind, most] = entry;
  assertRate(verb, `clip.${kind}`, most);
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
