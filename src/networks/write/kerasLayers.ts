// Layers as Keras 3 describes them: the reverse of networks/read/keras3.
import type { LayerSpec } from '../../core/graphs.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { Shape } from '../../core/types.ts';
import { numberOf } from '../graphs/inferShapes.ts';
import { constantOf, plainConstant } from '../layers/layerConfig.ts';
import { kerasActivation, kerasInitializer, kerasObject, kerasRule } from './kerasValues.ts';

/** Class and settings of a layer in Keras, without its name. */
interface KerasForm {
  readonly className: string;
  /** Default: `keras.layers`. */
  readonly module?: string;
  readonly config: JsonObject;
}

/** Returns undefined for settings that Keras does not have. `input` is the shape of the layer's first input. */
type Rewrite = (config: JsonObject, input: Shape) => KerasForm | undefined;

const rules = (...kinds: readonly string[]) =>
  kinds.flatMap((kind) => ['initializer', 'regularizer', 'constraint'].map((rule) => `${kind}_${rule}`));

const sliding = ['strides', 'padding', 'data_format', 'dilation_rate'];
const answering = ['activation', 'use_bias', 'activity_regularizer'];
const convolution = ['filters', 'kernel_size', ...sliding, ...answering, ...rules('kernel', 'bias')];
const depthwise = [...['kernel_size', 'depth_multiplier', ...sliding, ...answering], ...rules('depthwise', 'bias')];
const affine = ['axis', 'epsilon', 'center', 'scale', ...rules('beta', 'gamma')];
const pooling = ['pool_size', 'strides', 'padding', 'data_format'];

/** Layers with the same name and the same settings. */
const plain: Readonly<Record<string, readonly string[]>> = {
  Activation: ['activation'],
  Add: [],
  Average: [],
  AveragePooling1D: pooling,
  AveragePooling2D: pooling,
  BatchNormalization: [...affine, 'momentum', 'moving_mean_initializer', 'moving_variance_initializer'],
  Concatenate: ['axis'],
  Conv1D: convolution,
  Conv2D: convolution,
  Conv2DTranspose: convolution,
  Cropping2D: ['cropping', 'data_format'],
  Dense: ['units', ...answering, ...rules('kernel', 'bias')],
  DepthwiseConv2D: depthwise,
  Dropout: ['rate', 'noise_shape'],
  ELU: ['alpha'],
  Flatten: ['data_format'],
  GaussianDropout: ['rate'],
  GaussianNoise: ['stddev'],
  GlobalAveragePooling1D: ['data_format'],
  GlobalAveragePooling2D: ['data_format'],
  GlobalMaxPooling1D: ['data_format'],
  GlobalMaxPooling2D: ['data_format'],
  GroupNormalization: ['groups', ...affine],
  LayerNormalization: affine,
  MaxPooling1D: pooling,
  MaxPooling2D: pooling,
  Maximum: [],
  Minimum: [],
  Multiply: [],
  PReLU: [...rules('alpha'), 'shared_axes'],
  Permute: ['dims'],
  ReLU: ['max_value'],
  RepeatVector: ['n'],
  Rescaling: ['scale', 'offset'],
  Reshape: ['target_shape'],
  SeparableConv2D: [
    ...['filters', 'kernel_size', 'depth_multiplier', ...sliding, ...answering],
    ...rules('depthwise', 'pointwise', 'bias'),
  ],
  Softmax: ['axis'],
  SpatialDropout1D: ['rate'],
  SpatialDropout2D: ['rate', 'data_format'],
  Subtract: [],
  ZeroPadding2D: ['padding', 'data_format'],
};

/** Layers with another name or other settings. */
const rewrites: Readonly<Record<string, Rewrite>> = {
  ActivationOf: ({ activation = 'linear' }) =>
    settled('Activation', { activation: activation === 'hard_sigmoid' ? 'hard_sigmoid_relu6' : activation }),
  AddConstant: ({ value = 0 }) => ({ className: 'Rescaling', config: { scale: 1, offset: value } }),
  CustomScaleLayer: ({ scale = 1 }) => ({
    className: 'CustomScaleLayer',
    module: 'keras.src.applications.inception_resnet_v2',
    config: { scale },
  }),
  DilatedDepthwiseConv2D: (config) => settled('DepthwiseConv2D', config),
  GlobalAveragePooling2DKeepDims: (config) => keepingAxes('GlobalAveragePooling2D', config),
  GlobalMaxPooling2DKeepDims: (config) => keepingAxes('GlobalMaxPooling2D', config),
  GroupedConv2D: ({ groups = 1, ...config }) => {
    const form = settled('Conv2D', config);
    return form && { ...form, config: { ...form.config, groups } };
  },
  HalfPixelResizing: ({ height, width, factor = 1, interpolation = 'bilinear' }) =>
    height === undefined || width === undefined
      ? { className: 'UpSampling2D', config: { size: factor, interpolation } }
      : { className: 'Resizing', config: { height, width, interpolation } },
  LayerScale: ({ init_values: initial = 1e-6, projection_dim: given }, input) => {
    const channels = numberOf(given) ?? input.at(-1);
    if (channels === undefined || channels === null) return undefined;
    const module = 'keras.src.applications.convnext';
    return { className: 'LayerScale', module, config: { init_values: initial, projection_dim: channels } };
  },
  LeakyReLU: ({ alpha = 0.3 }) => ({ className: 'LeakyReLU', config: { negative_slope: alpha } }),
  MultiplyConstant: ({ value = 1 }) => ({ className: 'Rescaling', config: { scale: value, offset: 0 } }),
  Normalization: ({ axis = -1, mean, variance, invert = false }) => {
    const moments = { mean: flatConstant(mean), variance: flatConstant(variance) };
    return { className: 'Normalization', config: withoutNone({ ...moments, invert }, { axis }) };
  },
  // tfjs's bilinear one aligns corners, which Keras does not.
  UpSampling2D: ({ size = 2, data_format: format, interpolation = 'nearest' }) =>
    interpolation === 'nearest'
      ? { className: 'UpSampling2D', config: withoutNone({ size, data_format: format, interpolation }) }
      : undefined,
};

/**
 * Describes a layer as Keras 3 does: module, class and configuration. Undefined if Keras has no such layer.
 *
 * @param input - Shape of its first input, with the batch axis.
 */
export function kerasLayer(
  { name, className, config }: LayerSpec,
  { input, trainable }: { readonly input: Shape; readonly trainable: boolean },
): JsonObject | undefined {
  const rewrite = Object.hasOwn(rewrites, className) ? rewrites[className] : undefined;
  const form = rewrite === undefined ? settled(className, config) : rewrite(config, input);
  if (form === undefined) return undefined;
  const common = { name, trainable, dtype: 'float32' };
  return kerasObject(form.module ?? 'keras.layers', form.className, { ...common, ...form.config });
}

/** A layer of the table `plain` with those of its settings that differ from nothing. */
function settled(className: string, config: JsonObject): KerasForm | undefined {
  const settings = Object.hasOwn(plain, className) ? plain[className] : undefined;
  if (settings === undefined) return undefined;
  if (settings.includes('activation') && kerasActivation(config.activation) === undefined) return undefined;
  const entries = settings.map((key) => [key, kerasSetting(key, config[key])] as const);
  return { className, config: withoutNone(Object.fromEntries(entries)) };
}

function kerasSetting(key: string, value: Json | undefined): Json | undefined {
  if (key === 'activation') return kerasActivation(value);
  if (key.endsWith('_initializer')) return kerasInitializer(value);
  if (key.endsWith('_regularizer')) return kerasRule('regularizers', value);
  if (key.endsWith('_constraint')) return kerasRule('constraints', value);
  return value;
}

function keepingAxes(className: string, { data_format: format }: JsonObject): KerasForm {
  return { className, config: withoutNone({ data_format: format, keepdims: true }) };
}

/** Settings without those that are missing or null: Keras takes its default. */
function withoutNone(settings: Readonly<Record<string, Json | undefined>>, kept: JsonObject = {}): JsonObject {
  const entries = Object.entries(settings).flatMap(([key, value]) =>
    value === undefined || value === null ? [] : [[key, value] as const],
  );
  return { ...Object.fromEntries(entries), ...kept };
}

/** A mean or a variance without the axes of length 1 that Keras 2 adds. */
function flatConstant(value: Json | undefined): Json | undefined {
  const constant = constantOf(value);
  return constant === undefined ? undefined : plainConstant(constant);
}
