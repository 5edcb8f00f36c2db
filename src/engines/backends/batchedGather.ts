// Gathering by example on wasm: tfjs's kernel reads beyond the indexes, and so beyond its memory, where each example has places
// of its own. The examples become one list of rows, which its kernel gathers from correctly.
import { backend_util, gather, reshape, tensor1d, tidy, type KernelConfig } from '@tensorflow/tfjs-core';
import { at } from '../../core/at.ts';
import { tensors } from './compositeKernel.ts';

/** Makes a replacement of tfjs's kernel `GatherV2`. */
export function batchedGather(original: KernelConfig): KernelConfig {
  const kernelFunc: KernelConfig['kernelFunc'] = (call) => {
    const { axis, batchDims } = call.attrs as unknown as { readonly axis: number; readonly batchDims: number };
    if (batchDims === 0) return original.kernelFunc(call);
    const { x, indices } = tensors('GatherV2', ['x', 'indices'], call.inputs);
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } =
      backend_util.segment_util.collectGatherOpShapeInfo(x, indices, axis, batchDims);
    const places = indices.dataSync();
    const count = places.length / batchSize;
    const rows = new Int32Array(batchSize * outerSize * count);
    for (let row = 0; row < rows.length; row++) {
      const group = Math.floor(row / count); // An example's part before the axis.
      const place = at(places, Math.floor(group / outerSize) * count + (row % count));
      if (place < 0 || place >= dimSize) {
        throw new Error(
          `GatherV2 (transferkit, wasm): expected indexes from 0 to ${String(dimSize - 1)}, got ${String(place)}.`,
        );
      }
      rows[row] = group * dimSize + place;
    }
    return tidy(() => {
      const list = reshape(x, [batchSize * outerSize * dimSize, sliceSize]);
      return reshape(gather(list, tensor1d(rows, 'int32')), outputShape);
    });
  };
  return { ...original, kernelFunc };
}
