// Rewrites operations in a topology that look like layers (`x + 3`, `tf.nn.relu6(x)`) as layers.
import type { TensorRef } from '../../core/graphs.ts';
import { classNameOf, isJsonList, isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Argument } from './inboundNodes.ts';

/** A layer that does a part of an operation. */
export interface Step {
  readonly className: string;
  readonly config: JsonObject;
  /** `'last'` is the output of the previous step. */
  readonly inputs: readonly (TensorRef | 'last')[];
}

type Arithmetic = 'add' | 'multiply' | 'subtract' | 'divide';

/** Operations by their Keras 3 class, or by the TensorFlow function of a Keras 2 layer. */
const arithmetic: Readonly<Record<string, Arithmetic>> = {
  Add: 'add',
  AddV2: 'add',
  BiasAdd: 'add',
  Mul: 'multiply',
  Multiply: 'multiply',
  RealDiv: 'divide',
  Sub: 'subtract',
  Subtract: 'subtract',
  Divide: 'divide',
  TrueDivide: 'divide',
  '__operators__.add': 'add',
  'math.add': 'add',
  'nn.bias_add': 'add',
  'math.multiply': 'multiply',
  'math.subtract': 'subtract',
  'math.divide': 'divide',
  'math.truediv': 'divide',
};

const activations: Readonly<Record<string, string>> = {
  Celu: 'celu',
  Elu: 'elu',
  Exp: 'exponential',
  Gelu: 'gelu',
  HardSigmoid: 'hard_sigmoid_relu6',
  HardSilu: 'hard_silu',
  HardSwish: 'hard_silu',
  HardTanh: 'hard_tanh',
  LeakyRelu: 'leaky_relu',
  LogSigmoid: 'log_sigmoid',
  LogSoftmax: 'log_softmax',
  Relu: 'relu',
  Relu6: 'relu6',
  Selu: 'selu',
  Sigmoid: 'sigmoid',
  Silu: 'swish',
  Softplus: 'softplus',
  Softsign: 'softsign',
  Tanh: 'tanh',
  'math.exp': 'exponential',
  'math.sigmoid': 'sigmoid',
  'math.softplus': 'softplus',
  'math.tanh': 'tanh',
  'nn.elu': 'elu',
  'nn.gelu': 'gelu',
  'nn.relu': 'relu',
  'nn.relu6': 'relu6',
  'nn.selu': 'selu',
  'nn.sigmoid': 'sigmoid',
  'nn.silu': 'swish',
  'nn.softplus': 'softplus',
  'nn.swish': 'swish',
  'nn.tanh': 'tanh',
};

/**
 * The layers that compute an operation. Undefined for a layer that is no operation, and for an operation that no layers
 * compute.
 */
export function operationSteps(
  className: string,
  config: JsonObject,
  given: readonly Argument<TensorRef>[],
  kwargs: JsonObject,
): Step[] | undefined {
  const operation = operationOf(className, config);
  if (operation === undefined) return undefined;
  const args = withConstants(given, config.constants);
  const kind = arithmetic[operation];
  if (kind !== undefined) return arithmeticSteps(kind, args);
  const [first] = args;
  if (args.length !== 1 || first === undefined || !('tensor' in first)) return undefined;
  const options = { ...config, ...kwargs };
  const activation = activationFor(operation, options);
  if (activation !== undefined) return [{ className: 'Activation', config: { activation }, inputs: [first.tensor] }];
  return operation === 'Mean' || operation === 'math.reduce_mean' ? poolingSteps(first.tensor, options) : undefined;
}

function operationOf(className: string, config: JsonObject): string | undefined {
  if (className === 'TFOpLambda') return classNameOf(config.function ?? config.name).replace(/^tf\./, '');
  // The first versions of Keras 2 save the operation's TensorFlow node.
  if (className === 'TensorFlowOpLayer')
    return isJsonObject(config.node_def) ? classNameOf(config.node_def.op) : undefined;
  return className in arithmetic || className in activations || className === 'Mean' ? className : undefined;
}

/** Constants in a configuration, by their position among the arguments. */
function withConstants(args: readonly Argument<TensorRef>[], constants: Json | undefined): Argument<TensorRef>[] {
  const all = [...args];
  const placed = isJsonObject(constants) ? Object.entries(constants) : [];
  for (const [place, constant] of placed) all.splice(Number(place), 0, { constant });
  return all;
}

function activationFor(operation: string, { approximate, alpha, negative_slope }: JsonObject): string | undefined {
  const name = activations[operation];
  if (name === 'gelu') {
    // Keras's operation approximates by default, TensorFlow's does not.
    const isApproximate = approximate ?? operation === 'Gelu';
    return isApproximate === true ? 'gelu_tanh' : 'gelu';
  }
  const isUsual = (value: Json | undefined, usual: number) => value === undefined || value === usual;
  const slope = name === 'leaky_relu' ? 0.2 : 1;
  return isUsual(alpha, slope) && isUsual(negative_slope, slope) ? name : undefined;
}

function arithmeticSteps(kind: Arithmetic, args: readonly Argument<TensorRef>[]): Step[] | undefined {
  const [first, second] = args;
  if (first === undefined || second === undefined) return undefined;
  const tensors = args.flatMap((each) => ('tensor' in each ? [each.tensor] : []));
  if (tensors.length === args.length) return onTensors(kind, tensors);
  if (args.length !== 2) return undefined;
  if ('tensor' in first && 'constant' in second) return tensorWithConstant(kind, first.tensor, second.constant);
  if ('constant' in first && 'tensor' in second) return constantWithTensor(kind, first.constant, second.tensor);
  return undefined;
}

function onTensors(kind: Arithmetic, tensors: readonly TensorRef[]): Step[] | undefined {
  if (kind === 'add' || kind === 'multiply') {
    return [{ className: kind === 'add' ? 'Add' : 'Multiply', config: {}, inputs: tensors }];
  }
  const [first, second] = tensors;
  if (kind === 'divide' || first === undefined || second === undefined) return undefined;
  return [constantStep('MultiplyConstant', second, -1), { className: 'Add', config: {}, inputs: [first, 'last'] }];
}

function tensorWithConstant(kind: Arithmetic, x: TensorRef, value: Json): Step[] | undefined {
  const operand = kind === 'subtract' ? mapNumbers(value, (v) => -v) : value;
  const changed = kind === 'divide' ? mapNumbers(value, (v) => 1 / v) : operand;
  if (!isConstant(changed)) return undefined;
  return [constantStep(kind === 'add' || kind === 'subtract' ? 'AddConstant' : 'MultiplyConstant', x, changed)];
}

function constantWithTensor(kind: Arithmetic, value: Json, x: TensorRef): Step[] | undefined {
  if (kind === 'divide' || !isConstant(value)) return undefined;
  if (kind !== 'subtract') return tensorWithConstant(kind, x, value);
  return [constantStep('MultiplyConstant', x, -1), constantStep('AddConstant', 'last', value)];
}

function constantStep(className: string, input: TensorRef | 'last', value: Json): Step {
  return { className, config: { value }, inputs: [input] };
}

/** The mean over height and width is a global pooling. */
function poolingSteps(x: TensorRef, { axis, keepdims }: JsonObject): Step[] | undefined {
  if (!isJsonList(axis) || axis.length !== 2 || !axis.includes(1) || !axis.includes(2)) return undefined;
  const className = keepdims === true ? 'GlobalAveragePooling2DKeepDims' : 'GlobalAveragePooling2D';
  return [{ className, config: { data_format: 'channels_last' }, inputs: [x] }];
}

function mapNumbers(value: Json, change: (value: number) => number): Json {
  if (typeof value === 'number') return change(value);
  return isJsonList(value) ? value.map((each) => mapNumbers(each, change)) : value;
}

function isConstant(value: Json): boolean {
  return isJsonList(value) ? value.length > 0 && value.every(isConstant) : typeof value === 'number';
}
