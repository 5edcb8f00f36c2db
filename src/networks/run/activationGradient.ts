// The gradient in front of an activation and behind a bias, from the activation's output alone.
import { engine, getBackend, getKernel, mul, step, sub, sum, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';

/** Activations whose derivative their output tells. */
export type FusedActivation = 'linear' | 'relu' | 'relu6';

/** Gradients of `activation(z + bias)`. */
export interface ActivationGradient {
  /** For z. May be the gradient that was given. */
  readonly masked: Tensor;
  /** For the bias: the sum over all axes but the last. */
  readonly sums: () => Tensor;
}

/** A kernel that gives both in one pass, where the backend has one: [masked, sums] of { dy, y }. */
const onePass = 'TransferkitActivationGradient';

/**
 * Takes a gradient back through an activation.
 *
 * @param y - What the activation gave; not needed for `linear`.
 */
export function activationGradient(dy: Tensor, y: Tensor | undefined, activation: FusedActivation): ActivationGradient {
  if (y === undefined || activation === 'linear') return { masked: dy, sums: () => sumOverPositions(dy) };
  if (hasKernel(onePass)) {
    const [masked, sums] = engine().runKernel<Tensor[]>(onePass, { dy, y }, { activation });
    if (masked === undefined || sums === undefined) throw internalError(`${onePass} gave too little`);
    return { masked, sums: () => sums };
  }
  const masked = tidy(() => {
    const positive = mul(dy, step(y));
    return activation === 'relu' ? positive : mul(positive, step(sub(6, y)));
  });
  return { masked, sums: () => sumOverPositions(masked) };
}

/** Sum over all axes but the last. */
export function sumOverPositions(x: Tensor): Tensor {
  return sum(
    x,
    x.shape.slice(1).map((_, axis) => axis),
  );
}

/** tfjs types kernels as always there. */
function hasKernel(name: string): boolean {
  const kernel: unknown = getKernel(name, getBackend());
  return kernel !== undefined;
}
