// Keras's resizing with half-pixel centres. tfjs's own layers align corners.
import { matMul, reshape, tensor3d, tidy, type serialization, type Tensor, type Tensor3D } from '@tensorflow/tfjs-core';
import { layers, type Shape } from '@tensorflow/tfjs-layers';
import { numberOf, pairOf, single, singleShape, type LayerConfig } from './layerConfig.ts';

/**
 * Resizes [b, h, w, c] to `height` × `width`, or by `factor`, with bilinear or nearest interpolation.
 *
 * It multiplies by matrices of weights, so that its gradient is exact.
 */
export class HalfPixelResizing extends layers.Layer {
  static readonly className = 'HalfPixelResizing';
  private readonly size: readonly [number, number] | undefined;
  private readonly factor: readonly [number, number];
  private readonly interpolation: 'bilinear' | 'nearest';

  constructor(config: LayerConfig) {
    super(config);
    const given = typeof config.height === 'number' && typeof config.width === 'number';
    this.size = given ? [numberOf(config.height, 1), numberOf(config.width, 1)] : undefined;
    this.factor = pairOf(config.factor, 1);
    this.interpolation = config.interpolation === 'nearest' ? 'nearest' : 'bilinear';
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => {
      const x = single(inputs);
      const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
      const [tall, wide] = [this.outputSize(height, 0), this.outputSize(width, 1)];
      const rows = matMul(this.weights3d(height, tall), reshape(x, [batch, height, width * channels]));
      const both = matMul(this.weights3d(width, wide), reshape(rows, [batch * tall, width, channels]));
      return reshape(both, [batch, tall, wide, channels]);
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [batch = null, height = null, width = null, channels = null] = singleShape(inputShape);
    const [tall, wide] = [height, width].map((size, axis) => (size === null ? null : this.outputSize(size, axis)));
    return [batch, this.size?.[0] ?? tall ?? null, this.size?.[1] ?? wide ?? null, channels];
  }

  override getConfig(): serialization.ConfigDict {
    const size = this.size === undefined ? { factor: [...this.factor] } : { height: this.size[0], width: this.size[1] };
    return { ...super.getConfig(), ...size, interpolation: this.interpolation };
  }

  private outputSize(size: number, axis: number): number {
    return this.size?.[axis] ?? size * (this.factor[axis] ?? 1);
  }

  /** Weight of each old pixel for each new one, `[1, to, from]`. */
  private weights3d(from: number, to: number): Tensor3D {
    const values = new Float32Array(to * from);
    for (let i = 0; i < to; i++) {
      const centre = ((i + 0.5) * from) / to;
      if (this.interpolation === 'nearest') values[i * from + Math.min(Math.floor(centre), from - 1)] = 1;
      else mix(values.subarray(i * from, (i + 1) * from), centre - 0.5);
    }
    return tensor3d(values, [1, to, from]);
  }
}

/** Splits the weight 1 between the two pixels around a position. At the border the last pixel gets all of it. */
function mix(row: Float32Array, place: number): void {
  const inside = Math.min(Math.max(place, 0), row.length - 1);
  const low = Math.floor(inside);
  row[low] = 1 - (inside - low);
  if (low + 1 < row.length) row[low + 1] = inside - low;
}
