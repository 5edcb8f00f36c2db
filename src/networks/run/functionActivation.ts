// Activations that are one kernel, with their gradient as another, on backends that have them.
import { engine, getBackend, getGradient, getKernel, registerGradient, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import { isFunctionName, type FunctionName } from '../../engines/kernels/functionConstants.ts';
import { freeLater } from './spentTensors.ts';

const kernelName = 'TransferkitActivation';
const gradientName = 'TransferkitFunctionGradient';

/** Whether the current backend has an activation as a kernel. */
export function hasFunction(x: Tensor, name: string): name is FunctionName {
  // tfjs types every kernel as present.
  const kernel: unknown = getKernel(gradientName, getBackend());
  return kernel !== undefined && x.dtype === 'float32' && x.size > 0 && isFunctionName(name);
}

/** Applies an activation. It has gradients, but no second gradients. */
export function applyFunction(x: Tensor, activation: FunctionName): Tensor {
  const differentiable: unknown = getGradient(kernelName);
  if (differentiable === undefined) registerGradientOfKernel();
  return engine().runKernel<Tensor>(kernelName, { x }, { activation });
}

function registerGradientOfKernel(): void {
  registerGradient({
    kernelName,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attrs) => {
      const [x] = saved;
      if (x === undefined || Array.isArray(dy)) throw internalError(`${kernelName} saved too little`);
      const [dx] = engine().runKernel<Tensor[]>(gradientName, { dy, x }, attrs);
      if (dx === undefined) throw internalError(`${gradientName} gave nothing`);
      freeLater(saved);
      return { x: () => dx };
    },
  });
}
