// Projective maps of pictures: tf.image.transform for three channels, with bilinear interpolation.
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import type { KernelModule } from './kernelModule.ts';
import { real } from './real.ts';
import { shareWork } from './shareWork.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Kernel of tfjs's operation. */
export const transformMaker = kernelOrOriginal('Transform', transform);

/** Fills outside a picture, by the numbers in assembly/transform.ts. */
const fillModes: readonly unknown[] = ['constant', 'reflect', 'nearest'];

/** Computing one value of a picture costs about as much as copying four. */
const costOfValue = 4;

function transform(kernels: KernelModule, { inputs, attrs }: KernelCall): TensorInfo | undefined {
  const { image, transforms } = inputs;
  const fill = fillModes.indexOf(attrs?.fillMode);
  if (!isPictures(image) || transforms?.dtype !== 'float32') return undefined;
  if (fill < 0 || attrs?.interpolation !== 'bilinear') return undefined;
  const [batch = 0, height = 0, width = 0, channels = 0] = image.shape;
  const [outHeight, outWidth] = (attrs.outputShape ?? [height, width]) as readonly [number, number];
  const out = makeOutput(kernels.backend, [batch, outHeight, outWidth, channels], image.dtype);
  const rows = batch * outHeight;
  if (rows * outWidth === 0) return out;
  const { perTask, tasks } = shareWork(rows, outWidth * channels * costOfValue);
  const [x, y, maps] = [image, out, transforms].map((info) => addressOf(kernels.backend, info));
  const mapBytes = transforms.shape[0] === 1 ? 0 : 8 * 4;
  kernels.run(
    'transformPictures',
    [
      ...[x ?? 0, y ?? 0, maps ?? 0, mapBytes, height, width, outHeight, outWidth, rows, perTask, fill],
      real(Number(attrs.fillValue)),
    ],
    tasks,
  );
  return out;
}

function isPictures(image: TensorInfo | undefined): image is TensorInfo {
  return image?.dtype === 'float32' && image.shape[3] === 3 && util.sizeFromShape(image.shape) > 0;
}
