// Convolutions and products with bias and activation in one kernel, and their gradients. While gradients are recorded,
// tfjs splits its own fused operations: it then keeps the input of the activation, and always computes the gradient of
// the operation's input. The operations of this file run tfjs's kernels under other names, with their own gradients:
// they keep only input and output, and compute only the gradients that are requested.
import {
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  FusedConv2D,
  FusedDepthwiseConv2D,
  _FusedMatMul,
  cast,
  engine,
  getBackend,
  getGradient,
  getKernel,
  matMul,
  registerGradient,
  registerKernel,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import { activationGradient, type FusedActivation } from './activationGradient.ts';
import { freeLater } from './spentTensors.ts';

/** Settings of a sliding window. */
export interface Window {
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid' | [[0, 0], [number, number], [number, number], [0, 0]];
  /** Distance between the pixels of a window. Default 1. */
  readonly dilations?: [number, number];
}

/** The operation: `activation(x * filter + bias)`. */
export interface Fused {
  readonly x: Tensor;
  readonly filter: Tensor;
  readonly bias: Tensor | undefined;
  readonly activation: FusedActivation;
}

/** A kernel and its gradients. */
interface FusedKernel {
  /** Name of tfjs's kernel. */
  readonly kernelName: string;
  readonly inputs: (inputs: NamedTensorInfoMap) => NamedTensorInfoMap;
  readonly inputGradient: Gradient;
  readonly filterGradient: Gradient;
}

type Gradient = (dz: Tensor, saved: { readonly x: Tensor; readonly filter: Tensor }, attrs: NamedAttrMap) => Tensor;

const kernels = {
  convolution: {
    kernelName: FusedConv2D,
    inputs: (inputs) => inputs,
    inputGradient: (dy, saved, attrs) => {
      if (isDilated(attrs)) return plainGradient(Conv2D, 'x', dy, saved, attrs);
      const { x, filter } = saved;
      return engine().runKernel(Conv2DBackpropInput, { dy, filter }, { ...attrs, inputShape: x.shape });
    },
    filterGradient: (dy, saved, attrs) => {
      if (isDilated(attrs)) return plainGradient(Conv2D, 'filter', dy, saved, attrs);
      const { x, filter } = saved;
      return engine().runKernel(Conv2DBackpropFilter, { x, dy }, { ...attrs, filterShape: filter.shape });
    },
  },
  depthwise: {
    kernelName: FusedDepthwiseConv2D,
    inputs: (inputs) => inputs,
    inputGradient: (dy, saved, attrs) => {
      if (isDilated(attrs)) return plainGradient(DepthwiseConv2dNative, 'x', dy, saved, attrs);
      const { x, filter } = saved;
      return engine().runKernel(DepthwiseConv2dNativeBackpropInput, { dy, filter }, { ...attrs, inputShape: x.shape });
    },
    filterGradient: (dy, saved, attrs) => {
      if (isDilated(attrs)) return plainGradient(DepthwiseConv2dNative, 'filter', dy, saved, attrs);
      const { x, filter } = saved;
      const attributes = { ...attrs, filterShape: filter.shape };
      return engine().runKernel(DepthwiseConv2dNativeBackpropFilter, { x, dy }, attributes);
    },
  },
  product: {
    kernelName: _FusedMatMul,
    inputs: ({ x, filter, ...bias }) => ({ ...bias, ...(x && { a: x }), ...(filter && { b: filter }) }),
    inputGradient: (dz, { filter }) => matMul(dz, filter, false, true),
    filterGradient: (dz, { x }) => matMul(x, dz, true, false),
  },
} satisfies Readonly<Record<string, FusedKernel>>;

type Kind = keyof typeof kernels;

/** A convolution: x [b, h, w, c], filter [h, w, c, f], bias [f]. */
export function fusedConvolution(fused: Fused, sweep: Window): Tensor {
  return run('convolution', fused, slide(sweep));
}

/** A depthwise convolution: x [b, h, w, c], filter [h, w, c, n], bias [c * n]. */
export function fusedDepthwise(fused: Fused, sweep: Window): Tensor {
  return run('depthwise', fused, slide(sweep));
}

/** A product: x [1, n, c], filter [1, c, f], bias [f]. */
export function fusedProduct(fused: Fused): Tensor {
  return run('product', fused, { transposeA: false, transposeB: false });
}

function slide({ strides, pad, dilations = [1, 1] }: Window): NamedAttrMap {
  return { strides, pad, dataFormat: 'NHWC', dilations };
}

function isDilated({ dilations }: NamedAttrMap): boolean {
  return [dilations].flat().some((rate) => rate !== 1);
}

/** The gradient of the convolution alone, as registered for its kernel. */
function plainGradient(
  kernelName: string,
  of: 'x' | 'filter',
  dy: Tensor,
  { x, filter }: { readonly x: Tensor; readonly filter: Tensor },
  attrs: NamedAttrMap,
): Tensor {
  const gradient = getGradient(kernelName).gradFunc(dy, [x, filter], attrs)[of];
  if (gradient === undefined) throw internalError(`no gradient of ${kernelName} for its ${of}`);
  return gradient();
}

function run(kind: Kind, { x, filter, bias, activation }: Fused, attrs: NamedAttrMap): Tensor {
  const name = register(kind, activation);
  const floats = x.dtype === 'float32' ? x : cast(x, 'float32');
  const inputs = { x: floats, filter, ...(bias && { bias }) };
  return engine().runKernel(name, inputs, { ...attrs, activation });
}

/** Registers a kernel for the current backend; returns its name. */
function register(kind: Kind, activation: FusedActivation): string {
  const { kernelName, inputs }: FusedKernel = kernels[kind];
  const name = `Transferkit ${kernelName} ${activation}`;
  const backendName = getBackend();
  // tfjs types every kernel as present.
  const present: unknown = getKernel(name, backendName);
  if (present === undefined) {
    registerKernel({
      kernelName: name,
      backendName,
      // Looked up in each call, because a faster kernel may replace it.
      kernelFunc: (call) => getKernel(kernelName, backendName).kernelFunc({ ...call, inputs: inputs(call.inputs) }),
    });
  }
  const differentiable: unknown = getGradient(name);
  if (differentiable === undefined) registerGradientOf(kind, name, activation);
  return name;
}

function registerGradientOf(kind: Kind, kernelName: string, activation: FusedActivation): void {
  const { inputGradient, filterGradient }: FusedKernel = kernels[kind];
  registerGradient({
    kernelName,
    inputsToSave: ['x', 'filter'],
    outputsToSave: [activation !== 'linear'],
    gradFunc: (dy, saved, attrs) => {
      const [x, filter, y] = saved;
      if (x === undefined || filter === undefined || Array.isArray(dy)) {
        throw internalError(`${kernelName} saved too little`);
      }
      const { masked, sums } = activationGradient(dy, y, activation);
      freeLater(masked === dy ? saved : [...saved, masked]);
      // tfjs calls only the gradients that are requested.
      return {
        x: () => inputGradient(masked, { x, filter }, attrs),
        filter: () => filterGradient(masked, { x, filter }, attrs),
        bias: sums,
      };
    },
  });
}
