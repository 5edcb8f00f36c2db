// The gradient of a depthwise convolution with respect to its filter, on the module.
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { isFloat } from './convolutionShape.ts';
import { forwardAxis } from './depthwiseAxis.ts';
import { columnsOf, depthwiseShape, rowsOf, type DepthwiseShape } from './depthwiseShape.ts';
import { writeAxes } from './depthwiseWindows.ts';
import type { KernelModule } from './kernelModule.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Kernel of tfjs for this gradient. */
export const depthwiseFilterGradientMaker = kernelOrOriginal('DepthwiseConv2dNativeBackpropFilter', filterGradient);

function filterGradient(kernels: KernelModule, { inputs, attrs }: KernelCall): TensorInfo | undefined {
  const { backend } = kernels;
  const { x, dy } = inputs;
  const filterShape = attrs?.filterShape;
  if (!isFloat(x) || !isFloat(dy) || !Array.isArray(filterShape)) return undefined;
  const shape = depthwiseShape(x.shape, filterShape.map(Number), attrs, dy.shape);
  if (shape === undefined || util.sizeFromShape(x.shape) * util.sizeFromShape(dy.shape) === 0) return undefined;
  const out = makeOutput(backend, shape.filterShape, 'float32');
  const { rowsPerTask, rowsAtOnce, groups } = shareRows(shape);
  const { filterHeight, filterWidth, inChannels } = shape;
  const taps = filterHeight * filterWidth;
  const slots = (inChannels < 4 ? inChannels : Math.ceil(inChannels / 4)) * 16;
  const sums = kernels.scratch.reserve(groups * taps * slots);
  const words = [addressOf(backend, x), addressOf(backend, dy), sums, addressOf(backend, out), inChannels * 4];
  words.push(shape.batchSize, rowsPerTask, rowsAtOnce, groups);
  writeAxes(words, forwardAxis(rowsOf(shape)), forwardAxis(columnsOf(shape)), { pixel: inChannels * 4, filterWidth });
  words[slotsWord] = slots;
  kernels.run('depthwiseFilterSums', words, groups);
  kernels.run('depthwiseFilterTotal', words, taps);
  return out;
}

// assembly/depthwiseParameters.ts has the same number.
const slotsWord = 63;

/** Intended number of groups of rows: each has its own sums. */
const mostGroups = 16;
/** Products that make a group worthwhile. */
const smallestGroup = 1 << 17;
/** Number of output pixels that fit into the cache together with their inputs. */
const pixelsAtOnce = 64;

interface SharedRows {
  readonly rowsPerTask: number;
  readonly rowsAtOnce: number;
  readonly groups: number;
}

function shareRows({
  batchSize,
  outHeight,
  outWidth,
  inChannels,
  filterHeight,
  filterWidth,
}: DepthwiseShape): SharedRows {
  const rows = batchSize * outHeight;
  const products = outWidth * inChannels * filterHeight * filterWidth;
  const rowsPerTask = Math.max(Math.ceil(rows / mostGroups), Math.ceil(smallestGroup / products));
  const rowsAtOnce = Math.max(1, Math.floor(pixelsAtOnce / outWidth));
  return { rowsPerTask, rowsAtOnce, groups: Math.ceil(rows / rowsPerTask) };
}
