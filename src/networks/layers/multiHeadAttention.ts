// Keras's MultiHeadAttention on sequences: several attentions in parallel, each with its own projections.
import {
  add,
  matMul,
  mul,
  reshape,
  softmax,
  tidy,
  transpose,
  type serialization,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { layers, type LayerVariable, type Shape } from '@tensorflow/tfjs-layers';
import { internalError } from '../../core/errors.ts';
import { attentionInputs } from './attention.ts';
import { numberOf, shapeList, tensorList, type LayerConfig } from './layerConfig.ts';
import { describedRules, rulesOf, type WeightRules } from './weightRules.ts';

/** A dense layer from channels to heads, or from heads to channels. */
interface Projection {
  readonly kernel: LayerVariable;
  readonly bias: LayerVariable | undefined;
}

interface Projections {
  readonly query: Projection;
  readonly key: Projection;
  readonly value: Projection;
  readonly output: Projection;
}

/**
 * Inputs are a query [b, t, c], values [b, s, d] and optional keys [b, s, e] (default: the values). The output is [b,
 * t, c]. Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.
 */
export class MultiHeadAttention extends layers.Layer {
  static readonly className = 'MultiHeadAttention';
  private readonly heads: number;
  private readonly keySize: number;
  private readonly valueSize: number;
  private readonly outputSize: number | undefined;
  private readonly dropout: number;
  private readonly kernelRules: WeightRules;
  private readonly biasRules: WeightRules | undefined;
  private projections: Projections | undefined;

  constructor(config: LayerConfig) {
    super(config);
    this.heads = numberOf(config.numHeads, 1);
    this.keySize = numberOf(config.keyDim, 1);
    this.valueSize = numberOf(config.valueDim, this.keySize);
    const shape: unknown = config.outputShape;
    const sizes: readonly unknown[] = Array.isArray(shape) ? shape : [shape];
    const [first] = sizes;
    this.outputSize = typeof first === 'number' ? first : undefined;
    this.dropout = numberOf(config.dropout, 0);
    this.kernelRules = rulesOf(config, 'kernel', 'GlorotUniform');
    this.biasRules = config.useBias === false ? undefined : rulesOf(config, 'bias', 'Zeros');
  }

  override build(inputShape: Shape | Shape[]): void {
    const { query, key, value } = attentionInputs(shapeList(inputShape), this.name);
    const { heads, keySize, valueSize } = this;
    const channels = this.outputSize ?? query.at(-1) ?? null;
    this.projections = {
      query: this.projection('query', [query.at(-1) ?? null, heads, keySize], [heads, keySize]),
      key: this.projection('key', [key.at(-1) ?? null, heads, keySize], [heads, keySize]),
      value: this.projection('value', [value.at(-1) ?? null, heads, valueSize], [heads, valueSize]),
      output: this.projection('attention_output', [heads, valueSize, channels], [channels]),
    };
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const { projections } = this;
    if (projections === undefined) throw internalError(`${this.name} is not built`);
    return tidy(() => {
      const { query, key, value } = attentionInputs(tensorList(inputs), this.name);
      // [b, heads, t, keySize]
      const queries = mul(this.toHeads(query, projections.query), 1 / Math.sqrt(this.keySize));
      const keys = this.toHeads(key, projections.key); // [b, heads, s, keySize]
      const values = this.toHeads(value, projections.value); // [b, heads, s, valueSize]
      const found = matMul(softmax(matMul(queries, keys, false, true)), values); // [b, heads, t, valueSize]
      return this.fromHeads(found, projections.output);
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const { query } = attentionInputs(shapeList(inputShape), this.name);
    return [...query.slice(0, -1), this.outputSize ?? query.at(-1) ?? null];
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      numHeads: this.heads,
      keyDim: this.keySize,
      valueDim: this.valueSize,
      outputShape: this.outputSize ?? null,
      dropout: this.dropout,
      useBias: this.biasRules !== undefined,
      ...describedRules('kernel', this.kernelRules),
      ...describedRules('bias', this.biasRules),
    };
  }

  private projection(name: string, kernel: Shape, bias: Shape): Projection {
    return {
      kernel: this.weight(`${name}/kernel`, kernel, this.kernelRules),
      bias: this.biasRules && this.weight(`${name}/bias`, bias, this.biasRules),
    };
  }

  private weight(name: string, shape: Shape, { initializer, regularizer, constraint }: WeightRules): LayerVariable {
    return this.addWeight(name, shape, 'float32', initializer, regularizer, true, constraint);
  }

  /** [b, t, c] → [b, heads, t, size] */
  private toHeads(x: Tensor, { kernel, bias }: Projection): Tensor {
    const [batch = 1, length = 1, channels = 1] = x.shape;
    const size = kernel.shape[2] ?? 1;
    const flat = matMul(reshape(x, [batch * length, channels]), reshape(kernel.read(), [channels, this.heads * size]));
    const all = bias === undefined ? flat : add(flat, reshape(bias.read(), [this.heads * size]));
    return transpose(reshape(all, [batch, length, this.heads, size]), [0, 2, 1, 3]);
  }

  /** [b, heads, t, size] → [b, t, c] */
  private fromHeads(x: Tensor, { kernel, bias }: Projection): Tensor {
    const [batch = 1, heads = 1, length = 1, size = 1] = x.shape;
    const channels = kernel.shape[2] ?? 1;
    const joined = reshape(transpose(x, [0, 2, 1, 3]), [batch * length, heads * size]);
    const flat = matMul(joined, reshape(kernel.read(), [heads * size, channels]));
    return reshape(bias === undefined ? flat : add(flat, bias.read()), [batch, length, channels]);
  }
}
