// Keras's default GRU: the reset gate is applied after the recurrent product. tfjs's own GRU applies it before.
import {
  add,
  matMul,
  mul,
  reshape,
  slice,
  stack,
  sub,
  tidy,
  unstack,
  zeros,
  type serialization,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { layers, type LayerVariable, type Shape } from '@tensorflow/tfjs-layers';
import { internalError } from '../../core/errors.ts';
import { activationNamed, snakeCase } from './kerasActivations.ts';
import { numberOf, single, singleShape, type LayerConfig } from './layerConfig.ts';
import { describedRules, rulesOf, type WeightRules } from './weightRules.ts';

/**
 * The input is [b, t, c]. The output is the last state [b, units], or all states [b, t, units]. Cho et al. 2014,
 * https://arxiv.org/abs/1406.1078, in the variant of the paper's first version (v1), which CuDNN uses.
 */
export class GRUResetAfter extends layers.Layer {
  static readonly className = 'GRUResetAfter';
  /** Members that Bidirectional needs of the layer that it wraps. */
  readonly returnSequences: boolean;
  readonly returnState = false;
  readonly goBackwards: boolean;
  private readonly units: number;
  private readonly activation: string;
  private readonly recurrentActivation: string;
  private readonly activate: (x: Tensor) => Tensor;
  private readonly open: (x: Tensor) => Tensor;
  private readonly kernelRules: WeightRules;
  private readonly recurrentRules: WeightRules;
  private readonly biasRules: WeightRules | undefined;
  private kernel: LayerVariable | undefined;
  private recurrentKernel: LayerVariable | undefined;
  private bias: LayerVariable | undefined;

  constructor(config: LayerConfig) {
    super(config);
    this.units = numberOf(config.units, 1);
    this.returnSequences = config.returnSequences === true;
    this.goBackwards = config.goBackwards === true;
    this.activation = nameOf(config.activation, 'tanh');
    this.recurrentActivation = nameOf(config.recurrentActivation, 'sigmoid');
    this.activate = activationNamed(this.activation);
    this.open = activationNamed(this.recurrentActivation);
    this.kernelRules = rulesOf(config, 'kernel', 'GlorotUniform');
    this.recurrentRules = rulesOf(config, 'recurrent', 'Orthogonal');
    this.biasRules = config.useBias === false ? undefined : rulesOf(config, 'bias', 'Zeros');
  }

  override build(inputShape: Shape | Shape[]): void {
    const channels = singleShape(inputShape).at(-1) ?? null;
    this.kernel = this.weight('kernel', [channels, 3 * this.units], this.kernelRules);
    this.recurrentKernel = this.weight('recurrent_kernel', [this.units, 3 * this.units], this.recurrentRules);
    if (this.biasRules !== undefined) this.bias = this.weight('bias', [2, 3 * this.units], this.biasRules);
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => {
      const x = single(inputs);
      const [batch = 1] = x.shape;
      const steps = unstack(this.projected(x), 1); // [b, 3 * units] each
      const states: Tensor[] = [];
      let state: Tensor = zeros([batch, this.units]);
      // A copy, because the tape of tfjs keeps the list.
      for (const step of this.goBackwards ? [...steps].reverse() : steps) {
        state = this.next(step, state);
        states.push(state);
      }
      return this.returnSequences ? stack(states, 1) : state;
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [batch = null, length = null] = singleShape(inputShape);
    return this.returnSequences ? [batch, length, this.units] : [batch, this.units];
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      units: this.units,
      activation: this.activation,
      recurrentActivation: this.recurrentActivation,
      useBias: this.biasRules !== undefined,
      returnSequences: this.returnSequences,
      goBackwards: this.goBackwards,
      resetAfter: true,
      ...describedRules('kernel', this.kernelRules),
      ...describedRules('recurrent', this.recurrentRules),
      ...describedRules('bias', this.biasRules),
    };
  }

  private weight(name: string, shape: Shape, { initializer, regularizer, constraint }: WeightRules): LayerVariable {
    return this.addWeight(name, shape, 'float32', initializer, regularizer, true, constraint);
  }

  /** Input part of the gates for all steps: [b, t, c] → [b, t, 3 * units]. */
  private projected(x: Tensor): Tensor {
    const [batch = 1, length = 1, channels = 1] = x.shape;
    const product = matMul(reshape(x, [batch * length, channels]), read(this.kernel, this.name));
    return reshape(this.biased(product, 0), [batch, length, 3 * this.units]);
  }

  /** The state after a step. Update gate, reset gate and candidate are concatenated. */
  private next(step: Tensor, state: Tensor): Tensor {
    const inner = this.biased(matMul(state, read(this.recurrentKernel, this.name)), 1);
    const part = (from: Tensor, gate: number) => slice(from, [0, gate * this.units], [from.shape[0], this.units]);
    const update = this.open(add(part(step, 0), part(inner, 0)));
    const reset = this.open(add(part(step, 1), part(inner, 1)));
    const candidate = this.activate(add(part(step, 2), mul(reset, part(inner, 2))));
    return add(mul(update, state), mul(sub(1, update), candidate));
  }

  /** Adds one of the two biases, [3 * units] each. */
  private biased(x: Tensor, row: 0 | 1): Tensor {
    const bias = this.bias?.read();
    return bias === undefined ? x : add(x, slice(bias, [row, 0], [1, 3 * this.units]));
  }
}

function nameOf(activation: unknown, otherwise: string): string {
  return snakeCase(typeof activation === 'string' ? activation : otherwise);
}

function read(weight: LayerVariable | undefined, layer: string): Tensor {
  if (weight === undefined) throw internalError(`${layer} is not built`);
  return weight.read();
}
