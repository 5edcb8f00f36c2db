// Operations of this package for tfjs's executor of nodes. They run kernels that only wasm with this package's module has.
import { registerOp, type GraphNode } from '@tensorflow/tfjs-converter';
import { cast, engine, getBackend, getKernel, type NamedAttrMap, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { fusedLayerNorm, hasFusedLayerNorm } from './fusedLayerNorm.ts';
import { layerNorm } from './layerNorm.ts';

/** Names of the operations, and of their kernels. */
export const ownOperations = {
  activation: 'TransferkitActivation',
  conv: 'TransferkitConvolution',
  gathered: 'TransferkitGatheredConvolution',
  depthwise: 'TransferkitDepthwise',
  layerNorm: 'TransferkitLayerNorm',
  product: 'TransferkitProduct',
} as const;

/** Settings of a window: zeros at both ends of height and width, or `same`. */
export interface OwnWindow {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly zeros: readonly [number, number, number, number] | 'same';
}

/** Attributes of a node. */
export function ownAttributes(activation: string, sweep?: OwnWindow): JsonObject {
  const list = (values: readonly number[]) => ({ list: { i: values.map(String) } });
  const named = { activation: { s: btoa(activation) } };
  if (sweep === undefined) return named;
  const { strides, dilations, zeros } = sweep;
  return {
    ...named,
    strides: list(strides),
    dilations: list(dilations),
    ...(zeros === 'same' ? {} : { zeros: list(zeros) }),
  };
}

/** Whether the current backend has the kernels, and nothing is recorded for gradients. */
export function hasOwnOperations(): boolean {
  // tfjs types every kernel as present.
  const kernel: unknown = getKernel(ownOperations.conv, getBackend());
  return kernel !== undefined && engine().state.gradientDepth === 0;
}

let registered = false;

/** Registers the operations with tfjs; a second call does nothing. */
export function registerOwnOperations(): void {
  if (registered) return;
  registered = true;
  registerOp(ownOperations.activation, ({ inputs, attrs }) => {
    const { activation } = attrs;
    return run(ownOperations.activation, { x: floats(inputs[0]) }, { activation });
  });
  registerOp(ownOperations.conv, (node) => slide(ownOperations.conv, node));
  registerOp(ownOperations.depthwise, (node) => slide(ownOperations.depthwise, node));
  registerOp(ownOperations.layerNorm, normalize);
  registerOp(ownOperations.gathered, gather);
  registerOp(ownOperations.product, ({ inputs: [a, b, bias], attrs: { activation } }) => {
    const given = { a: floats(a), b: floats(b), ...(bias && { bias }) };
    return run(ownOperations.product, given, { transposeA: false, transposeB: false, activation });
  });
}

function gather({ inputs, attrs: { pieces: count, before, activation } }: GraphNode): Tensor {
  const pieces = inputs.slice(0, Number(count)).map(floats);
  const [scale, shift, filter, bias] = inputs.slice(pieces.length).map(floats);
  const named = Object.fromEntries(pieces.map((piece, index) => [`x${String(index)}`, piece]));
  const weights = {
    ...(scale && { scale }),
    ...(shift && { shift }),
    ...(filter && { filter }),
    ...(bias && { bias }),
  };
  return run(ownOperations.gathered, { ...named, ...weights }, { before, activation });
}

function normalize({ inputs: [x, ...weights], attrs }: GraphNode): Tensor {
  const input = floats(x);
  const gamma = attrs.scales === true ? weights.shift() : undefined;
  const beta = attrs.shifts === true ? weights.shift() : undefined;
  const axis = Number(attrs.axis);
  const axes = [axis < 0 ? axis + input.rank : axis];
  const parameters = { gamma, beta, epsilon: Number(attrs.epsilon), axes };
  return hasFusedLayerNorm(input, parameters) ? fusedLayerNorm(input, parameters) : layerNorm(input, parameters);
}

function slide(kernelName: string, { inputs: [x, filter, bias], attrs }: GraphNode): Tensor {
  const { strides, dilations, zeros, activation } = attrs;
  const [top, bottom, left, right] = Array.isArray(zeros) ? zeros.map(Number) : [];
  const pad =
    top === undefined
      ? 'same'
      : [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ];
  const given = { x: floats(x), filter: floats(filter), ...(bias && { bias }) };
  return run(kernelName, given, { strides, pad, dataFormat: 'NHWC', dilations, activation });
}

function run(kernelName: string, inputs: Record<string, Tensor>, attrs: Record<string, unknown>): Tensor {
  // The engine passes attributes on to the kernel, whatever they are.
  return engine().runKernel<Tensor>(kernelName, inputs, attrs as NamedAttrMap);
}

function floats(x: Tensor | undefined): Tensor {
  if (x === undefined) throw internalError('a node of this package lacks an input');
  return x.dtype === 'float32' ? x : cast(x, 'float32');
}
