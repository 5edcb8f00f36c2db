// Addresses of the weight files of keras.applications.
import type { PublishedWeights } from './preset.ts';

const bucket = 'https://storage.googleapis.com/tensorflow/keras-applications/';

/**
 * A weight file of keras.applications.
 *
 * @param path - Path in the bucket of keras.applications: `'vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5'`.
 * @param md5 - The hash that Keras checks, if it has one.
 */
export function publishedFile(path: string, md5?: string): PublishedWeights {
  const address = `${bucket}${path}`;
  return md5 === undefined ? { address } : { address, hash: { algorithm: 'md5', digest: md5 } };
}

/** The weight file with or without the classifier, for names that follow one scheme. */
export function tensorFlowKernels(
  directory: string,
  name: string,
  md5: readonly [top: string, noTop: string],
  top: boolean,
): PublishedWeights {
  const file = `${name}_weights_tf_dim_ordering_tf_kernels${top ? '' : '_notop'}.h5`;
  return publishedFile(`${directory}/${file}`, top ? md5[0] : md5[1]);
}

/** A number as Python prints a float: `1.0`, `0.35`. */
export function pythonFloat(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
