// Draws initial values of weights with the initialisers of Keras, from one seed and the weight's name.
import type { LayerSpec } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import { classNameOf, isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { deriveSeed, randomGenerator } from '../../core/random.ts';
import { sizeOf } from '../../core/shapes.ts';
import { orthogonalRows } from './orthogonal.ts';

/** Fills `values` for a weight of the given shape. */
type Fill = (values: Float32Array, shape: readonly number[], config: JsonObject, random: () => number) => void;

/** Standard deviation of a standard normal distribution that is truncated at two standard deviations. */
const cutDeviation = 0.87962566103423978;

// Names and defaults as in keras.initializers, also in snake_case, which old configurations use.
const fills: Readonly<Record<string, Fill>> = {
  zeros: () => undefined,
  ones: (values) => values.fill(1),
  constant: (values, _, config) => values.fill(numberOf(config.value, 0)),
  random_normal: (values, _, config, random) => {
    fillNormal(values, random, numberOf(config.mean, 0), numberOf(config.stddev, 0.05), Infinity);
  },
  truncated_normal: (values, _, config, random) => {
    fillNormal(values, random, numberOf(config.mean, 0), numberOf(config.stddev, 0.05), 2);
  },
  random_uniform: (values, _, config, random) => {
    fillUniform(values, random, numberOf(config.minval, -0.05), numberOf(config.maxval, 0.05));
  },
  variance_scaling: (values, shape, config, random) => {
    const mode = typeof config.mode === 'string' ? config.mode : 'fan_in';
    const distribution = typeof config.distribution === 'string' ? config.distribution : 'truncated_normal';
    fillScaled(values, shape, random, { scale: numberOf(config.scale, 1), mode, distribution });
  },
  glorot_uniform: scaled(1, 'fan_avg', 'uniform'),
  glorot_normal: scaled(1, 'fan_avg', 'truncated_normal'),
  he_uniform: scaled(2, 'fan_in', 'uniform'),
  he_normal: scaled(2, 'fan_in', 'truncated_normal'),
  lecun_uniform: scaled(1, 'fan_in', 'uniform'),
  lecun_normal: scaled(1, 'fan_in', 'truncated_normal'),
  identity: (values, shape, config) => {
    const [, columns = 1] = shape;
    for (let i = 0; i < values.length; i += columns + 1) values[i] = numberOf(config.gain, 1);
  },
  orthogonal: (values, shape, config, random) => {
    const columns = shape.at(-1) ?? 1;
    const normal = new Float32Array(values.length);
    fillNormal(normal, random, 0, 1, Infinity);
    values.set(orthogonalRows(normal, values.length / columns, columns, numberOf(config.gain, 1)));
  },
};

/** Default initialisers for weights without one in the configuration, by the last part of the weight's name. */
const usual: Readonly<Record<string, string>> = {
  kernel: 'glorot_uniform',
  depthwise_kernel: 'glorot_uniform',
  pointwise_kernel: 'glorot_uniform',
  recurrent_kernel: 'orthogonal',
  embeddings: 'random_uniform',
  gamma: 'ones',
  variance: 'ones',
  moving_variance: 'ones',
};

/**
 * Draws the initial values of a weight with its layer's initialiser: GlorotUniform, HeNormal, VarianceScaling and the
 * others of `keras.initializers`. The fans are those of `compute_fans` in Keras. For a depthwise kernel [h, w, in,
 * multiplier] too, the last two axes times the window size count as input and output.
 *
 * @param layer - With its Keras configuration.
 * @param name - Name of the weight (`layer/weight`). Together with `seed` it determines every value.
 * @returns As many values as the shape has.
 * @throws TransferKitError `UNSUPPORTED_LAYER` for an initialiser that Keras does not have.
 * @see Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward neural networks; He et al.
 * (2015), Delving deep into rectifiers; Saxe et al. (2014), Exact solutions to the nonlinear dynamics of learning.
 */
export function initialValues(layer: LayerSpec, name: string, shape: readonly number[], seed: number): Float32Array {
  const weight = name.slice(name.lastIndexOf('/') + 1);
  const { kind, config } = initialiserOf(layer, weight);
  const fill = Object.hasOwn(fills, kind) ? fills[kind] : undefined;
  if (fill === undefined) throw unknown(layer, kind);
  const values = new Float32Array(sizeOf(shape));
  fill(values, shape, config, randomGenerator(deriveSeed(seed, ...new TextEncoder().encode(name))));
  if (weight === 'bias' && layer.className.endsWith('LSTM') && layer.config.unit_forget_bias !== false) {
    values.fill(1, values.length / 4, values.length / 2); // gates i, f, c, o
  }
  return values;
}

function initialiserOf(layer: LayerSpec, weight: string): { kind: string; config: JsonObject } {
  if (layer.className === 'LayerScale') return { kind: 'constant', config: { value: layer.config.init_values ?? 1 } };
  const keys = [weight, weight.replace(/_kernel$/, ''), ...(weight === 'kernel' ? ['depthwise'] : [])];
  const found = keys.map((key) => settingOf(layer.config, `${key}_initializer`)).find((value) => value !== undefined);
  if (typeof found === 'string') return { kind: snakeCase(found), config: {} };
  if (isJsonObject(found)) {
    return { kind: snakeCase(classNameOf(found.class_name)), config: isJsonObject(found.config) ? found.config : {} };
  }
  return { kind: usual[weight] ?? 'zeros', config: {} };
}

/** A setting of a layer, or of the layer that it wraps. */
function settingOf(config: JsonObject, key: string): Json | undefined {
  const own = config[key] ?? undefined;
  if (own !== undefined) return own;
  const wrapped = isJsonObject(config.layer) ? config.layer.config : undefined;
  return isJsonObject(wrapped) ? settingOf(wrapped, key) : undefined;
}

function snakeCase(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
}

function scaled(scale: number, mode: string, distribution: string): Fill {
  return (values, shape, _, random) => {
    fillScaled(values, shape, random, { scale, mode, distribution });
  };
}

function fillScaled(
  values: Float32Array,
  shape: readonly number[],
  random: () => number,
  { scale, mode, distribution }: { scale: number; mode: string; distribution: string },
): void {
  const { fanIn, fanOut } = fansOf(shape);
  const fan = mode === 'fan_in' ? fanIn : mode === 'fan_out' ? fanOut : (fanIn + fanOut) / 2;
  const variance = scale / Math.max(1, fan);
  if (distribution === 'uniform') {
    const limit = Math.sqrt(3 * variance);
    fillUniform(values, random, -limit, limit);
  } else if (distribution === 'untruncated_normal') {
    fillNormal(values, random, 0, Math.sqrt(variance), Infinity);
  } else {
    fillNormal(values, random, 0, Math.sqrt(variance) / cutDeviation, 2);
  }
}

/** Fan-in and fan-out, as `compute_fans` of Keras counts them. */
function fansOf(shape: readonly number[]): { fanIn: number; fanOut: number } {
  const last = shape.at(-1) ?? 1;
  if (shape.length < 2) return { fanIn: last, fanOut: last };
  const receptiveField = sizeOf(shape.slice(0, -2));
  return { fanIn: (shape.at(-2) ?? 1) * receptiveField, fanOut: last * receptiveField };
}

function fillUniform(values: Float32Array, random: () => number, low: number, high: number): void {
  for (let i = 0; i < values.length; i++) values[i] = low + (high - low) * random();
}

/** Normal values by Marsaglia's polar method. Values beyond `cut` standard deviations are drawn again. */
function fillNormal(values: Float32Array, random: () => number, mean: number, deviation: number, cut: number): void {
  let i = 0;
  while (i < values.length) {
    const x = 2 * random() - 1;
    const y = 2 * random() - 1;
    const square = x * x + y * y;
    if (square >= 1 || square === 0) continue;
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    if (Math.abs(x * factor) <= cut) values[i++] = mean + deviation * x * factor;
    // A write after the end of a typed array is ignored.
    if (Math.abs(y * factor) <= cut) values[i++] = mean + deviation * y * factor;
  }
}

function numberOf(value: Json | undefined, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}

function unknown(layer: LayerSpec, kind: string): TransferKitError {
  return new TransferKitError(
    'UNSUPPORTED_LAYER',
    `expected an initialiser of Keras for layer '${layer.name}' (${layer.className}), got '${kind}'. Known: ` +
      `${Object.keys(fills).join(', ')}. Load weights for this layer, or change its initialiser.`,
    { layer: layer.name, className: layer.className, initialiser: kind },
  );
}
