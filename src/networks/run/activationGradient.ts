// The gradient before an activation and after a bias, from the activation's output alone.
import { engine, getBackend, getKernel, mul, step, sub, sum, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';

/** Activations whose derivative is known from their output. */
export type FusedActivation = 'linear' | 'relu' | 'relu6';

/** Gradients of `activation(z + bias)`. */
export interface ActivationGradient {
  /** The gradient for z. May be the same tensor as the given gradient. */
  readonly masked: Tensor;
  /** The gradient for the bias: the sum over all axes but the last. */
  readonly sums: () => Tensor;
}

/** Name of a kernel that computes both in one pass, on backends that have it: [masked, sums] from { dy, y }. */
const onePass = 'TransferkitActivationGradient';

/**
 * Computes the gradient before an activation.
 *
 * @param y - Output of the activation. Not needed for `linear`.
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

/** tfjs types every kernel as present. */
function hasKernel(name: string): boolean {
  const kernel: unknown = getKernel(name, getBackend());
  return kernel !== undefined;
}
