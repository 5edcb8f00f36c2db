// Convolutions on the module, with bias and activation.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { columnsOf, convolutionShape, isFloat, rowsOf } from './convolutionShape.ts';
import type { KernelModule } from './kernelModule.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import { readEpilogue } from './patchEpilogue.ts';
import { joinTaps, picturesAt } from './patches.ts';
import { patchProduct } from './patchProduct.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Kernels of tfjs's convolutions, and one of this package with more activations (networks/run/ownOperations.ts). */
export const convolutionMakers = ['Conv2D', 'FusedConv2D', 'TransferkitConvolution'].map((name) =>
  kernelOrOriginal(name, convolve),
);

function convolve(kernels: KernelModule, call: KernelCall): TensorInfo | undefined {
  const { backend } = kernels;
  const { x, filter } = call.inputs;
  if (!isFloat(x) || !isFloat(filter)) return undefined;
  const shape = convolutionShape(x.shape, filter.shape, call.attrs);
  const epilogue = shape && readEpilogue(backend, call, shape.outChannels);
  if (shape === undefined || epilogue === undefined) return undefined;
  const out = makeOutput(backend, shape.outShape, 'float32');
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterWidth } = shape;
  patchProduct(kernels, {
    ...epilogue,
    pictures: shape.batchSize,
    rows: rowsOf(shape),
    columns: joinTaps(columnsOf(shape), inChannels),
    channels: inChannels,
    input: picturesAt(addressOf(backend, x), inHeight, inWidth, inChannels),
    output: picturesAt(addressOf(backend, out), outHeight, outWidth, outChannels),
    filter: {
      address: addressOf(backend, filter),
      tapRow: filterWidth * inChannels * outChannels * 4,
      tapColumn: inChannels * outChannels * 4,
      line: outChannels * 4,
      isTransposed: false,
      isContiguous: true,
      dataId: filter.dataId,
    },
    results: outChannels,
  });
  return out;
}
