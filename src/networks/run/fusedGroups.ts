// Finds layers of a network that can be computed together: a kernel with the padding before it, and the BatchNorm and
// the activation after it. Pure functions of the wiring; they do not decide how a group is computed.
import type { LayerGraph, LayerSpec } from '../../core/graphs.ts';
import { inferShapes, numberOf, numbers } from '../graphs/inferShapes.ts';
import { activationOfLayer, ownActivation, type Activation } from './layerActivation.ts';
import { layerOf } from '../graphs/layerGraph.ts';

/** Consecutive calls whose intermediate outputs no other call reads. Each is an index into `graph.calls`. */
export interface FusedGroup {
  /** A ZeroPadding2D before a kernel that has no padding of its own. */
  readonly pad: number | undefined;
  /** A layer of a class in `ranks`. */
  readonly kernel: number;
  /** A BatchNormalization over the channels. */
  readonly batchNorm: number | undefined;
  /** If the activation is a setting of the kernel, its `call` is the kernel's, and nothing follows it in the group. */
  readonly activation: GroupActivation | undefined;
}

/** An activation and the call that applies it. */
interface GroupActivation extends Activation {
  readonly call: number;
}

/** Rank of a kernel's output. A Dense keeps the rank of its input. */
const ranks: Readonly<Record<string, number | 'input'>> = {
  Conv1D: 3,
  Conv2D: 4,
  DepthwiseConv2D: 4,
  SeparableConv2D: 4,
  GroupedConv2D: 4,
  DilatedDepthwiseConv2D: 4,
  Dense: 'input',
};

/**
 * Finds the groups of a graph, in the order of their kernels: one for each call of a kernel with its channels last.
 *
 * Every output that is needed outside a group is the output of the group's last call.
 *
 * @param needed - Calls whose outputs are needed in addition to the graph's own, such as the ends of stages.
 */
export function fusedGroups(graph: LayerGraph, needed: ReadonlySet<number> = new Set()): readonly FusedGroup[] {
  const onlyReader = onlyReaders(graph, needed);
  const shapes = inferShapes(graph);
  return graph.calls.flatMap((_, kernel) => {
    const layer = layerOf(graph, kernel);
    const rank = ranks[layer.className];
    if (rank === undefined || isChannelsFirst(layer)) return [];
    const outputRank = rank === 'input' ? (shapes[kernel]?.length ?? NaN) + 1 : rank;
    return [groupAround(graph, kernel, outputRank, onlyReader)];
  });
}

/**
 * Finds BatchNormalizations that are in no kernel's group, each with the activation after it. The BatchNormalization
 * takes the role of the group's kernel.
 */
export function batchNormGroups(graph: LayerGraph, needed: ReadonlySet<number> = new Set()): readonly FusedGroup[] {
  const taken = new Set(fusedGroups(graph, needed).map(({ batchNorm }) => batchNorm));
  const onlyReader = onlyReaders(graph, needed);
  return graph.calls.flatMap((_, call) => {
    if (taken.has(call) || layerOf(graph, call).className !== 'BatchNormalization') return [];
    const activation = activationBehind(graph, call, onlyReader);
    return [{ pad: undefined, kernel: call, batchNorm: undefined, activation }];
  });
}

/** The call whose output is the group's. */
export function lastOfGroup({ kernel, batchNorm, activation }: FusedGroup): number {
  return Math.max(kernel, batchNorm ?? kernel, activation?.call ?? kernel);
}

function groupAround(
  graph: LayerGraph,
  kernel: number,
  rank: number,
  onlyReader: ReadonlyMap<number, number>,
): FusedGroup {
  const layer = layerOf(graph, kernel);
  const pad = padInFrontOf(graph, kernel, onlyReader);
  const own = ownActivation(layer);
  if (own !== undefined) return { pad, kernel, batchNorm: undefined, activation: { ...own, call: kernel } };
  const next = onlyReader.get(kernel);
  const batchNorm = next !== undefined && normalizesChannels(layerOf(graph, next), rank) ? next : undefined;
  return { pad, kernel, batchNorm, activation: activationBehind(graph, batchNorm ?? kernel, onlyReader) };
}

function activationBehind(
  graph: LayerGraph,
  call: number,
  onlyReader: ReadonlyMap<number, number>,
): GroupActivation | undefined {
  const behind = onlyReader.get(call);
  const activation = behind === undefined ? undefined : activationOfLayer(layerOf(graph, behind));
  return behind === undefined || activation === undefined ? undefined : { ...activation, call: behind };
}

/** For each call whose output has exactly one reader, and that reader is inside the graph: the reader. */
function onlyReaders(graph: LayerGraph, needed: ReadonlySet<number>): ReadonlyMap<number, number> {
  const readers = new Map<number, number[]>();
  graph.calls.forEach(({ inputs }, index) => {
    for (const { call } of inputs) readers.set(call, [...(readers.get(call) ?? []), index]);
  });
  const outside = new Set([...needed, ...graph.outputs.map(({ call }) => call)]);
  return new Map(
    [...readers].flatMap(([call, [reader, ...others]]) =>
      reader === undefined || others.length > 0 || outside.has(call) ? [] : [[call, reader]],
    ),
  );
}

function padInFrontOf(graph: LayerGraph, kernel: number, onlyReader: ReadonlyMap<number, number>): number | undefined {
  const pad = graph.calls[kernel]?.inputs[0]?.call;
  if (pad === undefined || onlyReader.get(pad) !== kernel) return undefined;
  const { className, config } = layerOf(graph, kernel);
  const padding = layerOf(graph, pad);
  const fits = padding.className === 'ZeroPadding2D' && !isChannelsFirst(padding);
  const pads = config.padding !== undefined && config.padding !== 'valid';
  return fits && ranks[className] === 4 && !pads ? pad : undefined;
}

function normalizesChannels({ className, config }: LayerSpec, rank: number): boolean {
  if (className !== 'BatchNormalization') return false;
  const [axis = -1] = Array.isArray(config.axis) ? numbers(config.axis, 1) : [numberOf(config.axis) ?? -1];
  return axis === -1 || axis === rank - 1;
}

/** Whether a layer takes pictures with the channels first. */
export function isChannelsFirst({ config }: LayerSpec): boolean {
  return config.data_format === 'channels_first' || config.data_format === 'channelsFirst';
}
