// Writes layers with kernels as nodes: convolutions of every kind and Dense, together with the layers that are fused
// with them.
import { clone, slice, tidy } from '@tensorflow/tfjs-core';
import type { LayerSpec } from '../../core/graphs.ts';
import type { JsonObject } from '../../core/json.ts';
import { scaledBias, scaledKernel, type LateScale } from './lateScale.ts';
import { numberOf, numbers, sides } from '../graphs/inferShapes.ts';
import type { Activation } from '../run/layerActivation.ts';
import { onlyInput, weightOf, type LayerSite } from './layerSite.ts';
import { integer, type MakeConstant } from '../graphs/nodeDraft.ts';
import { isStridedAndDilated } from '../graphs/windowSettings.ts';
import { fusedActivation, writeActivation } from './writeActivation.ts';

/** A kernel's call with the layers that are fused with it. */
export interface KernelSite extends LayerSite {
  readonly pad: LayerSpec | undefined;
  readonly scale: LateScale | undefined;
  /** Whether it can be written as nodes. */
  readonly activation: Activation | undefined;
}

type WriteKernel = (site: KernelSite) => string | undefined;

const kernels: Readonly<Record<string, WriteKernel>> = {
  Conv1D: writeConv1D,
  Conv2D: (site) => writeProduct(site, 'conv', onlyInput(site).x, weightsOf(site, 'kernel'), windowOf(site)),
  DepthwiseConv2D: writeDepthwise,
  DilatedDepthwiseConv2D: writeDepthwise,
  SeparableConv2D: writeSeparable,
  GroupedConv2D: writeGrouped,
  Dense: writeDense,
};

/** Writes a kernel's group as fused nodes. Undefined if it cannot be written; then nothing is written. */
export function writeKernel(site: KernelSite): string | undefined {
  // tfjs runs no node with both strides and dilation above 1.
  return isStridedAndDilated(site.layer.config) ? undefined : kernels[site.layer.className]?.(site);
}

/** Operations that multiply by weights, without and with bias and activation. */
const operations = {
  conv: { alone: 'Conv2D', fused: '_FusedConv2D' },
  depthwise: { alone: 'DepthwiseConv2dNative', fused: 'FusedDepthwiseConv2dNative' },
  product: { alone: 'MatMul', fused: '_FusedMatMul' },
};

/** Weights of such an operation. */
interface Weights {
  /** Name of the kernel. */
  readonly name: string;
  readonly kernel: MakeConstant;
  readonly bias: MakeConstant | undefined;
  readonly outputs: number;
}

/** A kernel, reshaped if needed, and the bias, both scaled by the BatchNorm after it. */
function weightsOf(
  site: KernelSite,
  name: string,
  shape: readonly number[] = weightOf(site, name).shape,
  outputs: number = shape.at(-1) ?? 0,
): Weights {
  const { scale } = site;
  const bias = site.weight('bias');
  return {
    name,
    kernel: scaledKernel(weightOf(site, name), shape, scale),
    bias: bias === undefined && scale === undefined ? undefined : scaledBias(bias, outputs, scale),
    outputs,
  };
}

/** Writes one node, and the activation after it if it cannot be fused. */
export function writeProduct(
  { scope, activation }: Pick<KernelSite, 'scope' | 'activation'>,
  kind: keyof typeof operations,
  x: string,
  { name, kernel, bias, outputs }: Weights,
  attr: JsonObject,
): string {
  const fused = activation && fusedActivation(kind, activation);
  const inputs = [x, scope.constant(name, kernel)];
  if (bias === undefined && fused === undefined) {
    const y = scope.node(operations[kind].alone, inputs, attr);
    return activation === undefined ? y : writeActivation(scope, activation, y);
  }
  // tfjs fuses an activation only after a bias.
  inputs.push(scope.constant('bias', bias ?? scaledBias(undefined, outputs, undefined)));
  const steps = ['BiasAdd', ...(fused === undefined ? [] : [fused.op])];
  const y = scope.node(operations[kind].fused, inputs, {
    ...attr,
    ...fused?.attr,
    fused_ops: { list: { s: steps.map((step) => btoa(step)) } },
    num_args: { i: '1' },
    epsilon: { f: 0 },
  });
  return activation === undefined || fused !== undefined ? y : writeActivation(scope, activation, y);
}

/** [b, t, c] as pictures of height 1. */
function writeConv1D(site: KernelSite): string {
  const { scope, layer } = site;
  const row = scope.node('ExpandDims', [onlyInput(site).x, scope.integers([1], [])]); // [b, 1, t, c]
  const y = writeProduct(site, 'conv', row, weightsOf(site, 'kernel', [1, ...weightOf(site, 'kernel').shape]), {
    ...windowAttributes(
      [1, ...numbers(layer.config.strides ?? 1, 1)],
      [1, ...numbers(layer.config.dilation_rate ?? 1, 1)],
    ),
    ...ownPadding(layer),
  });
  return squeezeRow(site, y);
}

function writeDepthwise(site: KernelSite): string {
  const { shape } = weightOf(site, 'depthwise_kernel');
  const outputs = (shape[2] ?? 0) * (shape[3] ?? 0);
  return writeProduct(
    site,
    'depthwise',
    onlyInput(site).x,
    weightsOf(site, 'depthwise_kernel', shape, outputs),
    windowOf(site),
  );
}

function writeSeparable(site: KernelSite): string {
  const { scope } = site;
  const first = weightOf(site, 'depthwise_kernel');
  const kernel = scope.constant('depthwise_kernel', () => clone(first));
  const middle = scope.node(operations.depthwise.alone, [onlyInput(site).x, kernel], windowOf(site));
  return writeProduct(site, 'conv', middle, weightsOf(site, 'pointwise_kernel'), onePixel);
}

function writeGrouped(site: KernelSite): string | undefined {
  const { layer, scope } = site;
  const { shape } = weightOf(site, 'kernel');
  const [height = 1, width = 1, each = 1, filters = 1] = shape;
  const groups = numberOf(layer.config.groups) ?? 1;
  const { x } = onlyInput(site);
  if (groups === 1) return writeProduct(site, 'conv', x, weightsOf(site, 'kernel'), windowOf(site));
  if (each === 1) {
    // [h, w, 1, groups * n] has the same values as a depthwise kernel [h, w, groups, n].
    const weights = weightsOf(site, 'kernel', [height, width, groups, filters / groups], filters);
    return writeProduct(site, 'depthwise', x, weights, windowOf(site));
  }
  const split = scope.node('Split', [scope.integers([3], []), x], { num_split: { i: String(groups) } });
  const parts = Array.from({ length: groups }, (_, group) =>
    writeProduct(
      site,
      'conv',
      `${split}:${String(group)}`,
      groupOf(weightsOf(site, 'kernel'), group, groups),
      windowOf(site),
    ),
  );
  const attr = { Tidx: integer, N: { i: String(groups) } };
  return scope.node('ConcatV2', [...parts, scope.integers([3], [])], attr);
}

/** The filters of one group. */
function groupOf({ name, kernel, bias, outputs }: Weights, group: number, groups: number): Weights {
  const size = outputs / groups;
  const part = (make: MakeConstant) => () =>
    tidy(() => {
      const whole = make();
      const last = whole.rank - 1;
      const begin = whole.shape.map((_, axis) => (axis === last ? group * size : 0));
      return slice(whole, begin, [...whole.shape.slice(0, last), size]);
    });
  return { name, kernel: part(kernel), bias: bias && part(bias), outputs: size };
}

/** A Dense on maps is a 1 × 1 convolution. */
function writeDense(site: KernelSite): string | undefined {
  const { scope } = site;
  const { x, shape } = onlyInput(site);
  const kernel = weightOf(site, 'kernel').shape;
  if (shape.length === 2) {
    const attr = { transpose_a: { b: false }, transpose_b: { b: false } };
    return writeProduct(site, 'product', x, weightsOf(site, 'kernel'), attr);
  }
  const weights = weightsOf(site, 'kernel', [1, 1, ...kernel]);
  if (shape.length === 4) return writeProduct(site, 'conv', x, weights, onePixel);
  if (shape.length !== 3) return undefined;
  const row = scope.node('ExpandDims', [x, scope.integers([1], [])]); // [b, 1, t, c]
  return squeezeRow(site, writeProduct(site, 'conv', row, weights, onePixel));
}

/** [b, 1, t, c] → [b, t, c] */
function squeezeRow({ scope }: KernelSite, y: string): string {
  return scope.node('Squeeze', [y], { squeeze_dims: { list: { i: ['1'] } } });
}

/** Window attributes of a layer, including the padding before it. */
function windowOf({ layer, pad }: KernelSite): JsonObject {
  const { strides = 1, dilation_rate: dilation = 1 } = layer.config;
  const attr = windowAttributes(numbers(strides, 2), numbers(dilation, 2));
  if (pad === undefined) return { ...attr, ...ownPadding(layer) };
  const [[top, bottom], [left, right]] = sides(pad.config.padding ?? 1);
  const amounts = [0, 0, top, bottom, left, right, 0, 0];
  return { ...attr, padding: { s: btoa('EXPLICIT') }, explicit_paddings: { list: { i: amounts.map(String) } } };
}

function windowAttributes(strides: readonly number[], dilations: readonly number[]): JsonObject {
  const withOnes = (pair: readonly number[]) => ({ list: { i: [1, ...pair, 1].map(String) } });
  return { strides: withOnes(strides), dilations: withOnes(dilations), data_format: { s: btoa('NHWC') } };
}

function ownPadding({ config }: LayerSpec): JsonObject {
  return { padding: { s: btoa(config.padding === 'same' ? 'SAME' : 'VALID') } };
}

/** Window attributes of a 1 × 1 kernel. */
export const onePixel: JsonObject = { ...windowAttributes([1, 1], [1, 1]), padding: { s: btoa('VALID') } };
