// Layers that scale or shift their input, by a learned value per channel or by constants.
import { add, mul, tensor, tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, layers, type LayerVariable, type Shape } from '@tensorflow/tfjs-layers';
import { internalError } from '../../core/errors.ts';
import {
  constantOf,
  constantShape,
  numberOf,
  plainConstant,
  single,
  singleShape,
  type Constant,
  type LayerConfig,
} from './layerConfig.ts';

/** `x * gamma`, with one learned value for each channel. Touvron et al. 2021, https://arxiv.org/abs/2103.17239. */
export class LayerScale extends layers.Layer {
  static readonly className = 'LayerScale';
  private readonly initial: number;
  private readonly channels: number | undefined;
  private gamma: LayerVariable | undefined;

  constructor(config: LayerConfig) {
    super(config);
    this.initial = numberOf(config.initValues, 1e-6);
    this.channels = typeof config.projectionDim === 'number' ? config.projectionDim : undefined;
  }

  override build(inputShape: Shape | Shape[]): void {
    const channels = this.channels ?? singleShape(inputShape).at(-1) ?? null;
    const start = initializers.constant({ value: this.initial });
    this.gamma = this.addWeight('gamma', [channels], 'float32', start);
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => mul(single(inputs), this.gamma?.read() ?? this.initial));
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return singleShape(inputShape);
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), initValues: this.initial, projectionDim: this.channels ?? null };
  }
}

/** `first + second * scale`, for two tensors of the same shape: the residual sum of InceptionResNetV2. */
export class CustomScaleLayer extends layers.Layer {
  static readonly className = 'CustomScaleLayer';
  private readonly scale: number;

  constructor(config: LayerConfig) {
    super(config);
    this.scale = numberOf(config.scale, 1);
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const [shortcut, residual] = Array.isArray(inputs) ? inputs : [inputs];
    if (shortcut === undefined || residual === undefined) throw internalError(`${this.name} reads two tensors`);
    return tidy(() => add(shortcut, mul(residual, this.scale)));
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return singleShape(inputShape);
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), scale: this.scale };
  }
}

/** A layer with a constant: a number, or lists of numbers that broadcast. */
abstract class WithConstant extends layers.Layer {
  private readonly value: Constant;

  constructor(config: LayerConfig) {
    super(config);
    const value = constantOf(config.value);
    if (value === undefined) throw internalError(`${this.name} has no constant 'value'`);
    this.value = value;
  }

  /** Combines the input with the constant. */
  protected abstract combine(x: Tensor, value: Tensor | number): Tensor;

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => this.combine(single(inputs), this.constant()));
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const shape = singleShape(inputShape);
    const own = constantShape(this.value);
    const rank = Math.max(shape.length, own.length);
    return Array.from({ length: rank }, (_, axis) => {
      const size = shape[axis - rank + shape.length];
      const other = own[axis - rank + own.length] ?? 1;
      return size === undefined || (other !== 1 && size === 1) ? other : size;
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), value: nested(this.value) };
  }

  private constant(): Tensor | number {
    if (typeof this.value === 'number') return this.value;
    return tensor(plainConstant(this.value), constantShape(this.value), 'float32');
  }
}

/** `x + value`. */
export class AddConstant extends WithConstant {
  static readonly className = 'AddConstant';

  /** Adds the constant. */
  protected combine(x: Tensor, value: Tensor | number): Tensor {
    return add(x, value);
  }
}

/** `x * value`. */
export class MultiplyConstant extends WithConstant {
  static readonly className = 'MultiplyConstant';

  /** Multiplies by the constant. */
  protected combine(x: Tensor, value: Tensor | number): Tensor {
    return mul(x, value);
  }
}

function nested(value: Constant): serialization.ConfigDictValue {
  return typeof value === 'number' ? value : value.map(nested);
}
