// Sums of rows by segment, for wasm: the gradient of gather, and so of every embedding.
import { reshape, scatterND, slice, tensor2d, zeros, type Tensor } from '@tensorflow/tfjs-core';

/**
 * Sums the rows of each segment, as tf.unsortedSegmentSum. Rows whose segment is outside 0 … count - 1 are ignored.
 *
 * @param x - [n, …]
 * @param segments - [n], int32
 * @returns [count, …]
 */
export function segmentSum(x: Tensor, segments: Tensor, count: number): Tensor {
  const [rows = 0, ...inner] = x.shape;
  if (segments.rank !== 1 || segments.size !== rows) {
    throw new Error(
      `unsortedSegmentSum (transferkit, wasm): expected one segment for each of the ${rows} rows of x, ` +
        `got segments of shape [${segments.shape.join(', ')}].`,
    );
  }
  if (x.size === 0 || count === 0) return zeros([count, ...inner], x.dtype);
  // The kernel of scatterND does not check indexes: rows without a segment are added to one extra row.
  const indices = Int32Array.from(segments.dataSync(), (segment) =>
    segment >= 0 && segment < count ? segment : count,
  );
  const length = x.size / rows;
  const sums = scatterND(tensor2d(indices, [rows, 1], 'int32'), reshape(x, [rows, length]), [count + 1, length]);
  return reshape(slice(sums, [0, 0], [count, length]), [count, ...inner]);
}
