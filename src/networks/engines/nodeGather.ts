// Finds 1×1 convolutions whose input is put together from other values: a concatenation with scale, shift and relu, as in
// DenseNet.
import type { NodeSpec } from '../../core/graphs.ts';
import { attribute, fusedOps, nodeOf, numbersIn, outputOf } from '../graphs/nodeGraph.ts';
import type { Searched } from './nodePattern.ts';

/** References to what such a convolution reads, and its settings. */
export interface FoundGather {
  readonly pieces: readonly string[];
  /** One value for each channel of all pieces. */
  readonly scale: string;
  readonly shift: string;
  readonly filter: string;
  readonly bias: string | undefined;
  /** The activation after scale and shift, and that of the convolution. */
  readonly before: string;
  readonly activation: string;
}

const activations: Readonly<Record<string, string>> = { Relu: 'relu', Relu6: 'relu6' };

/** Finds what a 1×1 convolution reads. */
export function gatherAt(graph: Searched, kernel: NodeSpec): FoundGather | undefined {
  const [x = '', filter = '', bias] = kernel.inputs;
  const scaling = onlyRead(graph, x);
  const activation = activationAfterBias(kernel);
  if (scaling === undefined || activation === undefined || !isOnePixel(graph, kernel, 'conv')) return undefined;
  const [joined = '', scale = '', shift] = scaling.inputs;
  const before = activationAfterBias(scaling);
  if (shift === undefined || before === undefined || !isOnePixel(graph, scaling, 'depthwise')) return undefined;
  return { pieces: piecesAlong(graph, joined, channelAxes), scale, shift, filter, bias, before, activation };
}

/** The node of a reference if nothing else reads it. */
function onlyRead({ byName, outputs, readers }: Searched, reference: string): NodeSpec | undefined {
  const node = outputOf(reference) === 0 ? byName.get(reference) : undefined;
  return node === undefined || outputs.has(node.name) || readers.get(node.name)?.size !== 1 ? undefined : node;
}

/** The last of four axes. */
const channelAxes: readonly number[] = [3, -1];

/** The values that a concatenation along one of some axes consists of, or the value itself. */
function piecesAlong(graph: Searched, reference: string, axes: readonly number[]): string[] {
  const node = graph.byName.get(nodeOf(reference));
  const axis = node && outputOf(reference) === 0 ? axisOfConcat(graph, node) : undefined;
  if (node === undefined || axis === undefined || !axes.includes(axis)) return [reference];
  return node.inputs.slice(0, -1).flatMap((piece) => piecesAlong(graph, piece, axes));
}

/** The values that a concatenation of concatenations along the same axis consists of. */
export function piecesOfConcat(graph: Searched, node: NodeSpec): string[] {
  const axis = axisOfConcat(graph, node);
  return axis === undefined ? [] : piecesAlong(graph, node.name, [axis]);
}

function axisOfConcat({ constant }: Searched, { op, inputs }: NodeSpec): number | undefined {
  const axis = op === 'ConcatV2' ? constant(inputs.at(-1)) : undefined;
  return axis?.size === 1 ? axis.dataSync()[0] : undefined;
}

/** 'linear', 'relu' or 'relu6'; undefined for anything else. */
function activationAfterBias(node: NodeSpec): string | undefined {
  const [bias = 'BiasAdd', activation, ...more] = fusedOps(node);
  if (bias !== 'BiasAdd' || more.length > 0) return undefined;
  return activation === undefined ? 'linear' : activations[activation];
}

const operations = {
  conv: ['Conv2D', '_FusedConv2D'],
  depthwise: ['DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative'],
};

/** Whether a node is a convolution of single pixels, with one filter for each channel if depthwise. */
function isOnePixel({ constant }: Searched, node: NodeSpec, kind: keyof typeof operations): boolean {
  const filter = constant(node.inputs[1]);
  const [height, width, , last] = filter?.shape ?? [];
  const isPlain = kind === 'conv' || last === 1;
  if (!operations[kind].includes(node.op) || filter?.dtype !== 'float32') return false;
  if (node.inputs[2] !== undefined && constant(node.inputs[2])?.rank !== 1) return false;
  return height === 1 && width === 1 && isPlain && stridesByOne(node);
}

function stridesByOne(node: NodeSpec): boolean {
  const { s: format = btoa('NHWC') } = attribute(node, 'data_format');
  const { s: padding } = attribute(node, 'padding');
  const isPadded = padding !== btoa('SAME') && padding !== btoa('VALID');
  return numbersIn(node, 'strides').every((stride) => stride === 1) && format === btoa('NHWC') && !isPadded;
}
