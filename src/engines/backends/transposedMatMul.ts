// Faster matrix products on wasm. tfjs uses XNNPACK only where nothing is transposed and neither side has a batch;
// everything else is a scalar loop, twenty times as slow. So this kernel transposes first, and treats a batch as more
// rows where the other side has none. With batches on both sides tfjs's own loop is used.
import {
  add,
  backend_util,
  broadcast_util,
  engine,
  matMul,
  reshape,
  tidy,
  transpose,
  type KernelConfig,
  type NamedTensorInfoMap,
  type Rank,
  type Tensor,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { tensors } from './compositeKernel.ts';

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** tfjs's kernel of a matrix product, for plain matrices. */
type Multiply = (a: Tensor2D, b: Tensor2D) => Tensor2D;

type KernelCall = Parameters<KernelConfig['kernelFunc']>[0];

/** Makes a replacement of tfjs's kernel `BatchMatMul` that rearranges its inputs and then runs it. */
export function transposeFirst(original: KernelConfig): KernelConfig {
  const kernelFunc: KernelConfig['kernelFunc'] = (call) => {
    const { a, b, attributes, isFast } = readCall(original, call);
    // Batches on both sides use tfjs's own loop; types that tfjs refuses stay refused.
    const isPlain = a.dtype === 'float32' && b.dtype === 'float32' && batchOf(b) === 1;
    if (isFast || !isPlain) return original.kernelFunc(call);
    return tidy(() => product(a, b, attributes, cheapest, (left, right) => runOriginal(original, call, left, right)));
  };
  return { ...original, kernelFunc };
}

/**
 * Makes a replacement of tfjs's kernel `_FusedMatMul`. Besides its speed, it avoids a fault: tfjs's own loop adds the
 * wrong bias to batches. Instead of that loop, product, bias and activation are computed as separate operations.
 */
export function transposeFirstFused(original: KernelConfig): KernelConfig {
  const kernelFunc: KernelConfig['kernelFunc'] = (call) => {
    const { a, b, attributes, isFast } = readCall(original, call);
    if (isFast) return original.kernelFunc(call);
    const hasPrelu = call.inputs.preluActivationWeights !== undefined; // Weights that depend on the batch.
    return tidy(() =>
      batchOf(b) > 1 || hasPrelu
        ? unfused(original, call, matMul(a, b, attributes.transposeA, attributes.transposeB))
        : product(a, b, attributes, direct, (left, right) => runOriginal(original, call, left, right)),
    );
  };
  return { ...original, kernelFunc };
}

function unfused(original: KernelConfig, { inputs, attrs }: KernelCall, result: Tensor): Tensor {
  const given = (name: string) =>
    inputs[name] === undefined ? undefined : tensors(original.kernelName, [name], inputs)[name];
  const bias = given('bias');
  // tfjs-core's fused op has checked the name.
  const activation = (attrs?.activation ?? 'linear') as backend_util.Activation;
  const slope = Number(attrs?.leakyreluAlpha ?? 0);
  const sum = bias === undefined ? result : add(result, bias);
  return backend_util.applyActivation(sum, activation, given('preluActivationWeights'), slope);
}

function readCall(original: KernelConfig, { inputs, attrs }: KernelCall) {
  const { a, b } = tensors(original.kernelName, ['a', 'b'], inputs);
  const attributes: MatMulAttributes = {
    transposeA: attrs?.transposeA === true,
    transposeB: attrs?.transposeB === true,
  };
  const isFast = !attributes.transposeA && !attributes.transposeB && batchOf(a) === 1 && batchOf(b) === 1;
  return { a, b, attributes, isFast };
}

function runOriginal(original: KernelConfig, call: KernelCall, a: Tensor2D, b: Tensor2D): Tensor2D {
  const [rows, inner] = a.shape;
  const columns = b.shape[1];
  const inputs: NamedTensorInfoMap = {
    ...call.inputs,
    a: reshape(a, [1, rows, inner]),
    b: reshape(b, [1, inner, columns]),
  };
  const out = original.kernelFunc({ ...call, inputs, attrs: { ...call.attrs, transposeA: false, transposeB: false } });
  const [info] = Array.isArray(out) ? out : [out];
  if (info === undefined)
    throw new Error(`${original.kernelName}: expected the kernel to give one result, it gave none.`);
  return reshape<Rank.R2>(engine().makeTensorFromTensorInfo(info), [rows, columns]);
}

function product(a: Tensor, b: Tensor, attributes: MatMulAttributes, strategy: Strategy, multiply: Multiply): Tensor {
  const [m, n] = [rowsOf(a, attributes.transposeA), rowsOf(b, !attributes.transposeB)];
  const outer = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const right = matrix(b);
  if (batchOf(a) === 1) return reshape(strategy(matrix(a), right, attributes, multiply), [...outer, m, n]);
  const left = attributes.transposeA ? swapLast(a) : a; // [..., m, k]
  // [batch * m, k]
  const tall = reshape<Rank.R2>(left, [left.size / rowsOf(b, attributes.transposeB), rowsOf(b, attributes.transposeB)]);
  return reshape(multiply(tall, attributes.transposeB ? transpose(right) : right), [...outer, m, n]);
}

type Strategy = (a: Tensor2D, b: Tensor2D, attributes: MatMulAttributes, multiply: Multiply) => Tensor2D;

function direct(a: Tensor2D, b: Tensor2D, { transposeA, transposeB }: MatMulAttributes, multiply: Multiply): Tensor2D {
  return multiply(transposeA ? transpose(a) : a, transposeB ? transpose(b) : b);
}

/** Transposes the smaller amount of numbers: the inputs, or the result of the exchanged inputs. */
function cheapest(a: Tensor2D, b: Tensor2D, attributes: MatMulAttributes, multiply: Multiply): Tensor2D {
  const { transposeA, transposeB } = attributes;
  const resultSize = rowsOf(a, transposeA) * rowsOf(b, !transposeB);
  const directly = (transposeA ? a.size : 0) + (transposeB ? b.size : 0);
  const changedOver = (transposeA ? 0 : a.size) + (transposeB ? 0 : b.size) + resultSize;
  if (directly <= changedOver) return direct(a, b, attributes, multiply);
  return transpose(direct(b, a, { transposeA: !transposeB, transposeB: !transposeA }, multiply));
}

function batchOf(tensor: Tensor): number {
  return tensor.shape.slice(0, -2).reduce((product, axis) => product * axis, 1);
}

/** Number of rows of a matrix, or of its transpose. */
function rowsOf(tensor: Tensor, isTransposed: boolean): number {
  return tensor.shape.at(isTransposed ? -1 : -2) ?? 1;
}

function matrix(tensor: Tensor): Tensor2D {
  return reshape<Rank.R2>(tensor, [rowsOf(tensor, false), rowsOf(tensor, true)]);
}

function swapLast(tensor: Tensor): Tensor {
  const axes = tensor.shape.map((_, axis) => axis);
  return transpose(tensor, [...axes.slice(0, -2), tensor.rank - 1, tensor.rank - 2]);
}
