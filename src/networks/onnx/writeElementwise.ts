// Operations on single values as ONNX: activations, arithmetic with broadcasting, BatchNorm.
import type { Shape } from '../../core/types.ts';
import { normEpsilon, textIn } from '../graphs/nodeGraph.ts';
import { channelsFirst, constantAt, floats, inputAt, numberOf, type NodeSite, type WriteNode } from './nodeSite.ts';
import { broadcast } from './broadcast.ts';
import { Refusal, type ChannelOrder, type OnnxValue } from './onnxDraft.ts';
import type { OnnxAttributes } from './onnxModel.ts';

/** Operations of one input that ONNX has too. */
const single: Readonly<Record<string, string>> = {
  Abs: 'Abs',
  Ceil: 'Ceil',
  Cos: 'Cos',
  Elu: 'Elu',
  Erf: 'Erf',
  Exp: 'Exp',
  Floor: 'Floor',
  Log: 'Log',
  Neg: 'Neg',
  Reciprocal: 'Reciprocal',
  Relu: 'Relu',
  Selu: 'Selu',
  Sigmoid: 'Sigmoid',
  Sign: 'Sign',
  Sin: 'Sin',
  Softplus: 'Softplus',
  Softsign: 'Softsign',
  Sqrt: 'Sqrt',
  Tanh: 'Tanh',
};

/** Operations of two inputs. */
const double: Readonly<Record<string, string>> = {
  Add: 'Add',
  AddV2: 'Add',
  BiasAdd: 'Add',
  BiasAddV1: 'Add',
  Div: 'Div',
  Maximum: 'Max',
  Minimum: 'Min',
  Mul: 'Mul',
  Pow: 'Pow',
  Prelu: 'PRelu',
  RealDiv: 'Div',
  Sub: 'Sub',
};

/** By the operation of the node. */
export const elementwiseWriters: Readonly<Record<string, WriteNode>> = {
  ...Object.fromEntries(Object.entries(single).map(([op, own]) => [op, (site: NodeSite) => apply(site, own)])),
  ...Object.fromEntries(Object.entries(double).map(([op, own]) => [op, (site: NodeSite) => combine(site, own)])),
  AddN: addAll,
  ClipByValue: (site) => clip(site, numberAt(site, 1), numberAt(site, 2)),
  FusedBatchNorm: writeBatchNorm,
  FusedBatchNormV2: writeBatchNorm,
  FusedBatchNormV3: writeBatchNorm,
  Identity: (site) => {
    const x = inputAt(site, 0);
    if (x.constant !== undefined || x.sizes !== undefined) return x;
    return { ...x, name: site.draft.add('Identity', site.node.name, [site.draft.readAny(x, x.order)]) };
  },
  LeakyRelu: (site) => apply(site, 'LeakyRelu', { alpha: { float: numberOf(site.node, 'alpha', 0.2) } }),
  LogSoftmax: (site) => alongChannels(site, 'LogSoftmax'),
  Relu6: (site) => clip(site, 0, 6),
  Rsqrt: (site) => {
    const root = apply(site, 'Sqrt', {}, `${site.node.name}/root`);
    return { ...root, name: site.draft.add('Reciprocal', site.node.name, [root.name]) };
  },
  Softmax: (site) => alongChannels(site, 'Softmax'),
  Square: (site) => {
    const x = site.draft.read(inputAt(site, 0), inputAt(site, 0).order);
    return { ...plain(inputAt(site, 0)), name: site.draft.add('Mul', site.node.name, [x, x]) };
  },
  SquaredDifference: (site) => {
    const difference = combine(site, 'Sub', `${site.node.name}/difference`);
    return { ...difference, name: site.draft.add('Mul', site.node.name, [difference.name, difference.name]) };
  },
};

/** Adds the activation of a fused node to a value and returns the name of the result. */
export function activate({ draft, node }: NodeSite, activation: string, x: string, slope: number): string {
  const name = `${node.name}/${activation}`;
  if (activation === 'Relu6') {
    return draft.add('Clip', name, [x, draft.number(`${name}/low`, 0), draft.number(`${name}/high`, 6)]);
  }
  if (activation === 'LeakyRelu') return draft.add('LeakyRelu', name, [x], { alpha: { float: slope } });
  const op = single[activation];
  if (op === undefined) throw new Refusal(`it is fused with '${activation}'`);
  return draft.add(op, name, [x]);
}

/** An operation on each value. The order of the axes stays. */
function apply(site: NodeSite, op: string, attributes: OnnxAttributes = {}, name = site.node.name): OnnxValue {
  const x = inputAt(site, 0);
  return { ...plain(x), name: site.draft.add(op, name, [site.draft.read(x, x.order)], attributes) };
}

/** A computed value is no constant. */
function plain({ shape, order, dtype }: OnnxValue): Omit<OnnxValue, 'name'> {
  return { shape, order, dtype };
}

function clip(site: NodeSite, low: number, high: number): OnnxValue {
  const { draft, node } = site;
  const x = inputAt(site, 0);
  const inputs = [
    draft.read(x, x.order),
    draft.number(`${node.name}/low`, low),
    draft.number(`${node.name}/high`, high),
  ];
  return { ...plain(x), name: draft.add('Clip', node.name, inputs) };
}

function numberAt(site: NodeSite, place: number): number {
  const [value] = constantAt(site, place).values;
  if (value === undefined) throw new Refusal(`input ${String(place)} is empty`);
  return value;
}

/** An operation on pairs of values with NumPy's broadcasting. Pictures keep their channels second if one has them so. */
function combine(site: NodeSite, op: string, name = site.node.name): OnnxValue {
  const operands = [inputAt(site, 0), inputAt(site, 1)];
  const shape = broadcast(operands.map((operand) => operand.shape));
  const order = commonOrder(operands, shape);
  const inputs = operands.map((operand) => site.draft.read(order === 'second' ? asPicture(operand) : operand, order));
  return floats(site.draft.add(op, name, inputs), shape, order);
}

function addAll(site: NodeSite): OnnxValue {
  const shape = broadcast(site.inputs.map((input) => input.shape));
  const order = commonOrder(site.inputs, shape);
  const inputs = site.inputs.map((input) => site.draft.read(input, order));
  return floats(site.draft.add('Sum', site.node.name, inputs), shape, order);
}

/** Channels are second if they are in an operand, and every other one is a picture, a constant or a single number. */
function commonOrder(operands: readonly OnnxValue[], shape: Shape): ChannelOrder {
  if (shape.length !== 4 || !operands.some(({ order }) => order === 'second')) return 'last';
  return operands.every(({ shape: { length }, constant }) => length === 4 || length === 0 || constant !== undefined)
    ? 'second'
    : 'last';
}

/** A constant with axes of length 1 in front, so that it has four. */
function asPicture(operand: OnnxValue): OnnxValue {
  const { constant, shape } = operand;
  if (constant === undefined || shape.length === 4 || shape.length === 0) return operand;
  const axes = [...Array.from({ length: 4 - shape.length }, () => 1), ...constant.shape];
  return { ...operand, name: `${operand.name}/of_pictures`, shape: axes, constant: { ...constant, shape: axes } };
}

/** Softmax over the last axis of the nodes. */
function alongChannels(site: NodeSite, op: string): OnnxValue {
  const x = inputAt(site, 0);
  const axis = x.order === 'second' ? 1 : x.shape.length - 1;
  return apply(site, op, { axis: { int: axis } });
}

/** A BatchNorm with stored statistics: one factor and one summand a channel. */
function writeBatchNorm(site: NodeSite): OnnxValue {
  const x = inputAt(site, 0);
  if (x.shape.length !== 4 && x.shape.length !== 2) throw new Refusal(`its input has ${String(x.shape.length)} axes`);
  if (textIn(site.node, 'data_format') === 'NCHW') throw new Refusal(channelsFirst);
  const parameters = [1, 2, 3, 4].map((place) => site.draft.read(inputAt(site, place)));
  const epsilon = { float: normEpsilon(site.node) };
  const y = site.draft.add('BatchNormalization', site.node.name, [site.draft.read(x, 'second'), ...parameters], {
    epsilon,
  });
  return floats(y, x.shape, 'second');
}
