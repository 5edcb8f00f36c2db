// The gradients that wasm lacks, as kernels, with the attributes and data formats of tfjs-core's ops.
import { transpose, type KernelConfig, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { compositeKernel } from './compositeKernel.ts';
import { convolutionFilterGradient, convolutionInputGradient } from './convolutionGradients.ts';
import {
  convolutionGeometry,
  quadruple,
  rank4,
  type ConvolutionAttributes,
  type ConvolutionGeometry,
} from './convolutionGeometry.ts';
import { einsumKernel } from './einsum.ts';
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwiseGradients.ts';
import { segmentSum } from './segmentSum.ts';

// Set by tfjs-core's ops in the engine's untyped map of attributes.
type FilterAttributes = ConvolutionAttributes & { readonly filterShape: readonly number[] };
type InputAttributes = ConvolutionAttributes & { readonly inputShape: readonly number[] };
type Gradient = (first: Tensor4D, second: Tensor4D, geometry: ConvolutionGeometry) => Tensor4D;

/** Returns new kernels for wasm, under tfjs's names. */
export function gradientKernels(): readonly KernelConfig[] {
  return [
    filterKernel('Conv2DBackpropFilter', convolutionFilterGradient),
    inputKernel('Conv2DBackpropInput', convolutionInputGradient),
    filterKernel('DepthwiseConv2dNativeBackpropFilter', depthwiseFilterGradient),
    inputKernel('DepthwiseConv2dNativeBackpropInput', depthwiseInputGradient),
    compositeKernel('UnsortedSegmentSum', ['x', 'segmentIds'], ({ x, segmentIds }, { numSegments }) => {
      return segmentSum(x, segmentIds, Number(numSegments));
    }),
    einsumKernel,
  ];
}

function filterKernel(kernelName: string, gradient: Gradient): KernelConfig {
  return compositeKernel(kernelName, ['x', 'dy'], (inputs, map) => {
    const attributes = map as unknown as FilterAttributes;
    const x = channelsLast(inputs.x, attributes);
    const dy = channelsLast(inputs.dy, attributes);
    const output = [dy.shape[1], dy.shape[2]] as const;
    const filterShape = quadruple(attributes.filterShape);
    return gradient(x, dy, convolutionGeometry(quadruple(inputs.x.shape), filterShape, output, attributes));
  });
}

function inputKernel(kernelName: string, gradient: Gradient): KernelConfig {
  return compositeKernel(kernelName, ['dy', 'filter'], (inputs, map) => {
    const attributes = map as unknown as InputAttributes;
    const dy = channelsLast(inputs.dy, attributes);
    const filter = rank4(inputs.filter);
    const output = [dy.shape[1], dy.shape[2]] as const;
    const dx = gradient(
      dy,
      filter,
      convolutionGeometry(quadruple(attributes.inputShape), filter.shape, output, attributes),
    );
    return attributes.dataFormat === 'NCHW' ? transpose(dx, [0, 3, 1, 2]) : dx; // [b, c, h, w] or [b, h, w, c]
  });
}

function channelsLast(x: Tensor, { dataFormat }: ConvolutionAttributes): Tensor4D {
  const kept = rank4(x);
  return dataFormat === 'NCHW' ? transpose(kept, [0, 2, 3, 1]) : kept; // [b, h, w, c]
}
