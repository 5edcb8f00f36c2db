// Products with weights as ONNX: convolutions, depthwise convolutions and matrix products, with bias and activation.
import type { NodeSpec } from '../../core/graphs.ts';
import { attribute, fusedOps } from '../graphs/nodeGraph.ts';
import { activate } from './writeElementwise.ts';
import { broadcast } from './broadcast.ts';
import { constantAt, flagOf, floats, inputAt, numberOf, type NodeSite, type WriteNode } from './nodeSite.ts';
import { Refusal, transposed, type OnnxValue } from './onnxDraft.ts';
import { windowOf } from './windows.ts';

/** By the operation of the node. */
export const productWriters: Readonly<Record<string, WriteNode>> = {
  Conv2D: writeConvolution,
  _FusedConv2D: writeConvolution,
  DepthwiseConv2d: writeDepthwise,
  DepthwiseConv2dNative: writeDepthwise,
  FusedDepthwiseConv2dNative: writeDepthwise,
  MatMul: writeMatMul,
  _FusedMatMul: writeMatMul,
  BatchMatMul: writeBatchMatMul,
  BatchMatMulV2: writeBatchMatMul,
};

function writeConvolution(site: NodeSite): OnnxValue {
  const x = pictures(site);
  const filter = constantAt(site, 1);
  const [height = 1, width = 1, channels = 1, results = 1] = filter.shape;
  const { attributes, size, isPointwise } = windowOf(site.node, x.shape, [height, width]);
  if (isPointwise && x.order === 'last' && channels === x.shape[3]) return writePointwise(site, x, filter.values);
  const group = (x.shape[3] ?? channels) / channels;
  if (!Number.isInteger(group)) throw new Refusal('its filter does not fit its input');
  const weights = writeWeights(site, transposed(filter, [3, 2, 0, 1]), [results, channels, height, width]);
  const inputs = [site.draft.read(x, 'second'), weights, ...biasOf(site)];
  const all = group === 1 ? attributes : { ...attributes, group: { int: group } };
  return finish(site, site.draft.add('Conv', site.node.name, inputs, all), (name) =>
    floats(name, [x.shape[0] ?? null, ...size, results], 'second'),
  );
}

/** A convolution with one pixel of pictures whose channels are last: a matrix product of the pixels. */
function writePointwise(site: NodeSite, x: OnnxValue, values: ArrayBufferView): OnnxValue {
  const { shape } = constantAt(site, 1);
  const [channels = 1, results = 1] = shape.slice(2);
  const { draft, node } = site;
  const weights = writeWeights(site, values, [channels, results]);
  const product = draft.add('MatMul', `${node.name}/product`, [draft.read(x), weights]);
  const [bias] = biasOf(site);
  const y = bias === undefined ? product : draft.add('Add', node.name, [product, bias]);
  return finish(site, y, (name) => floats(name, [...x.shape.slice(0, 3), results], 'last'));
}

function writeDepthwise(site: NodeSite): OnnxValue {
  const x = pictures(site);
  const filter = constantAt(site, 1);
  const [height = 1, width = 1, channels = 1, each = 1] = filter.shape;
  const { attributes, size } = windowOf(site.node, x.shape, [height, width]);
  const weights = writeWeights(site, transposed(filter, [2, 3, 0, 1]), [channels * each, 1, height, width]);
  const inputs = [site.draft.read(x, 'second'), weights, ...biasOf(site)];
  const y = site.draft.add('Conv', site.node.name, inputs, { ...attributes, group: { int: channels } });
  return finish(site, y, (name) => floats(name, [x.shape[0] ?? null, ...size, channels * each], 'second'));
}

function writeMatMul(site: NodeSite): OnnxValue {
  const { draft, node } = site;
  const [a, b] = [inputAt(site, 0), inputAt(site, 1)];
  if (a.shape.length !== 2 || b.shape.length !== 2) throw new Refusal('its factors are no matrices');
  const [ofA, ofB] = [flagOf(node, 'transpose_a'), flagOf(node, 'transpose_b')];
  const attributes = { transA: { int: Number(ofA) }, transB: { int: Number(ofB) } };
  const right = b.constant === undefined ? draft.read(b) : writeWeights(site, b.constant.values, b.constant.shape);
  const y = draft.add('Gemm', node.name, [draft.read(a), right, ...biasOf(site)], attributes);
  const shape = [a.shape[ofA ? 1 : 0] ?? null, b.shape[ofB ? 0 : 1] ?? null];
  return finish(site, y, (name) => floats(name, shape));
}

function writeBatchMatMul(site: NodeSite): OnnxValue {
  const { draft, node } = site;
  if (flagOf(node, 'adj_x') || flagOf(node, 'adj_y')) throw new Refusal('it transposes a factor');
  const [a, b] = [inputAt(site, 0), inputAt(site, 1)];
  if (a.shape.length !== b.shape.length) throw new Refusal('its factors have unequal ranks');
  const y = draft.add('MatMul', node.name, [draft.read(a), draft.read(b)]);
  const batches = broadcast([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  return floats(y, [...batches, a.shape.at(-2) ?? null, b.shape.at(-1) ?? null]);
}

function pictures(site: NodeSite): OnnxValue {
  const x = inputAt(site, 0);
  if (x.shape.length !== 4) throw new Refusal(`its input has ${String(x.shape.length)} axes`);
  return x;
}

/** Writes weights in the order of ONNX. */
function writeWeights({ draft, inputs, node }: NodeSite, values: ArrayBufferView, shape: readonly number[]): string {
  return draft.constant(inputs[1]?.name ?? `${node.name}/weights`, 'float32', shape, values);
}

/** The bias that a fused node adds, as a list of inputs. */
function biasOf(site: NodeSite): string[] {
  const { draft, node } = site;
  const [first] = fusedOps(node);
  if (first === undefined) return [];
  if (first !== 'BiasAdd') throw new Refusal(`it is fused with '${first}'`);
  const bias = inputAt(site, 2);
  if (bias.shape.length !== 1) throw new Refusal('its bias is no list');
  return [draft.read(bias)];
}

/** Adds the activation of a fused node. */
function finish(site: NodeSite, y: string, valueOf: (name: string) => OnnxValue): OnnxValue {
  const [, activation, further] = fusedOps(site.node);
  if (further !== undefined) throw new Refusal(`it is fused with '${further}'`);
  if (activation === undefined) return valueOf(y);
  return valueOf(activate(site, activation, y, slopeOf(site.node)));
}

function slopeOf(node: NodeSpec): number {
  return attribute(node, 'leakyrelu_alpha').f === undefined ? 0.2 : numberOf(node, 'leakyrelu_alpha', 0.2);
}
