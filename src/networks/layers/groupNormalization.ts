// Keras's GroupNormalization: each group of channels of each example is normalised to mean 0 and variance 1.
import {
  add,
  mean,
  mul,
  reshape,
  rsqrt,
  square,
  sub,
  tidy,
  transpose,
  type serialization,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { layers, type LayerVariable, type Shape } from '@tensorflow/tfjs-layers';
import { numberOf, single, singleShape, type LayerConfig } from './layerConfig.ts';
import { describedRules, rulesOf, type WeightRules } from './weightRules.ts';

/** Wu and He 2018, https://arxiv.org/abs/1803.08494. With `groups: -1` each channel is a group. */
export class GroupNormalization extends layers.Layer {
  static readonly className = 'GroupNormalization';
  private readonly groups: number;
  private readonly axis: number;
  private readonly epsilon: number;
  private readonly gammaRules: WeightRules | undefined;
  private readonly betaRules: WeightRules | undefined;
  private gamma: LayerVariable | undefined;
  private beta: LayerVariable | undefined;

  constructor(config: LayerConfig) {
    super(config);
    this.groups = numberOf(config.groups, 32);
    this.axis = numberOf(config.axis, -1);
    this.epsilon = numberOf(config.epsilon, 1e-3);
    this.gammaRules = config.scale === false ? undefined : rulesOf(config, 'gamma', 'Ones');
    this.betaRules = config.center === false ? undefined : rulesOf(config, 'beta', 'Zeros');
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = singleShape(inputShape);
    const channels = shape[this.axisIn(shape.length)] ?? 0;
    const groups = this.groupsOf(channels);
    if (groups < 1 || channels % groups !== 0) {
      const found = `${String(channels)} channels in ${String(this.groups)} groups`;
      throw new RangeError(`${this.name}: expected groups to divide channels, got ${found}`);
    }
    this.gamma = this.weight('gamma', channels, this.gammaRules);
    this.beta = this.weight('beta', channels, this.betaRules);
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => {
      const x = single(inputs);
      const axis = this.axisIn(x.rank);
      const order = [...x.shape.keys()].filter((each) => each !== axis);
      const isLast = axis === x.rank - 1;
      const last = isLast ? x : transpose(x, [...order, axis]); // [b, …, c]
      const y = this.normalize(last);
      if (isLast) return y;
      return transpose(
        y,
        [...x.shape.keys()].map((each) => (each === axis ? x.rank - 1 : order.indexOf(each))),
      );
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return singleShape(inputShape);
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      groups: this.groups,
      axis: this.axis,
      epsilon: this.epsilon,
      scale: this.gammaRules !== undefined,
      center: this.betaRules !== undefined,
      ...describedRules('gamma', this.gammaRules),
      ...describedRules('beta', this.betaRules),
    };
  }

  private weight(name: string, channels: number, rules: WeightRules | undefined): LayerVariable | undefined {
    if (rules === undefined) return undefined;
    return this.addWeight(name, [channels], 'float32', rules.initializer, rules.regularizer, true, rules.constraint);
  }

  /** [b, …, c] */
  private normalize(x: Tensor): Tensor {
    const [batch = 1] = x.shape;
    const channels = x.shape[x.rank - 1] ?? 1;
    const groups = this.groupsOf(channels);
    const places = x.size / (batch * channels);
    const grouped = reshape(x, [batch, places, groups, channels / groups]);
    const centred = sub(grouped, mean(grouped, [1, 3], true));
    const variance = mean(square(centred), [1, 3], true);
    const normal = reshape(mul(centred, rsqrt(add(variance, this.epsilon))), x.shape);
    const [gamma, beta] = [this.gamma?.read(), this.beta?.read()];
    const scaled = gamma === undefined ? normal : mul(normal, gamma);
    return beta === undefined ? scaled : add(scaled, beta);
  }

  private axisIn(rank: number): number {
    return this.axis < 0 ? this.axis + rank : this.axis;
  }

  private groupsOf(channels: number): number {
    return this.groups === -1 ? channels : this.groups;
  }
}
