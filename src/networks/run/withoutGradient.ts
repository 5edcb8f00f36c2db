// Operations that gradients would have to go through and cannot: found from the wiring alone, before anything runs.
import { getGradient, type GradConfig } from '@tensorflow/tfjs-core';
import type { LayerGraph, LayerSpec, NodeGraph } from '../../core/graphs.ts';
import { classNameOf, isJsonObject } from '../../core/json.ts';
import type { BlockedOperation } from '../../core/types.ts';
import { layerOf } from '../graphs/layerGraph.ts';
import { nodeOf } from '../graphs/nodeGraph.ts';
import { isBeyondOne } from '../graphs/windowSettings.ts';

/** Where gradients begin: at weights, and at the input too where something in front of it moves. */
export interface Moving {
  /** Constants of nodes, or layers. */
  readonly names: ReadonlySet<string>;
  readonly input: boolean;
}

const sameName = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, name]));

/** Nodes that run by a kernel for which tfjs has no gradient, by the kernel; one may have been registered since. */
const nodeKernels: Readonly<Record<string, string>> = {
  ...sameName('Bincount', 'CropAndResize', 'Cumprod', 'DenseBincount', 'FFT', 'IFFT', 'LowerBound', 'MatrixBandPart'),
  ...sameName('MaxPoolWithArgmax', 'Multinomial', 'SparseFillEmptyRows', 'SparseReshape', 'SparseSegmentMean'),
  ...sameName('SparseSegmentSum', 'SparseToDense', 'TensorScatterUpdate', 'Unique', 'UpperBound'),
  ImageProjectiveTransformV3: 'Transform',
  IRFFT: 'IFFT',
  RFFT: 'FFT',
  TopKV2: 'TopK',
  UniqueV2: 'Unique',
};

/** Nodes that read shapes or values without a trace for the tape. */
const detached: ReadonlySet<string> = new Set([
  ...['Shape', 'ShapeN', 'Size', 'Rank', 'Fill', 'LinSpace', 'Range', 'OneHot', 'OnesLike', 'ZerosLike'],
]);

/** The same for tfjs's layers. */
const layerKernels: Readonly<Record<string, string>> = {
  CategoryEncoding: 'DenseBincount',
  CenterCrop: 'CropAndResize',
  Conv3DTranspose: 'Conv3DBackpropInputV2',
};

/** The first node between moving constants and the output that has no gradient. */
export function blockedNode(graph: NodeGraph, moving: Moving): BlockedOperation | undefined {
  const reached = new Set(moving.input ? [graph.input, ...moving.names] : moving.names);
  const needed = neededNodes(graph);
  for (const { name, op, inputs } of graph.nodes) {
    if (detached.has(op) || !inputs.some((reference) => reached.has(nodeOf(reference)))) continue;
    if (needed.has(name) && lacksGradient(nodeKernels[op])) return { name, kind: op };
    reached.add(name);
  }
  return undefined;
}

/** Whether tfjs itself runs a convolution with dilation, which it does without a gradient. */
function spreadsWindow({ className, config }: Pick<LayerSpec, 'className' | 'config'>): boolean {
  if (className === 'Conv3D') return isBeyondOne(config.dilation_rate);
  const inner = className === 'TimeDistributed' && isJsonObject(config.layer) ? config.layer : {};
  return /^(Separable)?Conv[123]D$/.test(classNameOf(inner.class_name)) && isJsonObject(inner.config)
    ? isBeyondOne(inner.config.dilation_rate)
    : false;
}

/** The first call whose layer has moving weights, or is behind some, and has no gradient. */
export function blockedLayer(graph: LayerGraph, moving: Moving): BlockedOperation | undefined {
  const reached = new Set<number>(moving.input ? [0] : []);
  for (const [call, { inputs }] of graph.calls.entries()) {
    const layer = layerOf(graph, call);
    const { name, className } = layer;
    const isMoved = moving.names.has(name) || inputs.some((ref) => reached.has(ref.call));
    if (isMoved && (lacksGradient(layerKernels[className]) || spreadsWindow(layer))) return { name, kind: className };
    if (isMoved) reached.add(call);
  }
  return undefined;
}

/** Nodes that lead to the outputs otherwise than by their shape. */
function neededNodes({ nodes, outputs }: NodeGraph): ReadonlySet<string> {
  const needed = new Set(outputs.map(nodeOf));
  for (const { name, op, inputs } of [...nodes].reverse()) {
    if (needed.has(name) && !detached.has(op)) inputs.forEach((reference) => needed.add(nodeOf(reference)));
  }
  return needed;
}

function lacksGradient(kernel: string | undefined): boolean {
  return kernel !== undefined && gradientOf(kernel) === undefined;
}

/** tfjs types gradients as always there. */
function gradientOf(kernelName: string): GradConfig | undefined {
  return getGradient(kernelName);
}
