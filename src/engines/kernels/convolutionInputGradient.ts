// The gradient of a convolution with respect to its input, on the module. The stride determines which taps read an
// input pixel. All pixels read by the same taps form one convolution of the output's gradient, without a stride.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { columnsOf, convolutionShape, isFloat, rowsOf, shape4, type ConvolutionShape } from './convolutionShape.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import type { KernelModule } from './kernelModule.ts';
import { joinTaps, picturesAt, type PatchAxis, type Placement } from './patches.ts';
import { patchProduct } from './patchProduct.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Kernel of tfjs for this gradient. */
export const convolutionInputGradientMaker = kernelOrOriginal('Conv2DBackpropInput', inputGradient);

function inputGradient(kernels: KernelModule, { inputs, attrs }: KernelCall): TensorInfo | undefined {
  const { backend } = kernels;
  const { dy, filter } = inputs;
  if (!isFloat(dy) || !isFloat(filter)) return undefined;
  const inputShape = attrs?.inputShape;
  const shape = Array.isArray(inputShape) ? convolutionShape(inputShape.map(Number), filter.shape, attrs) : undefined;
  const slope = shape4(dy.shape);
  if (!shape || slope?.[0] !== shape.batchSize || slope[3] !== shape.outChannels) return undefined;
  const out = makeOutput(backend, shape.inShape, 'float32');
  const addresses = { dy: addressOf(backend, dy), filter: addressOf(backend, filter), out: addressOf(backend, out) };
  // Only the output's shape shows how the forward pass rounded.
  const [, outHeight, outWidth] = slope;
  for (let y = 0; y < shape.strideHeight; y++) {
    for (let x = 0; x < shape.strideWidth; x++) {
      runPhase(kernels, { ...shape, outHeight, outWidth }, [y, x], addresses);
    }
  }
  return out;
}

/** Addresses of the tensors. */
interface Addresses {
  readonly dy: number;
  readonly filter: number;
  readonly out: number;
}

/** Computes the input pixels whose row and column have these remainders modulo the strides. */
function runPhase(
  kernels: KernelModule,
  shape: ConvolutionShape,
  [y, x]: readonly [number, number],
  addresses: Addresses,
): void {
  const { batchSize, outHeight, outWidth, inChannels, outChannels, filterWidth } = shape;
  const rows = phaseOf(rowsOf(shape), y);
  const columns = phaseOf(columnsOf(shape), x);
  const tap = inChannels * outChannels * 4;
  patchProduct(kernels, {
    pictures: batchSize,
    rows: rows.axis,
    columns: joinTaps(columns.axis, outChannels),
    channels: outChannels,
    input: picturesAt(addresses.dy, outHeight, outWidth, outChannels),
    output: phasePixels(shape, y, x, addresses.out),
    filter: {
      address: addresses.filter + (rows.lastTap * filterWidth + columns.lastTap) * tap,
      tapRow: -rows.tapStep * filterWidth * tap,
      tapColumn: -columns.tapStep * tap,
      line: outChannels * 4,
      isTransposed: true,
      isContiguous: false,
    },
    results: inChannels,
  });
}

function phasePixels(
  { inHeight, inWidth, inChannels, ...shape }: ConvolutionShape,
  y: number,
  x: number,
  address: number,
): Placement {
  const { picture, row, pixel } = picturesAt(address, inHeight, inWidth, inChannels);
  return {
    address: address + y * row + x * pixel,
    picture,
    row: row * shape.strideHeight,
    pixel: pixel * shape.strideWidth,
  };
}

/**
 * Returns the input positions `rest`, `rest + stride`, …, and the taps that read them, from the last to the first, so
 * that the output positions ascend.
 *
 * @param forward - The axis of the forward convolution.
 */
function phaseOf(
  forward: PatchAxis,
  rest: number,
): { readonly axis: PatchAxis; readonly lastTap: number; readonly tapStep: number } {
  const { input, output, start, stride, step } = forward;
  const seen = (tap: number) => (rest - start - tap * step) / stride;
  const taps = Array.from({ length: forward.taps }, (_, tap) => tap).filter((tap) => Number.isInteger(seen(tap)));
  const [lastTap = 0, before = lastTap] = [...taps].reverse();
  const tapStep = lastTap - before;
  const axis = {
    input: output,
    output: Math.max(0, Math.ceil((input - rest) / stride)),
    taps: taps.length,
    start: taps.length === 0 ? 0 : seen(lastTap),
    stride: 1,
    step: tapStep === 0 ? 1 : (tapStep * step) / stride,
    span: 1,
  };
  return { axis, lastTap, tapStep };
}
