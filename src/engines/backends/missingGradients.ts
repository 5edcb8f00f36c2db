// Gradients that tfjs-core lacks, those that it computes only for tensors of one shape, and those that are slow.
import {
  DepthToSpace,
  FlipLeftRight,
  GatherNd,
  Maximum,
  Minimum,
  ScatterNd,
  SquaredDifference,
  StridedSlice,
  cast,
  gatherND,
  greaterEqual,
  less,
  lessEqual,
  greater,
  mul,
  reshape,
  reverse,
  scatterND,
  slice_util,
  sub,
  transpose,
  type GradConfig,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import { only } from './onlyGradient.ts';
import { unbroadcast } from './unbroadcast.ts';
import { rank4 } from './convolutionGeometry.ts';
import { einsumGradient } from './einsum.ts';
import {
  batchedGatherGradient,
  broadcastProductGradient,
  cumulativeSumGradient,
  productGradient,
} from './axisGradients.ts';
import { bilinearGradient, nearestGradient } from './resizeGradients.ts';
import { averageGradients } from './averageGradients.ts';
import { mirrorGradient } from './mirrorGradient.ts';
import { softmaxGradient } from './softmaxGradient.ts';
import { spreadAxis } from './spreadAxis.ts';

/** Returns all of these gradients. */
export function missingGradients(): readonly GradConfig[] {
  return [
    stridedSliceGradient,
    depthToSpaceGradient,
    flipGradient,
    gatherNdGradient,
    scatterNdGradient,
    einsumGradient,
    broadcastProductGradient(),
    cumulativeSumGradient,
    productGradient,
    mirrorGradient,
    softmaxGradient(),
    batchedGatherGradient(),
    ...averageGradients(),
    bilinearGradient,
    nearestGradient,
    ofPair(SquaredDifference, {
      a: (dy, a, b) => mul(dy, mul(2, sub(a, b))),
      b: (dy, a, b) => mul(dy, mul(2, sub(b, a))),
    }),
    ofPair(Maximum, {
      a: (dy, a, b) => mul(dy, cast(greaterEqual(a, b), 'float32')),
      b: (dy, a, b) => mul(dy, cast(less(a, b), 'float32')),
    }),
    ofPair(Minimum, {
      a: (dy, a, b) => mul(dy, cast(lessEqual(a, b), 'float32')),
      b: (dy, a, b) => mul(dy, cast(greater(a, b), 'float32')),
    }),
  ];
}

type Partial = (dy: Tensor, a: Tensor, b: Tensor) => Tensor;

/** The gradient of an operation that broadcasts its two inputs. */
function ofPair(kernelName: string, partials: { readonly a: Partial; readonly b: Partial }): GradConfig {
  return {
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => {
      const [a, b] = saved;
      if (a === undefined || b === undefined) throw internalError(`${kernelName} saved too little`);
      const whole = only(dy);
      return {
        a: () => unbroadcast(partials.a(whole, a, b), a.shape),
        b: () => unbroadcast(partials.b(whole, a, b), b.shape),
      };
    },
  };
}

/** Attributes that tfjs-core's stridedSlice passes to its kernel. */
interface SliceAttributes {
  readonly begin: number[];
  readonly end: number[];
  readonly strides: number[];
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
}

const stridedSliceGradient: GradConfig = {
  kernelName: StridedSlice,
  inputsToSave: ['x'],
  gradFunc: (dy, saved, map) => {
    const { shape } = one(saved);
    const at = map as unknown as SliceAttributes;
    const { begin, end, strides } = slice_util.sliceInfo(
      shape,
      at.begin,
      at.end,
      at.strides,
      at.beginMask,
      at.endMask,
      at.ellipsisMask,
      at.newAxisMask,
      at.shrinkAxisMask,
    );
    const sizes = slice_util.computeOutShape(begin, end, strides);
    const taken = (dx: Tensor, axis: number) =>
      spreadAxis(dx, axis, shape[axis] ?? 1, { begin: begin[axis] ?? 0, stride: strides[axis] ?? 1 });
    return { x: () => shape.reduce<Tensor>((dx, _, axis) => taken(dx, axis), reshape(only(dy), sizes)) };
  },
};

const depthToSpaceGradient: GradConfig = {
  kernelName: DepthToSpace,
  gradFunc: (dy, _, { blockSize, dataFormat }) => {
    const block = Number(blockSize);
    const gather = () => {
      const y = rank4(only(dy));
      if (dataFormat !== 'NCHW') return spaceToDepth(y, block);
      return transpose(spaceToDepth(transpose(y, [0, 2, 3, 1]), block), [0, 3, 1, 2]);
    };
    return { x: gather };
  },
};

/** [b, h * block, w * block, c] → [b, h, w, block * block * c] */
function spaceToDepth(y: Tensor, block: number): Tensor {
  const [b = 0, tall = 0, wide = 0, c = 0] = y.shape;
  const [h, w] = [tall / block, wide / block];
  const rows = transpose(reshape(y, [b * h, block, w, block * c]), [0, 2, 1, 3]); // [b * h, w, block, block * c]
  return reshape(rows, [b, h, w, block * block * c]);
}

/** tf.image.flipLeftRight reverses the width of [b, h, w, c]. */
const flipGradient: GradConfig = {
  kernelName: FlipLeftRight,
  gradFunc: (dy) => ({ image: () => reverse(only(dy), 2) }),
};

const gatherNdGradient: GradConfig = {
  kernelName: GatherNd,
  inputsToSave: ['params', 'indices'],
  gradFunc: (dy, saved) => {
    const [params, indices] = saved;
    if (params === undefined || indices === undefined) throw internalError('GatherNd saved too little');
    return { params: () => scatterND(indices, only(dy), params.shape) };
  },
};

const scatterNdGradient: GradConfig = {
  kernelName: ScatterNd,
  inputsToSave: ['indices'],
  gradFunc: (dy, saved) => ({ updates: () => gatherND(only(dy), one(saved)) }),
};

function one([tensor]: Tensor[]): Tensor {
  if (tensor === undefined) throw internalError('a gradient found nothing saved');
  return tensor;
}
