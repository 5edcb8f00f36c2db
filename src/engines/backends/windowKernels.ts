// Kernels that tfjs 4.22 has for wasm and that compute wrong numbers, composed of tfjs's operations. Its largest values
// of windows and their gradients take a window of negative numbers for empty; its gradients of 3D convolutions are
// wrong with several channels (with respect to the input) and with strides (also with respect to the filter).
import {
  cast,
  equal,
  fill,
  matMul,
  maximum,
  mul,
  reshape,
  slice,
  stack,
  tidy,
  where,
  type KernelConfig,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { at } from '../../core/at.ts';
import { compositeKernel } from './compositeKernel.ts';
import { convolutionWindows, planeWindows, volumeWindows } from './windowGeometry.ts';
import { addTaps, padWindows, readTap, tapsOf, type WindowAxis } from './windows.ts';

/** Names of the kernels of tfjs that these replace. */
export const wrongWindowKernels = [
  'MaxPoolGrad',
  'MaxPool3D',
  'MaxPool3DGrad',
  'Conv3DBackpropInputV2',
  'Conv3DBackpropFilterV2',
];

/** Returns new kernels for wasm. */
export function windowKernels(): readonly KernelConfig[] {
  return [
    compositeKernel('MaxPoolGrad', ['dy', 'input', 'output'], ({ dy, input, output }, attributes) => {
      return largestGradient(dy, input, output, planeWindows(input, attributes, dy));
    }),
    compositeKernel('MaxPool3D', ['x'], ({ x }, attributes) => largest(x, volumeWindows(x, attributes))),
    compositeKernel('MaxPool3DGrad', ['dy', 'input'], ({ dy, input }, attributes) => {
      const axes = volumeWindows(input, attributes, dy);
      return largestGradient(dy, input, largest(input, axes), axes);
    }),
    compositeKernel('Conv3DBackpropInputV2', ['dy', 'filter'], ({ dy, filter }, attributes) => {
      const { inputShape } = attributes as unknown as { readonly inputShape: readonly number[] };
      return convolutionInputGradient(dy, filter, convolutionWindows(inputShape, filter.shape, attributes, dy));
    }),
    compositeKernel('Conv3DBackpropFilterV2', ['x', 'dy'], ({ x, dy }, attributes) => {
      const { filterShape } = attributes as unknown as { readonly filterShape: number[] };
      return convolutionFilterGradient(x, dy, filterShape, convolutionWindows(x.shape, filterShape, attributes, dy));
    }),
  ];
}

/** The largest value of each window. */
function largest(x: Tensor, axes: readonly WindowAxis[]): Tensor {
  const padded = padWindows(x, axes, -Infinity);
  return tapsOf(axes)
    .map((tap) => readTap(padded, axes, tap))
    .reduce((all, each) => maximum(all, each));
}

/** Each window's gradient goes to the first of its largest values. */
function largestGradient(dy: Tensor, x: Tensor, y: Tensor, axes: readonly WindowAxis[]): Tensor {
  const first = firstLargest(x, y, axes);
  return addTaps(axes, (_, index) => mul(dy, cast(equal(first, index), 'float32')));
}

/** For each window the index of the first tap that reads its largest value. */
function firstLargest(x: Tensor, y: Tensor, axes: readonly WindowAxis[]): Tensor {
  const padded = padWindows(x, axes, -Infinity);
  return tapsOf(axes).reduceRight<Tensor>(
    (later, tap, index) => tidy(() => where(equal(readTap(padded, axes, tap), y), index, later)),
    fill(y.shape, -1),
  );
}

/** dy [b, …output, out] times the transposed filter of each tap, [in, out]. */
function convolutionInputGradient(dy: Tensor, filter: Tensor, axes: readonly WindowAxis[]): Tensor {
  const [inputs, outputs] = channelsOf(filter.shape);
  const rows = reshape(dy, [-1, outputs]);
  const taps = reshape(filter, [-1, inputs, outputs]);
  return addTaps(axes, (_, index) => {
    const weights = reshape(slice(taps, [index, 0, 0], [1, inputs, outputs]), [inputs, outputs]);
    return reshape(matMul(rows, weights, false, true), [...dy.shape.slice(0, -1), inputs]);
  });
}

/** For each tap the inputs that it reads, transposed, times dy. */
function convolutionFilterGradient(x: Tensor, dy: Tensor, filterShape: number[], axes: readonly WindowAxis[]): Tensor {
  const [inputs, outputs] = channelsOf(filterShape);
  const padded = padWindows(x, axes, 0);
  const rows = reshape(dy, [-1, outputs]);
  const taps = tapsOf(axes).map((tap) => {
    return matMul(reshape(readTap(padded, axes, tap), [-1, inputs]), rows, true, false);
  });
  return reshape(stack(taps), filterShape);
}

function channelsOf(filterShape: readonly number[]): [inputs: number, outputs: number] {
  return [at(filterShape, filterShape.length - 2), at(filterShape, filterShape.length - 1)];
}
