// Gradients that training needs and tfjs-core lacks or refuses, put into tfjs's table: they hold for every backend.
import { getGradient, registerGradient, type GradConfig } from '@tensorflow/tfjs-core';
import { dilatedConvolutions, withDilation } from './dilatedGradients.ts';
import { discreteGradients } from './discreteGradients.ts';
import { missingGradients } from './missingGradients.ts';

let registered = false;

/** tfjs types gradients as always there. */
function gradientOf(kernelName: string): GradConfig | undefined {
  return getGradient(kernelName);
}

/** Registers them; a second call does nothing. tfjs's own must be there. */
export function registerGradients(): void {
  if (registered) return;
  registered = true;
  for (const [kernelName, kernels] of Object.entries(dilatedConvolutions)) {
    const before = gradientOf(kernelName);
    if (before !== undefined) registerGradient(withDilation(before, kernels));
  }
  for (const gradient of [...missingGradients(), ...discreteGradients()]) registerGradient(gradient);
}
