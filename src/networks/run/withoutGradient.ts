// Finds operations without a gradient that gradients would have to pass, from the wiring alone, before anything runs.
import { getGradient, type GradConfig } from '@tensorflow/tfjs-core';
import type { LayerGraph, LayerSpec, NodeGraph } from '../../core/graphs.ts';
import { classNameOf, isJsonObject } from '../../core/json.ts';
import type { BlockedOperation } from '../../core/types.ts';
import { layerOf } from '../graphs/layerGraph.ts';
import { nodeOf } from '../graphs/nodeGraph.ts';
import { isBeyondOne } from '../graphs/windowSettings.ts';

/** Where gradients are needed: at weights, and at the input if a layer before it trains. */
export interface Moving {
  /** Names of constant nodes, or of layers. */
  readonly names: ReadonlySet<string>;
  readonly input: boolean;
}

const sameName = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, name]));

/**
 * Operations that run by a kernel for which tfjs has no gradient, with that kernel. A gradient may have been registered
 * later.
 */
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

/** Operations that read shapes or values without being recorded for gradients. */
const detached: ReadonlySet<string> = new Set([
  ...['Shape', 'ShapeN', 'Size', 'Rank', 'Fill', 'LinSpace', 'Range', 'OneHot', 'OnesLike', 'ZerosLike'],
]);

/** The same for tfjs's layers. */
const layerKernels: Readonly<Record<string, string>> = {
  CategoryEncoding: 'DenseBincount',
  CenterCrop: 'CropAndResize',
  Conv3DTranspose: 'Conv3DBackpropInputV2',
};

/** The first node without a gradient between trained constants and the output. */
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

/** Whether tfjs itself runs a convolution with dilation: it has no gradient then. */
function spreadsWindow({ className, config }: Pick<LayerSpec, 'className' | 'config'>): boolean {
  if (className === 'Conv3D') return isBeyondOne(config.dilation_rate);
  const inner = className === 'TimeDistributed' && isJsonObject(config.layer) ? config.layer : {};
  return /^(Separable)?Conv[123]D$/.test(classNameOf(inner.class_name)) && isJsonObject(inner.config)
    ? isBeyondOne(inner.config.dilation_rate)
    : false;
}

/** The first call without a gradient among those whose layer has trained weights or comes after some. */
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

/** Nodes whose values influence the outputs. Nodes that are read for their shape only are left out. */
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

/** tfjs types every gradient as present. */
function gradientOf(kernelName: string): GradConfig | undefined {
  return getGradient(kernelName);
}
