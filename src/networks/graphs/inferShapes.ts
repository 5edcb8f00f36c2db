// Infers output shapes from configurations, without building layers. Supports the layers of picture networks. Shapes
// after an unknown layer are unknown.
import type { LayerGraph } from '../../core/graphs.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Shape } from '../../core/types.ts';
import { inputShapeOf, layerOf } from './layerGraph.ts';

type Inference = (inputs: readonly Shape[], config: JsonObject) => Shape | undefined;

const same: Inference = ([shape]) => shape;

/** Removes all axes but the channels. */
const overPixels: Inference = ([shape]) => shape?.slice(-1);
const overPixelsKeepingAxes: Inference = ([shape]) => shape?.map((axis, i) => (i === shape.length - 1 ? axis : 1));

const convolution: Inference = ([shape], config) => slide(shape, config.kernel_size, config, numberOf(config.filters));
const depthwise: Inference = ([shape], config) => {
  const channels = shape?.at(-1);
  if (channels === undefined || channels === null) return undefined;
  return slide(shape, config.kernel_size, config, channels * (numberOf(config.depth_multiplier) ?? 1));
};
const pooling: Inference = ([shape], config) => {
  const strides = config.strides ?? config.pool_size ?? 2;
  return slide(shape, config.pool_size ?? 2, { ...config, strides, dilation_rate: 1 }, shape?.at(-1) ?? undefined);
};

const classes: Readonly<Record<string, Inference>> = {
  ...Object.fromEntries(
    [
      ...['Activation', 'ActivationOf', 'ReLU', 'LeakyReLU', 'PReLU', 'ELU', 'Softmax', 'ThresholdedReLU'],
      ...['BatchNormalization', 'LayerNormalization', 'GroupNormalization', 'Normalization', 'LayerScale', 'Rescaling'],
      ...['AddConstant', 'MultiplyConstant', 'CustomScaleLayer', 'StochasticDepth'],
      ...['Dropout', 'SpatialDropout1D', 'SpatialDropout2D', 'GaussianNoise', 'GaussianDropout'],
    ].map((className) => [className, same]),
  ),
  ...Object.fromEntries(
    ['Add', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Subtract'].map((className) => [className, broadcast]),
  ),
  Concatenate: concatenate,
  Conv1D: convolution,
  Conv2D: convolution,
  GroupedConv2D: convolution,
  SeparableConv2D: convolution,
  DepthwiseConv2D: depthwise,
  DilatedDepthwiseConv2D: depthwise,
  MaxPooling1D: pooling,
  MaxPooling2D: pooling,
  AveragePooling1D: pooling,
  AveragePooling2D: pooling,
  GlobalAveragePooling1D: overPixels,
  GlobalAveragePooling2D: overPixels,
  GlobalMaxPooling1D: overPixels,
  GlobalMaxPooling2D: overPixels,
  GlobalAveragePooling2DKeepDims: overPixelsKeepingAxes,
  GlobalMaxPooling2DKeepDims: overPixelsKeepingAxes,
  Dense: ([shape], config) => shape && [...shape.slice(0, -1), numberOf(config.units) ?? null],
  Attention: ([query, value]) => query && value && [...query.slice(0, -1), value.at(-1) ?? null],
  MultiHeadAttention: ([query], config) => {
    const [channels = query?.at(-1)] = numbers(config.output_shape, 1);
    return query && [...query.slice(0, -1), channels ?? null];
  },
  Bidirectional: ([shape], { layer, merge_mode: mode = 'concat' }) => {
    const inner = isJsonObject(layer) && isJsonObject(layer.config) ? recurrent([shape], layer.config) : undefined;
    const units = inner?.at(-1) ?? null;
    return inner && [...inner.slice(0, -1), mode === 'concat' && units !== null ? 2 * units : units];
  },
  ...Object.fromEntries(['GRU', 'GRUResetAfter', 'LSTM', 'SimpleRNN'].map((className) => [className, recurrent])),
  Flatten: ([shape]) => shape && [sizeOf(shape)],
  Reshape: reshape,
  ZeroPadding2D: ([shape], config) => resize(shape, sides(config.padding ?? 1), 1),
  Cropping2D: ([shape], config) => resize(shape, sides(config.cropping ?? 0), -1),
  UpSampling2D: ([shape], config) => {
    const [rows = 2, columns = 2] = numbers(config.size ?? 2, 2);
    return shape?.map((axis, i) => (axis === null || i > 1 ? axis : axis * (i === 0 ? rows : columns)));
  },
};

/**
 * Output shape of every call, without the batch axis. `undefined` for an unknown layer, for a layer with channels
 * first, and for a call with an input of unknown shape.
 */
export function inferShapes(graph: LayerGraph): (Shape | undefined)[] {
  const shapes: (Shape | undefined)[] = [];
  graph.calls.forEach((call, index) => {
    const { className, config } = layerOf(graph, index);
    const inputs = call.inputs.map((ref) => shapes[ref.call]);
    const known = inputs.every((shape) => shape !== undefined) && config.data_format !== 'channels_first';
    if (index === 0) shapes.push(inputShapeOf(graph));
    else shapes.push(known ? classes[className]?.(inputs, config) : undefined);
  });
  return shapes;
}

/** A number or a list of numbers, as a list of `count` numbers. */
export function numbers(value: Json | undefined, count: number): number[] {
  if (isJsonList(value)) return value.flatMap((each) => numberOf(each) ?? []);
  const single = numberOf(value);
  return single === undefined ? [] : Array.from({ length: count }, () => single);
}

/** The value if it is a number. */
export function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Shape of the states of a recurrent layer, or of its last state. */
function recurrent([shape]: readonly (Shape | undefined)[], config: JsonObject): Shape | undefined {
  if (shape === undefined || config.return_state === true) return undefined;
  const units = numberOf(config.units) ?? null;
  return config.return_sequences === true ? [shape[0] ?? null, units] : [units];
}

/** Applies a sliding window to all axes but the last. */
function slide(
  shape: Shape | undefined,
  kernel: Json | undefined,
  config: JsonObject,
  channels: number | undefined,
): Shape | undefined {
  if (shape === undefined || channels === undefined) return undefined;
  const spatial = shape.slice(0, -1);
  const kernels = numbers(kernel, spatial.length);
  const strides = numbers(config.strides ?? 1, spatial.length);
  const dilations = numbers(config.dilation_rate ?? 1, spatial.length);
  const sizes = spatial.map((axis, i) => {
    if (axis === null) return null;
    const stride = strides[i] ?? 1;
    if (config.padding === 'same') return Math.ceil(axis / stride);
    const reach = ((kernels[i] ?? 1) - 1) * (dilations[i] ?? 1) + 1;
    return Math.floor((axis - reach) / stride) + 1;
  });
  return [...sizes, channels];
}

/** The largest length of each axis, aligned at the last axis. A free axis stays free. */
function broadcast(inputs: readonly Shape[]): Shape {
  const rank = Math.max(...inputs.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const axes = inputs.map((shape) => (i - rank + shape.length < 0 ? 1 : (shape[i - rank + shape.length] ?? null)));
    const fixed = axes.find((axis) => axis !== null && axis !== 1);
    return fixed ?? (axes.includes(null) ? null : 1);
  });
}

function concatenate(inputs: readonly Shape[], config: JsonObject): Shape | undefined {
  const [first] = inputs;
  if (first === undefined) return undefined;
  const axis = numberOf(config.axis) ?? -1;
  // The axis in the configuration counts the batch axis.
  const at = axis < 0 ? axis + first.length : axis - 1;
  const lengths = inputs.map((shape) => shape[at] ?? null);
  const total = lengths.reduce((sum, length) => (sum === null || length === null ? null : sum + length), 0);
  return first.map((length, i) => (i === at ? total : length));
}

function reshape([shape]: readonly Shape[], config: JsonObject): Shape | undefined {
  const target = isJsonList(config.target_shape) ? config.target_shape.map((axis) => numberOf(axis) ?? -1) : undefined;
  if (shape === undefined || target === undefined) return undefined;
  const size = sizeOf(shape);
  const given = target.filter((axis) => axis >= 0).reduce((a, b) => a * b, 1);
  return target.map((axis) => (axis >= 0 ? axis : size === null ? null : size / given));
}

function sizeOf(shape: Shape): number | null {
  return shape.reduce((a, b) => (a === null || b === null ? null : a * b), 1);
}

/**
 * Pixels at both ends of height and width, as paddings and croppings have them: one number, or one or two for each
 * axis.
 */
export function sides(value: Json | undefined): [[number, number], [number, number]] {
  const axes = isJsonList(value) ? value : [value, value];
  const [[top = 0, bottom = 0] = [], [left = 0, right = 0] = []] = axes.map((axis) => numbers(axis, 2));
  return [
    [top, bottom],
    [left, right],
  ];
}

function resize(
  shape: Shape | undefined,
  [[top, bottom], [left, right]]: ReturnType<typeof sides>,
  sign: 1 | -1,
): Shape | undefined {
  const added = [top + bottom, left + right];
  return shape?.map((axis, i) => (axis === null ? null : axis + sign * (added[i] ?? 0)));
}
