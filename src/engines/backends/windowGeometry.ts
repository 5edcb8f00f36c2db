// The windows that tfjs's attributes of pooling and of 3D convolution describe. The number of windows is that of `dy`
// where there is one: tfjs does not tell gradients how the forward pass rounded.
import { backend_util, type NamedAttrMap, type Tensor } from '@tensorflow/tfjs-core';
import { at } from '../../core/at.ts';
import { quadruple } from './convolutionGeometry.ts';
import type { WindowAxis } from './windows.ts';

/** Attributes that tfjs-core's ops set in the engine's untyped map. */
interface WindowAttributes<Size> {
  readonly filterSize: Size;
  readonly strides: Size;
  readonly pad: 'same' | 'valid' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type Plane = WindowAttributes<number | [number, number]>;
type Volume = WindowAttributes<number | [number, number, number]>;

/** Windows of 2D pooling. */
export function planeWindows(x: Tensor, map: NamedAttrMap, dy: Tensor): readonly WindowAxis[] {
  const { filterSize, strides, pad, dimRoundingMode } = map as unknown as Plane;
  const info = backend_util.computePool2DInfo(quadruple(x.shape), filterSize, strides, 1, pad, dimRoundingMode);
  return counted(dy, [
    axis(info.inHeight, info.outHeight, info.filterHeight, info.strideHeight, info.padInfo.top),
    axis(info.inWidth, info.outWidth, info.filterWidth, info.strideWidth, info.padInfo.left),
  ]);
}

/** Windows of 3D pooling. */
export function volumeWindows(x: Tensor, map: NamedAttrMap, dy?: Tensor): readonly WindowAxis[] {
  const { filterSize, strides, pad, dimRoundingMode } = map as unknown as Volume;
  const info = backend_util.computePool3DInfo(quintuple(x.shape), filterSize, strides, 1, pad, dimRoundingMode);
  return counted(dy, volumeAxes(info));
}

/** Windows of a 3D convolution without dilation: tfjs-core refuses gradients of others. */
export function convolutionWindows(
  inputShape: readonly number[],
  filterShape: readonly number[],
  map: NamedAttrMap,
  dy: Tensor,
): readonly WindowAxis[] {
  const { strides, pad } = map as unknown as Volume;
  const info = backend_util.computeConv3DInfo(quintuple(inputShape), quintuple(filterShape), strides, 1, pad);
  return counted(dy, volumeAxes(info));
}

function volumeAxes(info: ReturnType<typeof backend_util.computeConv3DInfo>): readonly WindowAxis[] {
  const { padInfo } = info;
  return [
    axis(info.inDepth, info.outDepth, info.filterDepth, info.strideDepth, padInfo.front),
    axis(info.inHeight, info.outHeight, info.filterHeight, info.strideHeight, padInfo.top),
    axis(info.inWidth, info.outWidth, info.filterWidth, info.strideWidth, padInfo.left),
  ];
}

function axis(input: number, output: number, size: number, stride: number, before: number): WindowAxis {
  return { input, output, size, stride, before };
}

function counted(dy: Tensor | undefined, axes: readonly WindowAxis[]): readonly WindowAxis[] {
  return dy === undefined ? axes : axes.map((each, place) => ({ ...each, output: at(dy.shape, place + 1) }));
}

function quintuple(shape: readonly number[]): [number, number, number, number, number] {
  return [at(shape, 0), at(shape, 1), at(shape, 2), at(shape, 3), at(shape, 4)];
}
