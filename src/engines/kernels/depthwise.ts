// Depthwise convolutions on the module, with bias and activation, and their gradients with respect to the input.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { isFloat } from './convolutionShape.ts';
import { backwardAxis, forwardAxis } from './depthwiseAxis.ts';
import { columnsOf, depthwiseShape, rowsOf } from './depthwiseShape.ts';
import { mostPhases, runDepthwise } from './depthwiseWindows.ts';
import type { KernelModule } from './kernelModule.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import { readEpilogue } from './patchEpilogue.ts';
import { linear } from './products.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/**
 * Kernels of tfjs's depthwise convolutions and of the gradient with respect to the input, and one of this package with
 * more activations (networks/run/ownOperations.ts).
 */
export const depthwiseMakers = [
  kernelOrOriginal('TransferkitDepthwise', convolve),
  kernelOrOriginal('DepthwiseConv2dNative', convolve),
  kernelOrOriginal('FusedDepthwiseConv2D', convolve),
  kernelOrOriginal('DepthwiseConv2dNativeBackpropInput', inputGradient),
];

function convolve(kernels: KernelModule, call: KernelCall): TensorInfo | undefined {
  const { backend } = kernels;
  const { x, filter } = call.inputs;
  if (!isFloat(x) || !isFloat(filter)) return undefined;
  const shape = depthwiseShape(x.shape, filter.shape, call.attrs);
  const epilogue = shape && readEpilogue(backend, call, shape.inChannels);
  if (shape === undefined || epilogue === undefined) return undefined;
  const { activation, bias } = epilogue;
  if (activation.slope !== 1 || (bias?.isScalar === true && shape.inChannels !== 1)) return undefined;
  const out = makeOutput(backend, shape.outShape, 'float32');
  runDepthwise(kernels, {
    pictures: shape.batchSize,
    channels: shape.inChannels,
    rows: forwardAxis(rowsOf(shape)),
    columns: forwardAxis(columnsOf(shape)),
    x: addressOf(backend, x),
    filter: addressOf(backend, filter),
    filterWidth: shape.filterWidth,
    bias: bias?.address ?? 0,
    out: addressOf(backend, out),
    ...activation,
  });
  return out;
}

function inputGradient(kernels: KernelModule, { inputs, attrs }: KernelCall): TensorInfo | undefined {
  const { backend } = kernels;
  const { dy, filter } = inputs;
  const inputShape = attrs?.inputShape;
  if (!isFloat(dy) || !isFloat(filter) || !Array.isArray(inputShape)) return undefined;
  const shape = depthwiseShape(inputShape.map(Number), filter.shape, attrs, dy.shape);
  if (shape === undefined || Math.max(shape.strideHeight, shape.strideWidth) > mostPhases) return undefined;
  const out = makeOutput(backend, shape.inShape, 'float32');
  runDepthwise(kernels, {
    pictures: shape.batchSize,
    channels: shape.inChannels,
    rows: backwardAxis(rowsOf(shape)),
    columns: backwardAxis(columnsOf(shape)),
    x: addressOf(backend, dy),
    filter: addressOf(backend, filter),
    filterWidth: shape.filterWidth,
    bias: 0,
    out: addressOf(backend, out),
    ...linear,
  });
  return out;
}
