// Writes calls of layers as nodes: groups that fuse as one node where they can, everything else call by call.
import type { LayerSpec } from '../../core/graphs.ts';
import type { JsonObject } from '../../core/json.ts';
import type { LayersTrunk } from '../../core/types.ts';
import { isStochastic } from '../run/applyLayer.ts';
import { isForeign } from '../run/foreignLayer.ts';
import { lateScale } from './lateScale.ts';
import { batchNormGroups, fusedGroups, isChannelsFirst, lastOfGroup, type FusedGroup } from '../run/fusedGroups.ts';
import { numberOf } from '../graphs/inferShapes.ts';
import { activationOfLayer } from '../run/layerActivation.ts';
import { layerOf } from '../graphs/layerGraph.ts';
import { onlyInput, type LayerSite, type WeightOf, type WriteLayer } from './layerSite.ts';
import { addInput, float, integer, scopeIn, type NodeDraft } from '../graphs/nodeDraft.ts';
import { isWritable, writeActivation } from './writeActivation.ts';
import { joiningWriters } from './writeJoining.ts';
import { writeKernel } from './writeKernel.ts';
import { poolingWriters } from './writePooling.ts';
import { scalingWriters, writeBatchNorm, writePlainBatchNorm } from './writeScaling.ts';
import { shapingWriters } from './writeShaping.ts';

/** The parts of a trunk of layers that writing uses. */
export type WritableTrunk = Pick<LayersTrunk, 'input' | 'weights' | 'layers'>;

/** The calls to write, and options. */
export interface WritePlan {
  readonly trunk: WritableTrunk;
  /** Calls after this one are written. `input` is the node that replaces its output. */
  readonly entry: number;
  /** The last call to write. */
  readonly exit: number;
  readonly input: string;
  /** Whether layers are fused. Otherwise every weight becomes a constant with its own name and value. */
  readonly fold: boolean;
}

/** The written nodes. */
export interface WrittenCalls {
  /** Node of the last call's output. */
  readonly output: string;
  /** Nodes of all calls' outputs, except those inside fused groups. */
  readonly nodes: ReadonlyMap<number, string>;
  /** Layers that cannot be written as nodes. If there are any, the nodes must not be used. */
  readonly unsupported: readonly LayerSpec[];
}

const writers: Readonly<Record<string, WriteLayer>> = {
  ...joiningWriters,
  ...poolingWriters,
  ...scalingWriters,
  ...shapingWriters,
  ActivityRegularization: (site) => onlyInput(site).x,
  Softmax: (site) => {
    const { x, shape } = onlyInput(site);
    const axis = numberOf(site.layer.config.axis);
    return axis === -1 || axis === shape.length - 1 ? site.scope.node('Softmax', [x]) : undefined;
  },
};

/** Nodes that replace a call's output. */
export interface WrittenInput {
  readonly placeholder: string;
  /** The same values as floats, which layers compute with. */
  readonly floats: string;
}

/** Writes the input of the calls after `entry`, named as its layer. */
export function writeInput(
  { layers: { graph, shapes }, input }: WritableTrunk,
  entry: number,
  draft: NodeDraft,
): WrittenInput {
  const { name } = layerOf(graph, entry);
  if (entry > 0 || input.dtype === 'float32') {
    const placeholder = addInput(draft, name, shapes[entry] ?? []);
    return { placeholder, floats: placeholder };
  }
  const placeholder = addInput(draft, name, shapes[entry] ?? [], integer);
  return { placeholder, floats: scopeIn(draft, name).node('Cast', [placeholder], { SrcT: integer, DstT: float }) };
}

/** Writes the calls between two places of a trunk into a draft. */
export function writeCalls(plan: WritePlan, draft: NodeDraft): WrittenCalls {
  const { graph } = plan.trunk.layers;
  const { endings, hidden } = groupsOf(plan);
  const names = new Map([[plan.entry, plan.input]]);
  const unsupported: LayerSpec[] = [];
  for (let call = plan.entry + 1; call <= plan.exit; call++) {
    if (hidden.has(call)) continue;
    const group = endings.get(call);
    const written = group === undefined ? writeCall(plan, draft, names, call) : writeGroup(plan, draft, names, group);
    if (written === undefined) unsupported.push(layerOf(graph, group?.kernel ?? call));
    names.set(call, written ?? plan.input);
  }
  return { output: names.get(plan.exit) ?? plan.input, nodes: names, unsupported };
}

/** Groups by their last call, and the calls inside them. */
function groupsOf({ trunk, entry, exit, fold }: WritePlan) {
  const { graph } = trunk.layers;
  const needed = new Set(fold ? [entry, exit] : graph.calls.keys());
  const all = [...fusedGroups(graph, needed), ...batchNormGroups(graph, needed)].map((group) =>
    withWritableActivation(trunk, group),
  );
  const endings = new Map(all.map((group) => [lastOfGroup(group), group]));
  const hidden = new Set(
    all.flatMap((group) =>
      [group.pad, group.kernel, group.batchNorm].filter((call) => call !== undefined && call !== lastOfGroup(group)),
    ),
  );
  return { endings, hidden };
}

/** A group without its activation, if that cannot be written as nodes and is not the kernel's own. */
function withWritableActivation({ layers: { graph } }: WritableTrunk, group: FusedGroup): FusedGroup {
  const { activation, kernel } = group;
  if (activation === undefined || activation.call === kernel) return group;
  const known = isWritable(activation) && !isForeign(layerOf(graph, activation.call));
  return known ? group : { ...group, activation: undefined };
}

function writeGroup(
  plan: WritePlan,
  draft: NodeDraft,
  names: ReadonlyMap<number, string>,
  { pad, kernel, batchNorm, activation }: FusedGroup,
): string | undefined {
  const { graph } = plan.trunk.layers;
  const site = siteAt(plan, draft, names, kernel, pad ?? kernel);
  if (site === undefined || (activation !== undefined && !isWritable(activation))) return undefined;
  if (site.layer.className === 'BatchNormalization') {
    return plan.fold ? writeBatchNorm(site, activation) : writePlainBatchNorm(site);
  }
  const layer = batchNorm === undefined ? undefined : layerOf(graph, batchNorm);
  return writeKernel({
    ...site,
    pad: pad === undefined ? undefined : layerOf(graph, pad),
    scale: layer && lateScale({ layer, weight: weightsOf(plan.trunk, layer) }),
    activation,
  });
}

function writeCall(
  plan: WritePlan,
  draft: NodeDraft,
  names: ReadonlyMap<number, string>,
  call: number,
): string | undefined {
  const site = siteAt(plan, draft, names, call, call);
  if (site === undefined) return undefined;
  if (isStochastic(site.layer)) return onlyInput(site).x;
  const activation = activationOfLayer(site.layer);
  if (activation === undefined) return writers[site.layer.className]?.(site);
  return isWritable(activation) ? writeActivation(site.scope, activation, onlyInput(site).x) : undefined;
}

/** A call in the form that its writer needs. Undefined if the call cannot be written. */
function siteAt(
  { trunk, entry }: WritePlan,
  draft: NodeDraft,
  names: ReadonlyMap<number, string>,
  call: number,
  first: number,
): LayerSite | undefined {
  const { graph, shapes } = trunk.layers;
  const layer = layerOf(graph, call);
  const refs = graph.calls[first]?.inputs ?? [];
  const plain = refs.every(({ output }) => output === 0) && hasNoOptions(graph.calls[call]?.kwargs ?? {});
  const readsIntegers = entry === 0 && trunk.input.dtype !== 'float32' && refs.some((ref) => ref.call === 0);
  if (!plain || isForeign(layer) || isChannelsFirst(layer)) return undefined;
  if (readsIntegers && layer.className !== 'Rescaling') return undefined;
  return {
    layer,
    weight: weightsOf(trunk, layer),
    inputs: refs.map((ref) => names.get(ref.call) ?? ''),
    inputShapes: refs.map((ref) => shapes[ref.call] ?? []),
    outputShape: shapes[call] ?? [],
    scope: scopeIn(draft, layer.name),
  };
}

function weightsOf({ weights }: WritableTrunk, { name }: LayerSpec): WeightOf {
  const own = new Map(weights.filter(({ layer }) => layer === name).map((weight) => [weight.name, weight.variable]));
  return (weight) => own.get(`${name}/${weight}`);
}

/** Options of a call that change the function of the layer. */
function hasNoOptions(kwargs: JsonObject): boolean {
  return Object.entries(kwargs).every(([key, value]) => value === null || key === 'training');
}
