// Gradients that tfjs-core has, but that fail along some axes or where an input is repeated.
import {
  BatchMatMul,
  Cumsum,
  GatherV2,
  Prod,
  cumprod,
  cumsum,
  getGradient,
  mul,
  reshape,
  stack,
  transpose,
  unstack,
  type GradConfig,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import { only } from './onlyGradient.ts';
import { unbroadcast } from './unbroadcast.ts';

/** tfjs-core transposes the gradient where the axis is not the last, although the sum has the axes of its input. */
export const cumulativeSumGradient: GradConfig = {
  kernelName: Cumsum,
  gradFunc: (dy, _, { axis, exclusive, reverse }) => ({
    x: () => cumsum(only(dy), Number(axis), exclusive === true, reverse !== true),
  }),
};

/**
 * The derivative with respect to one factor is the product of all others; tfjs-core calls methods that need an import.
 */
export const productGradient: GradConfig = {
  kernelName: Prod,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], { axis }) => ({
    x: () => {
      if (x === undefined) throw internalError('Prod saved too little');
      const reduced = axesOf(axis, x.rank);
      const kept = x.shape.flatMap((_, each) => (reduced.includes(each) ? [] : [each]));
      const order = [...kept, ...reduced];
      const apart = transpose(x, order);
      const rows = reshape(apart, [-1, reduced.reduce((size, each) => size * (x.shape[each] ?? 1), 1)]);
      const others = mul(cumprod(rows, 1, true), cumprod(rows, 1, true, true));
      const dx = reshape(mul(reshape(only(dy), [-1, 1]), others), apart.shape);
      return transpose(
        dx,
        order.map((_, each) => order.indexOf(each)),
      );
    },
  }),
};

function axesOf(axis: unknown, rank: number): number[] {
  const axes = (Array.isArray(axis) ? axis : [axis]).map(Number);
  const all = Array.from({ length: rank }, (_, each) => each);
  return axis === null || axis === undefined || axes.length === 0 ? all : axes.map((each) => (each + rank) % rank);
}

/** The gradient of a gathering, also by example: tfjs-core calls methods that need an import. */
export function batchedGatherGradient(): GradConfig {
  const { gradFunc } = getGradient(GatherV2);
  return {
    kernelName: GatherV2,
    inputsToSave: ['x', 'indices'],
    gradFunc: (dy, saved, attributes) => {
      const [x, indices] = saved;
      const batchDims = Number(attributes.batchDims ?? 0);
      if (batchDims === 0) return gradFunc(dy, saved, attributes);
      if (x === undefined || indices === undefined) throw internalError('GatherV2 saved too little');
      const examples = (of: Tensor) => unstack(reshape(of, [-1, ...of.shape.slice(batchDims)]));
      const gradient = () => {
        const [xs, places] = [examples(x), examples(indices)];
        const each = { ...attributes, axis: Number(attributes.axis) - batchDims, batchDims: 0 };
        const parts = examples(only(dy)).flatMap((part, i) => {
          const [from, at] = [xs[i], places[i]];
          return from === undefined || at === undefined ? [] : [gradFunc(part, [from, at], each).x?.()];
        });
        return reshape(stack(parts.filter((part) => part !== undefined)), x.shape);
      };
      return { x: gradient, indices: () => indices };
    },
  };
}

/** The gradient of a product of matrices, also where one input has fewer batches than the other. */
export function broadcastProductGradient(): GradConfig {
  const before = getGradient(BatchMatMul);
  return {
    ...before,
    gradFunc: (dy, saved, attributes) => {
      const parts = before.gradFunc(dy, saved, attributes);
      const summed = (name: 'a' | 'b', input: Tensor | undefined) => () => {
        const part = parts[name]?.();
        if (part === undefined || input === undefined) throw internalError('BatchMatMul saved too little');
        return unbroadcast(part, input.shape);
      };
      return { a: summed('a', saved[0]), b: summed('b', saved[1]) };
    },
  };
}
