// A layer for the activations that tfjs lacks or computes by another formula.
import { tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { layers, type Shape } from '@tensorflow/tfjs-layers';
import { activationNamed, snakeCase } from './kerasActivations.ts';
import { single, singleShape, type LayerConfig } from './layerConfig.ts';

/** An activation as a layer, by its name in Keras 3. */
export class ActivationOf extends layers.Layer {
  static readonly className = 'ActivationOf';
  private readonly activation: string;
  private readonly compute: (x: Tensor) => Tensor;

  constructor(config: LayerConfig) {
    super(config);
    this.activation = snakeCase(typeof config.activation === 'string' ? config.activation : 'linear');
    // Names of this layer are always those of Keras 3.
    this.compute = activationNamed(this.activation === 'hard_sigmoid' ? 'hard_sigmoid_relu6' : this.activation);
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => this.compute(single(inputs)));
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return singleShape(inputShape);
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), activation: this.activation };
  }
}
