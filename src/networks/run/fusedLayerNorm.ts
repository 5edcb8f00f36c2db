// LayerNormalization over the last axis as one kernel, with its gradients as another, on backends that have them.
import {
  engine,
  getBackend,
  getGradient,
  getKernel,
  ones,
  registerGradient,
  reshape,
  slice,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import { freeLater } from './spentTensors.ts';
import type { LayerNormParameters } from './layerNorm.ts';

const kernelName = 'TransferkitLayerNorm';

/** Whether the current backend has the kernel, for these axes. */
export function hasFusedLayerNorm(x: Tensor, { axes }: LayerNormParameters): boolean {
  // tfjs types every kernel as present.
  const kernel: unknown = getKernel(kernelName, getBackend());
  return kernel !== undefined && x.dtype === 'float32' && x.size > 0 && axes.length === 1 && axes[0] === x.rank - 1;
}

/** `gamma * (x - mean) / sqrt(variance + epsilon) + beta`. The caller's tidy frees the intermediate tensors. */
export function fusedLayerNorm(x: Tensor, { gamma, beta, epsilon }: LayerNormParameters): Tensor {
  const differentiable: unknown = getGradient(kernelName);
  if (differentiable === undefined) registerGradientOfKernel();
  const inputs = { x, gamma: gamma ?? ones(x.shape.slice(-1)), ...(beta && { beta }) };
  return engine().runKernel<Tensor>(kernelName, inputs, { epsilon });
}

function registerGradientOfKernel(): void {
  registerGradient({
    kernelName,
    inputsToSave: ['x', 'gamma'],
    gradFunc: (dy, saved, attrs) => {
      const [x, gamma] = saved;
      if (x === undefined || gamma === undefined || Array.isArray(dy))
        throw internalError(`${kernelName} saved too little`);
      const inputs = { x, dy, gamma };
      const [dx, sums] = engine().runKernel<Tensor[]>(`${kernelName}Gradient`, inputs, attrs);
      if (dx === undefined || sums === undefined) throw internalError(`${kernelName}Gradient gave too little`);
      freeLater(saved);
      const { size } = gamma;
      const row = (index: number) => reshape(slice(sums, [index, 0], [1, size]), [size]);
      return { x: () => dx, gamma: () => row(0), beta: () => row(1) };
    },
  });
}
