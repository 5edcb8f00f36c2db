// Converts whole models of Keras 1 to those of Keras 2, with the rules of its own converters
// (keras/legacy/interfaces.py, and preprocess_weights_for_loading) as tables. Layers that Keras 2 cannot convert are
// refused by name.
import { TransferKitError } from '../../core/errors.ts';
import {
  classNameOf,
  isJsonList,
  isJsonObject,
  numericOf,
  textOf,
  type Json,
  type JsonObject,
} from '../../core/json.ts';
import { convertedMerge, type Merged } from './keras1Merge.ts';
import { kernelsOfKeras1, type KernelLayout } from './keras1Kernels.ts';
import type { KerasFile } from './kerasFile.ts';

/** Classes that were renamed. */
const renamedClasses: Readonly<Record<string, string>> = {
  AtrousConvolution1D: 'Conv1D',
  AtrousConvolution2D: 'Conv2D',
  Convolution1D: 'Conv1D',
  Convolution2D: 'Conv2D',
  Convolution3D: 'Conv3D',
  Deconvolution2D: 'Conv2DTranspose',
  SeparableConvolution2D: 'SeparableConv2D',
};

/** Classes that kept their names. */
const keptClasses: ReadonlySet<string> = new Set([
  ...['InputLayer', 'Dense', 'Embedding', 'TimeDistributed', 'BatchNormalization'],
  ...['Activation', 'LeakyReLU', 'PReLU', 'ELU', 'ThresholdedReLU'],
  ...['Dropout', 'SpatialDropout1D', 'SpatialDropout2D', 'GaussianNoise', 'GaussianDropout'],
  ...['Flatten', 'Reshape', 'Permute', 'RepeatVector', 'Masking', 'ZeroPadding2D', 'Cropping2D', 'UpSampling2D'],
  ...['Max', 'Average'].flatMap((kind) => ['1D', '2D', '3D'].map((axes) => `${kind}Pooling${axes}`)),
  ...['Max', 'Average'].flatMap((kind) => ['1D', '2D'].map((axes) => `Global${kind}Pooling${axes}`)),
]);

/** Classes that exist only in Keras 1. */
const goneClasses = /^(Merge|MaxoutDense|Highway|TimeDistributedDense|SReLU|ParametricSoftplus)$/;

const renamedOptions: Readonly<Record<string, string>> = {
  atrous_rate: 'dilation_rate',
  bias: 'use_bias',
  border_mode: 'padding',
  dim_ordering: 'data_format',
  filter_length: 'kernel_size',
  nb_filter: 'filters',
  p: 'rate',
  pool_length: 'pool_size',
  sigma: 'stddev',
  stride: 'strides',
  subsample: 'strides',
  subsample_length: 'strides',
};

/** Options that become a part of another option. */
const kernelAxes = ['nb_row', 'nb_col', 'kernel_dim1', 'kernel_dim2', 'kernel_dim3'];

/** Initialisers, penalties and constraints of weights: the file has the weights, and training ignores the others. */
const dropped =
  /(_regularizer|_constraint)$|^(init|inner_init|weights|mode|output_shape|input_dim|input_length|input_dtype)$/;

/** Deeper nested models are not checked. */
const mostLevels = 20;

/**
 * Converts a whole model of Keras 1 to one of Keras 2; returns any other file unchanged.
 *
 * @throws TransferKitError `UNSUPPORTED_SOURCE`, naming the layer, when Keras 2 has no equivalent.
 */
export function withoutKeras1(file: KerasFile): KerasFile {
  const { topology, source } = file;
  if (!isJsonObject(topology) || !isOld(topology, 0)) return file;
  const layouts = new Map<string, KernelLayout>();
  const converted = convertedLayer(topology, { source, layouts, depth: 0 });
  return { ...file, topology: converted, layers: kernelsOfKeras1(file.layers, layouts) };
}

/** Whether a layer, or one inside it, has a class or an option that exists only in Keras 1. */
function isOld({ class_name: name, config }: JsonObject, depth: number): boolean {
  const className = classNameOf(name);
  if (className in renamedClasses || goneClasses.test(className)) return true;
  const inner = depth < mostLevels ? layersIn(config) : [];
  if (inner.some((layer) => isOld(layer, depth + 1))) return true;
  return keptClasses.has(className) && isJsonObject(config) && Object.keys(config).some(isOldOption(className));
}

function isOldOption(className: string): (option: string) => boolean {
  return (option) =>
    Object.hasOwn(renamedOptions, option) ||
    (className === 'Dense' && option === 'output_dim') ||
    (className === 'BatchNormalization' && option === 'mode');
}

/** The layers of a model; Keras 1 writes those of a Sequential as a plain list. A wrapper has one layer. */
function layersIn(config: Json | undefined): JsonObject[] {
  if (isJsonList(config)) return config.filter(isJsonObject);
  if (!isJsonObject(config)) return [];
  const { layers, layer } = config;
  return (isJsonList(layers) ? layers : [layer]).filter(isJsonObject);
}

interface Conversion {
  readonly source: string;
  /** Layout of the kernels of layers that need another one, by name of the layer. */
  readonly layouts: Map<string, KernelLayout>;
  readonly depth: number;
}

function convertedLayer(layer: JsonObject, conversion: Conversion): JsonObject {
  const { class_name: name, config = {} } = layer;
  const className = classNameOf(name);
  if (className === 'Sequential' || className === 'Model') return convertedModel(layer, conversion);
  if (!isJsonObject(config)) throw refused(layer, conversion, 'without a configuration');
  if (className === 'Merge') return { ...layer, ...convertedMerge(config, (what) => refused(layer, conversion, what)) };
  const { class_name, config: converted } = convertedPlain(className, config, layer, conversion);
  return { ...layer, class_name, config: converted };
}

function convertedModel(model: JsonObject, conversion: Conversion): JsonObject {
  const { config } = model;
  if (conversion.depth >= mostLevels) throw refused(model, conversion, 'so deep in other models');
  const inner = { ...conversion, depth: conversion.depth + 1 };
  const layers = layersIn(config).map((layer, i) => {
    const converted = convertedLayer(layer, inner);
    // A Sequential inside a Sequential has no name.
    return isJsonList(layer.config) && layer.name === undefined
      ? { ...converted, name: `nested_${String(i)}` }
      : converted;
  });
  return { ...model, config: isJsonObject(config) ? { ...config, layers } : layers };
}

function convertedPlain(className: string, config: JsonObject, layer: JsonObject, conversion: Conversion): Merged {
  const refuse = (what: string) => refused(layer, conversion, what);
  const renamed = renamedClasses[className];
  if (renamed === undefined && !keptClasses.has(className)) throw refuse('that Keras 2 has no converter for');
  if (config.dim_ordering === 'th') {
    throw refuse("with dim_ordering 'th', channels first, whose kernels would have to be flipped and turned");
  }
  if (config.border_mode !== undefined && config.border_mode !== 'valid' && config.border_mode !== 'same') {
    throw refuse(`with border_mode ${JSON.stringify(config.border_mode)}`);
  }
  if (className === 'BatchNormalization' && (config.mode ?? 0) !== 0) {
    throw refuse(`with mode ${JSON.stringify(config.mode)}, which Keras 2 does not have`);
  }
  if (className === 'Deconvolution2D' && !isPlainSize(config))
    throw refuse('with an output_shape that Keras 2 does not give');
  const ownName = nameOf(config.name);
  if (renamed === 'Conv1D') conversion.layouts.set(ownName, 'series');
  if (renamed === 'Conv2DTranspose') conversion.layouts.set(ownName, 'transposed');
  return { class_name: renamed ?? className, config: convertedOptions(className, config, conversion) };
}

function convertedOptions(className: string, config: JsonObject, conversion: Conversion): JsonObject {
  const isEmbedding = className === 'Embedding';
  const entries = Object.entries(config).flatMap(([option, value]): [string, Json][] => {
    if (isEmbedding && /^(input_dim|input_length)$/.test(option)) return [[option, value]];
    if (className === 'InputLayer' && option === 'input_dtype') return [['dtype', value]];
    if (dropped.test(option) || kernelAxes.includes(option) || (isEmbedding && option === 'dropout')) return [];
    if (option === 'dim_ordering') return [['data_format', 'channels_last']];
    if (option === 'output_dim' && !isEmbedding) return [['units', value]];
    if (option === 'padding') return [[option, paddingOf(value)]];
    if (option === 'layer' && isJsonObject(value)) return [[option, convertedLayer(value, conversion)]];
    return [[Object.hasOwn(renamedOptions, option) ? (renamedOptions[option] ?? option) : option, value]];
  });
  const axes = kernelAxes.flatMap((option) => config[option] ?? []);
  return { ...Object.fromEntries(entries), ...(axes.length > 0 && { kernel_size: axes }) };
}

/** `[rows, columns]`, `[top, bottom, left, right]` or an object of these four. */
function paddingOf(value: Json): Json {
  const sides = isJsonObject(value)
    ? ['top_pad', 'bottom_pad', 'left_pad', 'right_pad'].map((side) => value[side] ?? 0)
    : value;
  if (!isJsonList(sides)) return value;
  const [first = 0, second = 0, third, fourth] = sides;
  if (third !== undefined && fourth !== undefined)
    return [
      [first, second],
      [third, fourth],
    ];
  return [
    [first, first],
    [second, second],
  ];
}

/**
 * Keras 1 stores the output's size, because several sizes are possible; Keras 2 computes the largest size without a
 * remainder.
 */
function isPlainSize(config: JsonObject): boolean {
  const { output_shape: shape, border_mode: mode, subsample } = config;
  const sizes = isJsonList(shape) ? shape.slice(1, 3) : [];
  const strides = isJsonList(subsample) ? subsample : [];
  return sizes.every((size, i) => {
    const kernel = numericOf(i === 0 ? config.nb_row : config.nb_col);
    const stride = numericOf(strides[i] ?? 1);
    return size === null || (numericOf(size) - (mode === 'valid' ? Math.max(0, kernel - stride) : 0)) % stride === 0;
  });
}

/** A name in the file; empty where it is not text. */
function nameOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function refused(layer: JsonObject, { source }: Conversion, what: string): TransferKitError {
  const name = layer.name ?? (isJsonObject(layer.config) ? layer.config.name : undefined) ?? '';
  const found = `${textOf(layer.class_name)} '${typeof name === 'string' ? name : ''}'`.slice(0, 100);
  const text =
    `expected a model in ${source} that can be read, got one of Keras 1 with the layer ${found} ${what.slice(0, 200)}. ` +
    'Load it in Python with the Keras that made it, and build the network anew in Keras 2 or later.';
  return new TransferKitError('UNSUPPORTED_SOURCE', text, { source, layer: found });
}
