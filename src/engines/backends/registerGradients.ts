// Registers with tfjs the gradients that training needs and tfjs-core lacks or refuses, for all backends.
import { getGradient, registerGradient, type GradConfig } from '@tensorflow/tfjs-core';
import { dilatedConvolutions, withDilation } from './dilatedGradients.ts';
import { discreteGradients } from './discreteGradients.ts';
import { missingGradients } from './missingGradients.ts';

let registered = false;

/** The type of tfjs wrongly says that a gradient is always defined. */
function gradientOf(kernelName: string): GradConfig | undefined {
  return getGradient(kernelName);
}

/** Registers the gradients; a second call does nothing. tfjs's own must be registered before. */
export function registerGradients(): void {
  if (registered) return;
  registered = true;
  for (const [kernelName, kernels] of Object.entries(dilatedConvolutions)) {
    const before = gradientOf(kernelName);
    if (before !== undefined) registerGradient(withDilation(before, kernels));
  }
  for (const gradient of [...missingGradients(), ...discreteGradients()]) registerGradient(gradient);
}
