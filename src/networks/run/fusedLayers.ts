// Runs layers with kernels, together with the padding before them and the BatchNorm and the activation after them, as
// fused kernels: `(x · w + b) * s + t = x · (w * s) + (b * s + t)`. Jacob et al. 2018,
// https://arxiv.org/abs/1712.05877.
import { add, getBackend, mul, pad, reshape, type Tensor } from '@tensorflow/tfjs-core';
import type { LayerSpec } from '../../core/graphs.ts';
import { internalError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { FusedActivation } from './activationGradient.ts';
import type { ChannelScale } from './batchNorm.ts';
import { fusedConvolution, fusedDepthwise, fusedProduct, type Fused, type Window } from './fusedConvolution.ts';
import { numbers } from '../graphs/inferShapes.ts';

/** A kernel's layer and the operations that are fused with it. */
export interface FusedLayer {
  readonly spec: LayerSpec;
  readonly weight: (name: string) => Tensor | undefined;
  /** Zeros before the kernel, in pixels: both ends of height, both ends of width. */
  readonly padding: readonly [readonly [number, number], readonly [number, number]] | undefined;
  /** The scale of the BatchNorm after it. */
  readonly scale: ChannelScale | undefined;
  readonly activation: FusedActivation;
}

type Compute = (x: Tensor, layer: FusedLayer) => Tensor;

const computations: Readonly<Record<string, Compute>> = {
  Conv1D: (x, layer) => {
    const [length = 1, channels = 1, filters = 1] = weightOf(layer, 'kernel').shape;
    const filter = reshape(scaled(layer, 'kernel'), [1, length, channels, filters]);
    // [b, t, c] as pictures of height 1.
    const y = fusedConvolution({ ...fused(layer), x: spread(x, 1), filter }, windowOf(layer, 1));
    return reshape(y, [...y.shape.slice(0, 1), ...y.shape.slice(2)]);
  },
  Conv2D: (x, layer) => slide(fusedConvolution, { ...fused(layer), x, filter: scaled(layer, 'kernel') }, layer),
  DepthwiseConv2D: (x, layer) => {
    return slide(fusedDepthwise, { ...fused(layer), x, filter: scaled(layer, 'depthwise_kernel') }, layer);
  },
  SeparableConv2D: (x, layer) => {
    const depthwise = {
      x,
      filter: weightOf(layer, 'depthwise_kernel'),
      bias: undefined,
      activation: 'linear',
    } as const;
    const between = slide(fusedDepthwise, depthwise, layer);
    return fusedConvolution({ ...fused(layer), x: between, filter: scaled(layer, 'pointwise_kernel') }, onePixel);
  },
  Dense: (x, layer) => {
    const [channels = 1, units = 1] = weightOf(layer, 'kernel').shape;
    const filter = reshape(scaled(layer, 'kernel'), [1, channels, units]);
    const y = fusedProduct({ ...fused(layer), x: reshape(x, [1, x.size / channels, channels]), filter });
    return reshape(y, [...x.shape.slice(0, -1), units]);
  },
};

/** Settings of a window of a single pixel. */
const onePixel: Window = { strides: [1, 1], pad: 'valid' };

/** Backends whose kernels support any padding. */
const anyPadding: ReadonlySet<string> = new Set(['cpu', 'wasm', 'webgl', 'webgpu']);

/** Whether a layer with its channels last has a fused form. */
export function hasFusedForm({ className, config }: LayerSpec): boolean {
  return className in computations && [undefined, 'valid', 'same'].some((padding) => padding === config.padding);
}

/** Runs a layer that has a fused form. The caller's tidy frees the intermediate tensors. */
export function runFusedLayer(x: Tensor, layer: FusedLayer): Tensor {
  const compute = computations[layer.spec.className];
  if (compute === undefined) throw internalError(`${layer.spec.name} has no fused form`);
  return compute(x, layer);
}

/**
 * `activation(x * scale + shift)` with one scale and shift for each channel, as a depthwise convolution with one pixel.
 * The channels are last.
 */
export function runFusedScale(x: Tensor, { scale, shift }: ChannelScale, activation: FusedActivation): Tensor {
  const { size } = scale;
  const pixels = x.rank === 4 ? x : reshape(x, [1, 1, x.size / size, size]);
  const filter = reshape(scale, [1, 1, size, 1]);
  const y = fusedDepthwise({ x: pixels, filter, bias: shift, activation }, onePixel);
  return x.rank === 4 ? y : reshape(y, x.shape);
}

function slide(kernel: typeof fusedConvolution, parts: Fused, layer: FusedLayer): Tensor {
  if (layer.padding === undefined || anyPadding.has(getBackend())) return kernel(parts, windowOf(layer, 2));
  const [rows, columns] = layer.padding;
  const padded = pad(parts.x, [[0, 0], [...rows], [...columns], [0, 0]]);
  return kernel({ ...parts, x: padded }, windowOf({ ...layer, padding: undefined }, 2));
}

function windowOf({ spec: { config }, padding: zeros }: FusedLayer, axes: 1 | 2): Window {
  const strides = rowsAndColumns(config.strides, axes);
  const dilations = rowsAndColumns(config.dilation_rate, axes);
  if (zeros === undefined) return { strides, dilations, pad: config.padding === 'same' ? 'same' : 'valid' };
  return { strides, dilations, pad: [[0, 0], [...zeros[0]], [...zeros[1]], [0, 0]] };
}

/** A setting of a layer for both axes of a picture; a series is a picture of one row. */
function rowsAndColumns(setting: Json | undefined, axes: 1 | 2): [number, number] {
  const own = numbers(setting ?? 1, axes);
  const [rows = 1, columns = 1] = axes === 1 ? [1, ...own] : own;
  return [rows, columns];
}

/** The properties that all forms share. */
function fused({ weight, scale, activation }: FusedLayer): Pick<Fused, 'bias' | 'activation'> {
  const bias = weight('bias');
  if (scale === undefined) return { bias, activation };
  return { bias: bias === undefined ? scale.shift : add(mul(bias, scale.scale), scale.shift), activation };
}

/** A kernel with scaled outputs: they are its last axis, or the last two of a depthwise kernel. */
function scaled(layer: FusedLayer, name: string): Tensor {
  const kernel = weightOf(layer, name);
  const { scale } = layer;
  if (scale === undefined) return kernel;
  const outputs = kernel.shape.at(-1) === scale.scale.size ? 1 : 2;
  return mul(kernel, reshape(scale.scale, kernel.shape.slice(-outputs)));
}

function weightOf({ spec, weight }: FusedLayer, name: string): Tensor {
  const found = weight(name);
  if (found === undefined) throw internalError(`${spec.name} has no ${name}`);
  return found;
}

/** Adds an axis of length 1 before the given one. */
function spread(x: Tensor, axis: number): Tensor {
  return reshape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
}
