// Parts of the gradients of fused kernels that tfjs has no operations for (networks/run/activationGradient.ts).
import { activationGradient } from './activationGradient.ts';
import { isFunctionName } from './functionConstants.ts';
import { kernelOrOriginal } from './kernelMaker.ts';

const flat = ['relu', 'relu6'] as const;

/** Kernels under names of this package. */
export const fusedGradientMakers = [
  // { dy, y } and { activation } → [masked, sums]
  kernelOrOriginal('TransferkitActivationGradient', (kernels, { inputs: { dy, y }, attrs }) => {
    const activation = flat.find((each) => each === attrs?.activation);
    if (activation === undefined || dy?.dtype !== 'float32' || y?.dtype !== 'float32') return undefined;
    const { masked, sums } = activationGradient(kernels, dy, y, activation);
    return [masked, sums];
  }),
  // { dy, x } and { activation } → [dx, sums]
  kernelOrOriginal('TransferkitFunctionGradient', (kernels, { inputs: { dy, x }, attrs }) => {
    const activation = attrs?.activation;
    if (!isFunctionName(activation) || dy?.dtype !== 'float32' || x?.dtype !== 'float32') return undefined;
    const { masked, sums } = activationGradient(kernels, dy, x, activation);
    return [masked, sums];
  }),
];
