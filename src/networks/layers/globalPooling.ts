// Global pooling with `keepdims`, which tfjs's own layers ignore: the pooled axes have length 1.
import { max, mean, tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { layers, type Shape } from '@tensorflow/tfjs-layers';
import { single, singleShape, type LayerConfig } from './layerConfig.ts';

/** [b, h, w, c] → [b, 1, 1, c], or [b, c, h, w] → [b, c, 1, 1]. */
abstract class GlobalPooling2DKeepDims extends layers.Layer {
  private readonly channelsFirst: boolean;

  constructor(config: LayerConfig) {
    super(config);
    this.channelsFirst = isChannelsFirst(config.dataFormat);
  }

  /** The shared part of both layers. */
  protected abstract pool(x: Tensor, axes: number[]): Tensor;

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => this.pool(single(inputs), this.channelsFirst ? [2, 3] : [1, 2]));
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [batch = null, first = null, , last = null] = singleShape(inputShape);
    return this.channelsFirst ? [batch, first, 1, 1] : [batch, 1, 1, last];
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), dataFormat: this.channelsFirst ? 'channelsFirst' : 'channelsLast' };
  }
}

/** Keras's `GlobalAveragePooling2D(keepdims=True)`. */
export class GlobalAveragePooling2DKeepDims extends GlobalPooling2DKeepDims {
  static readonly className = 'GlobalAveragePooling2DKeepDims';

  /** Takes the mean over two axes. */
  protected pool(x: Tensor, axes: number[]): Tensor {
    return mean(x, axes, true);
  }
}

/** Keras's `GlobalMaxPooling2D(keepdims=True)`. */
export class GlobalMaxPooling2DKeepDims extends GlobalPooling2DKeepDims {
  static readonly className = 'GlobalMaxPooling2DKeepDims';

  /** Takes the maximum over two axes. */
  protected pool(x: Tensor, axes: number[]): Tensor {
    return max(x, axes, true);
  }
}

/** Whether a configuration has channels first, in the spelling of Keras or of tfjs. */
export function isChannelsFirst(dataFormat: unknown): boolean {
  return dataFormat === 'channelsFirst' || dataFormat === 'channels_first';
}
