// Keras's layer Normalization: subtracts a mean and divides by a standard deviation, both saved with the model.
import {
  add,
  div,
  maximum,
  mul,
  reshape,
  sqrt,
  sub,
  tensor,
  tidy,
  type serialization,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { initializers, layers, type LayerVariable, type Shape } from '@tensorflow/tfjs-layers';
import { constantOf, plainConstant, single, singleShape, type Constant, type LayerConfig } from './layerConfig.ts';
import type { Initializer } from './serialized.ts';

/** Keras's `backend.epsilon()`. */
const smallest = 1e-7;

interface Moments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/**
 * `(x - mean) / max(sqrt(variance), 1e-7)`, or its inverse with `invert`.
 *
 * Mean and variance are in the configuration, or are weights that do not train. In the second case there is also a
 * weight `count`, as in Keras's files.
 */
export class Normalization extends layers.Layer {
  static readonly className = 'Normalization';
  private readonly axis: number | readonly number[] | null;
  private readonly fixed: { readonly mean: Constant; readonly variance: Constant } | undefined;
  private readonly invert: boolean;
  private kept: { readonly mean: LayerVariable; readonly variance: LayerVariable } | undefined;

  constructor(config: LayerConfig) {
    super(config);
    this.axis = axisOf(config.axis);
    const mean = constantOf(config.mean);
    const variance = constantOf(config.variance);
    this.fixed = mean === undefined || variance === undefined ? undefined : { mean, variance };
    this.invert = config.invert === true;
  }

  override build(inputShape: Shape | Shape[]): void {
    if (this.fixed === undefined) {
      const shape = singleShape(inputShape);
      const sizes = this.axes(shape.length).map((axis) => shape[axis] ?? null);
      const weight = (name: string, start: Initializer) =>
        this.addWeight(name, sizes, 'float32', start, undefined, false);
      this.kept = { mean: weight('mean', initializers.zeros()), variance: weight('variance', initializers.ones()) };
      this.addWeight('count', [], 'int32', initializers.zeros(), undefined, false);
    }
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => {
      const x = single(inputs);
      const { mean, variance } = this.moments(x);
      const deviation = maximum(sqrt(variance), smallest);
      return this.invert ? add(mul(x, deviation), mean) : div(sub(x, mean), deviation);
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return singleShape(inputShape);
  }

  override getConfig(): serialization.ConfigDict {
    const axis = typeof this.axis === 'number' || this.axis === null ? this.axis : [...this.axis];
    // Flattened, because Keras adds axes of length 1 in some places.
    const fixed = this.fixed && {
      mean: plainConstant(this.fixed.mean),
      variance: plainConstant(this.fixed.variance),
    };
    return { ...super.getConfig(), axis, invert: this.invert, ...fixed };
  }

  /** Mean and variance, reshaped to broadcast over x. */
  private moments(x: Tensor): Moments {
    const axes = new Set(this.axes(x.rank));
    const shape = x.shape.map((size, axis) => (axes.has(axis) ? size : 1));
    const aligned = (values: Tensor) => (values.size === 1 ? reshape(values, []) : reshape(values, shape));
    if (this.kept !== undefined) {
      return { mean: aligned(this.kept.mean.read()), variance: aligned(this.kept.variance.read()) };
    }
    const constant = (value: Constant) => aligned(tensor(plainConstant(value), undefined, 'float32'));
    const { mean = 0, variance = 1 } = this.fixed ?? {};
    return { mean: constant(mean), variance: constant(variance) };
  }

  /** The axes that have separate means, counted from 0. */
  private axes(rank: number): number[] {
    const listed = this.axis === null ? [] : typeof this.axis === 'number' ? [this.axis] : [...this.axis];
    return listed.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  }
}

function axisOf(axis: unknown): number | readonly number[] | null {
  if (axis === null || typeof axis === 'number') return axis;
  return Array.isArray(axis) ? axis.filter((each) => typeof each === 'number') : -1;
}
