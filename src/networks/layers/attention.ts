// Keras's Attention: each query is compared with the keys, and the values are averaged with these scores as weights.
import {
  add,
  expandDims,
  matMul,
  mul,
  softmax,
  sum,
  tanh,
  tidy,
  type serialization,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { initializers, layers, type LayerVariable, type Shape } from '@tensorflow/tfjs-layers';
import { shapeList, tensorList, type LayerConfig } from './layerConfig.ts';

/**
 * Inputs are a query [b, t, c], values [b, s, d] and optional keys [b, s, c] (default: the values). The output is [b,
 * t, d].
 *
 * `scoreMode` `'dot'` is Luong et al. 2015, https://arxiv.org/abs/1508.04025, `'concat'` Bahdanau et al. 2015,
 * https://arxiv.org/abs/1409.0473.
 */
export class Attention extends layers.Layer {
  static readonly className = 'Attention';
  private readonly useScale: boolean;
  private readonly isConcat: boolean;
  private readonly dropout: number;
  private scale: LayerVariable | undefined;
  private concatScoreWeight: LayerVariable | undefined;

  constructor(config: LayerConfig) {
    super(config);
    this.useScale = config.useScale === true;
    this.isConcat = config.scoreMode === 'concat';
    this.dropout = typeof config.dropout === 'number' ? config.dropout : 0;
  }

  override build(): void {
    const single = (name: string) => this.addWeight(name, [], 'float32', initializers.ones());
    if (this.useScale) this.scale = single('scale');
    if (this.isConcat) this.concatScoreWeight = single('concat_score_weight');
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => {
      const { query, value, key } = attentionInputs(tensorList(inputs), this.name);
      return matMul(softmax(this.scores(query, key)), value);
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const { query, value } = attentionInputs(shapeList(inputShape), this.name);
    return [...query.slice(0, -1), value.at(-1) ?? null];
  }

  override getConfig(): serialization.ConfigDict {
    const scoreMode = this.isConcat ? 'concat' : 'dot';
    return { ...super.getConfig(), useScale: this.useScale, scoreMode, dropout: this.dropout };
  }

  /** [b, t, s] */
  private scores(query: Tensor, key: Tensor): Tensor {
    const scale = this.scale?.read();
    const scaled = (x: Tensor) => (scale === undefined ? x : mul(x, scale));
    if (!this.isConcat) return scaled(matMul(query, key, false, true));
    const sums = add(expandDims(query, 2), expandDims(key, 1)); // [b, t, s, c]
    const total = sum(tanh(scaled(sums)), -1);
    const weight = this.concatScoreWeight?.read();
    return weight === undefined ? total : mul(total, weight);
  }
}

/** The inputs of an attention: query, values and keys. Keys default to the values. */
export interface AttentionInputs<Each> {
  readonly query: Each;
  readonly value: Each;
  readonly key: Each;
}

/** Assigns two or three inputs to query, values and keys. */
export function attentionInputs<Each>([query, value, key]: readonly Each[], layer: string): AttentionInputs<Each> {
  if (query === undefined || value === undefined) throw new RangeError(`${layer} reads a query and values`);
  return { query, value, key: key ?? value };
}
