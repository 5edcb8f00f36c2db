// A 1×1 convolution whose input is put together on the way: a concatenation with scale, shift and relu, as in DenseNet. A
// kernel under a name of this package (networks/run/ownOperations.ts).
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { isFloat } from './convolutionShape.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import type { KernelModule } from './kernelModule.ts';
import { readActivation, readEpilogue } from './patchEpilogue.ts';
import { oneByOne } from './patches.ts';
import { patchProduct } from './patchProduct.ts';
import type { Gather } from './products.ts';
import { addressOf, makeOutput, type WasmBackend } from './wasmHeap.ts';

/**
 * `{ x0, x1 …, scale, shift, filter, bias? }` with pieces [b, h, w, c] of any c; `scale` and `shift` have a value for
 * each channel of all pieces. The attribute `before` names the activation after them.
 */
export const gatheredConvolutionMaker = kernelOrOriginal('TransferkitGatheredConvolution', convolve);

function convolve(kernels: KernelModule, call: KernelCall): TensorInfo | undefined {
  const { backend } = kernels;
  const { filter } = call.inputs;
  const pieces = piecesOf(call);
  const channels = pieces.reduce((sum, { shape }) => sum + (shape[3] ?? 0), 0);
  const [first] = pieces;
  const [height, width, inputs, results = 0] = filter?.shape ?? [];
  if (first === undefined || !isFloat(filter) || height !== 1 || width !== 1 || inputs !== channels) return undefined;
  const epilogue = readEpilogue(backend, call, results);
  const gather = readGather(backend, call, pieces, channels);
  if (epilogue === undefined || gather === undefined) return undefined;
  const places = first.shape.slice(0, 3);
  const out = makeOutput(backend, [...places, results], 'float32');
  patchProduct(kernels, {
    ...epilogue,
    pictures: 1,
    rows: oneByOne(1),
    columns: oneByOne(util.sizeFromShape(places)),
    channels,
    input: { address: 0, picture: 0, row: 0, pixel: 0 },
    output: { address: addressOf(backend, out), picture: 0, row: 0, pixel: results * 4 },
    filter: {
      address: addressOf(backend, filter),
      ...{ tapRow: 0, tapColumn: 0, line: results * 4, isTransposed: false, isContiguous: true },
    },
    results,
    gather,
  });
  return out;
}

/** The pieces in the order of their names. Empty if they do not fit together. */
function piecesOf({ inputs }: KernelCall): TensorInfo[] {
  const pieces: TensorInfo[] = [];
  for (let piece = inputs.x0; piece !== undefined; piece = inputs[`x${String(pieces.length)}`]) pieces.push(piece);
  const places = pieces[0]?.shape.slice(0, 3);
  const fit = pieces.every(
    (each) => isFloat(each) && each.shape.length === 4 && util.arraysEqual(each.shape.slice(0, 3), places ?? []),
  );
  return fit ? pieces : [];
}

function readGather(
  backend: WasmBackend,
  { inputs: { scale, shift }, attrs }: KernelCall,
  pieces: readonly TensorInfo[],
  channels: number,
): Gather | undefined {
  const before = readActivation(attrs?.before, undefined);
  if (before?.functionNumber !== 0 || !isFloat(scale) || !isFloat(shift)) return undefined;
  if ([scale, shift].some(({ shape }) => util.sizeFromShape(shape) !== channels)) return undefined;
  return {
    pieces: pieces.map((piece) => ({ address: addressOf(backend, piece), rowBytes: (piece.shape[3] ?? 0) * 4 })),
    scale: addressOf(backend, scale),
    shift: addressOf(backend, shift),
    low: before.low,
    high: before.high,
  };
}
