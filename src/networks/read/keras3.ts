// Rewrites the layers of a Keras topology for tfjs: the objects of Keras 3, and settings that tfjs would misread or
// ignore without a message.
import { classNameOf, isJsonList, isJsonObject, numericOf, type Json, type JsonObject } from '../../core/json.ts';
import { plainValue } from './keras3Values.ts';
import { isBeyondOne, isStridedAndDilated } from '../graphs/windowSettings.ts';

/** The writer of a topology. The meaning of some names depends on it. */
export type Origin = 'tfjs' | 'keras2' | 'keras3';

/** The writer of a topology: from its version, otherwise from the form of its layers and of their calls. */
export function originOf(topology: JsonObject): Origin {
  const version = topology.keras_version;
  if (typeof version === 'string')
    return version.startsWith('tfjs') ? 'tfjs' : /^[3-9]\./.test(version) ? 'keras3' : 'keras2';
  const container = isJsonObject(topology.model_config) ? topology.model_config : topology;
  return isOfKeras3(container) ? 'keras3' : 'keras2';
}

/** The module of a layer does not show the version: the last versions of Keras 2 write it too. */
function isOfKeras3(layer: JsonObject): boolean {
  const config = isJsonObject(layer.config) ? layer.config : {};
  if ('batch_shape' in config || isJsonObject(config.dtype)) return true;
  const nodes = isJsonList(layer.inbound_nodes) ? layer.inbound_nodes : [];
  const inner = isJsonList(config.layers) ? config.layers : [];
  return nodes.some(isJsonObject) || inner.some((each) => isJsonObject(each) && isOfKeras3(each));
}

/** Class and configuration of a layer. */
interface Description {
  readonly className: string;
  readonly config: JsonObject;
}

/**
 * A layer with class and configuration rewritten for tfjs. Other fields stay unchanged.
 *
 * @param origin - The meaning of `hard_sigmoid` and `Resizing` depends on it.
 */
export function plainLayer(layer: JsonObject, origin: Origin): JsonObject {
  // The name of a class that was registered with a package has that package's name as prefix.
  const className = classNameOf(layer.class_name).replace(/^.*>/, '');
  const config = plainConfig(isJsonObject(layer.config) ? layer.config : {}, origin);
  const rewrite = rewrites[className] ?? (origin === 'tfjs' ? undefined : kerasRewrites[className]);
  const plain = rewrite?.(config) ?? { className, config };
  return { ...layer, class_name: plain.className, config: plain.config };
}

function plainConfig(config: JsonObject, origin: Origin): JsonObject {
  const { batch_shape: shape, batchInputShape: converted, ...rest } = config;
  const entries = Object.entries(rest).map(([key, value]) => [key, plainEntry(key, value, origin)] as const);
  const inputShape = rest.batch_input_shape ?? shape ?? converted;
  return { ...Object.fromEntries(entries), ...(inputShape === undefined ? {} : { batch_input_shape: inputShape }) };
}

/** Rewrites the layers inside a wrapper (`TimeDistributed`, `Bidirectional`) or an activation. */
function plainEntry(key: string, value: Json, origin: Origin): Json {
  const holdsLayer = /^((backward_|forward_)?layer|activation)$/.test(key);
  if (!holdsLayer || !isJsonObject(value) || !isJsonObject(value.config)) {
    return plainValue(key, value, origin === 'keras3');
  }
  const { class_name: className = null, config = {} } = plainLayer(value, origin);
  return { class_name: className, config };
}

/** Layers with another name or setting in tfjs, by their Keras class. */
const rewrites: Readonly<Record<string, (config: JsonObject) => Description>> = {
  Attention: attentionOf,
  Bidirectional: ({ backward_layer: backward = null, ...config }) => {
    // tfjs derives the backward layer from the forward layer, and cannot do that for cells.
    const isMirrored = backward === null || isMirror(config.layer ?? null, backward);
    const hasCells = isJsonObject(config.layer) && isRnn(classNameOf(config.layer.class_name));
    return unless(config, 'Bidirectional', [...(isMirrored ? [] : ['backward_layer']), ...(hasCells ? ['RNN'] : [])]);
  },
  GlobalAveragePooling2D: (config) => globalPooling('GlobalAveragePooling2D', config),
  GlobalMaxPooling2D: (config) => globalPooling('GlobalMaxPooling2D', config),
  GRU: gruOf,
  Identity: ({ name = null, trainable = true }) => ({
    className: 'Activation',
    config: { name, trainable, dtype: 'float32', activation: 'linear' },
  }),
  LeakyReLU: ({ negative_slope: slope, ...config }) => ({
    className: 'LeakyReLU',
    config: slope === undefined ? config : { ...config, alpha: slope },
  }),
  MultiHeadAttention: multiHeadAttentionOf,
  ReLU: reluOf,
  // Dropout of whole channels, or of whole branches.
  SpatialDropout2D: ({ data_format: format, ...config }) => ({
    className: 'Dropout',
    config: { ...config, noise_shape: format === 'channels_first' ? [null, null, 1, 1] : [null, 1, 1, null] },
  }),
  StochasticDepth: ({ drop_path_rate: rate, ...config }) => ({
    className: 'Dropout',
    config: { ...config, rate: rate ?? 0, noise_shape: [null, 1, 1, 1] },
  }),
};

/** Layers with the same name but other settings in tfjs. */
const kerasRewrites: typeof rewrites = {
  Conv1D: (config) => unless(config, 'Conv1D', isGrouped(config) ? ['groups'] : []),
  Conv2D: (config) => {
    const isPlain = !isGrouped(config) && !isStridedAndDilated(config);
    return { className: isPlain ? 'Conv2D' : 'GroupedConv2D', config };
  },
  Conv2DTranspose: (config) =>
    unless(config, 'Conv2DTranspose', (config.output_padding ?? null) === null ? [] : ['output_padding']),
  Conv3D: (config) => unless(config, 'Conv3D', isGrouped(config) ? ['groups'] : []),
  DepthwiseConv2D: (config) => ({
    className: isBeyondOne(config.dilation_rate) ? 'DilatedDepthwiseConv2D' : 'DepthwiseConv2D',
    config,
  }),
  ELU: (config) => unless(config, 'ELU', numericOf(config.alpha ?? 1) === 1 ? [] : ['alpha']),
  Resizing: ({ interpolation = 'bilinear', ...config }) => {
    const isPlain = ['crop_to_aspect_ratio', 'pad_to_aspect_ratio', 'antialias'].every((key) => config[key] !== true);
    if (!isPlain || !resizings.has(interpolation))
      return { className: `Resizing(${JSON.stringify(interpolation)}, …)`, config };
    return { className: 'HalfPixelResizing', config: { ...config, interpolation } };
  },
  // Keras 2 writes settings that tfjs refuses.
  SeparableConv2D: ({
    kernel_initializer: _first,
    kernel_regularizer: _cost,
    kernel_constraint: _held,
    ...config
  }) => ({
    className: 'SeparableConv2D',
    config,
  }),
  RNN: (config) => unless(config, 'RNN', isPlainCell(config.cell) ? [] : ['cell']),
  TimeDistributed: (config) => {
    const inner = isJsonObject(config.layer) ? classNameOf(config.layer.class_name) : '';
    return unless(config, 'TimeDistributed', isNesting(inner) ? [inner] : []);
  },
  UpSampling2D: ({ interpolation = 'nearest', ...config }) => {
    if (interpolation === 'nearest') return { className: 'UpSampling2D', config: { ...config, interpolation } };
    if (!resizings.has(interpolation) || config.data_format === 'channels_first') {
      return { className: `UpSampling2D(${JSON.stringify(interpolation)})`, config };
    }
    return { className: 'HalfPixelResizing', config: { ...config, factor: config.size ?? 2, interpolation } };
  },
};

/** The class with its settings; with settings that tfjs lacks a class that does not exist, named after them. */
function unless(config: JsonObject, className: string, unknown: readonly string[]): Description {
  return { className: unknown.length === 0 ? className : `${className}(${unknown.join(', ')})`, config };
}

function isGrouped({ groups }: JsonObject): boolean {
  return numericOf(groups ?? 1) > 1;
}

/** Layers whose own parts tfjs would give names that no file has. */
function isNesting(className: string): boolean {
  return ['Bidirectional', 'Functional', 'Model', 'Sequential'].includes(className);
}

function isRnn(className: string): boolean {
  return /^RNN\b/.test(className);
}

/** Whether tfjs computes a cell as Keras does, and finds its weights. */
function isPlainCell(cell: Json | undefined): boolean {
  if (!isJsonObject(cell) || !isJsonObject(cell.config)) return false;
  const className = classNameOf(cell.class_name);
  return /^(GRU|LSTM|SimpleRNN)Cell$/.test(className) && cell.config.reset_after !== true;
}

const resizings: ReadonlySet<Json> = new Set(['bilinear', 'nearest']);

function globalPooling(className: string, { keepdims, ...config }: JsonObject): Description {
  return { className: keepdims === true ? `${className}KeepDims` : className, config };
}

/** tfjs's ReLU only supports a largest value. Other settings get a class name that does not exist. */
function reluOf({ negative_slope: slope = 0, threshold = 0, ...config }: JsonObject): Description {
  const largest = config.max_value ?? null;
  if (firstNumber(threshold) !== 0 || (firstNumber(slope) !== 0 && largest !== null)) {
    return { className: 'ReLU(negative_slope, threshold)', config: { ...config, negative_slope: slope, threshold } };
  }
  if (firstNumber(slope) === 0) {
    return { className: 'ReLU', config: { ...config, max_value: largest === null ? null : firstNumber(largest) } };
  }
  const { max_value: _max, ...rest } = config;
  return { className: 'LeakyReLU', config: { ...rest, alpha: firstNumber(slope) } };
}

/** Whether a recurrent layer is the reverse of another one, apart from names and initialisers. */
function isMirror(layer: Json, other: Json): boolean {
  if (!isJsonObject(layer) || !isJsonObject(other) || layer.class_name !== other.class_name) return false;
  const [own, mirrored] = [layer, other].map(({ config }) => (isJsonObject(config) ? config : {}));
  const settings = ({ name: _name, go_backwards: _way, seed: _seed, ...rest }: JsonObject = {}) =>
    JSON.stringify(Object.entries(rest).filter(([key]) => !key.endsWith('_initializer')));
  const turnsBack = (own?.go_backwards === true) !== (mirrored?.go_backwards === true);
  return turnsBack && settings(own) === settings(mirrored);
}

/** With `reset_after` (the default of Keras) the function differs from that of tfjs. */
function gruOf({ reset_after: resetAfter, ...config }: JsonObject): Description {
  if (resetAfter !== true) return { className: 'GRU', config };
  const unknown = ['stateful', 'return_state'].filter((key) => config[key] === true);
  return { className: unknown.length > 0 ? `GRU(${unknown.join(', ')})` : 'GRUResetAfter', config };
}

function attentionOf(config: JsonObject): Description {
  const { score_mode: mode = 'dot' } = config;
  const isKnown = mode === 'dot' || mode === 'concat';
  return { className: isKnown ? 'Attention' : `Attention(score_mode ${JSON.stringify(mode)})`, config };
}

/** Over the time steps of sequences, to a single channels axis. */
function multiHeadAttentionOf(config: JsonObject): Description {
  const { attention_axes: axes = null, output_shape: shape = null, use_gate: isGated } = config;
  const unknown = [
    ...(axes === null || [axes].flat().every((axis) => axis === 1) ? [] : ['attention_axes']),
    ...(isJsonList(shape) && shape.length > 1 ? ['output_shape'] : []),
    ...(isGated === true ? ['use_gate'] : []),
  ];
  const className = unknown.length > 0 ? `MultiHeadAttention(${unknown.join(', ')})` : 'MultiHeadAttention';
  return { className, config };
}

/** Older files write one number as a list with one element. */
function firstNumber(value: Json | undefined): number {
  const first = isJsonList(value) ? value[0] : value;
  return typeof first === 'number' ? first : 0;
}
