// The nodes of a tfjs GraphModel as plain data: TensorFlow's GraphDef as its converter writes it. The pure functions of
// this file sort, trim and extend it, without tensors.
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
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
import { assertShallow } from '../../core/nesting.ts';
import { shown } from '../../core/shown.ts';
import { mostNodes } from './limits.ts';

/** Whether a topology is that of a GraphModel. Files of TF Hub have no other mark. */
export function isNodeTopology(topology: unknown): topology is JsonObject {
  return isJsonObject(topology) && isJsonList(topology.node);
}

/**
 * Reads the topology of a GraphModel.
 *
 * @throws TransferKitError `NOT_A_MODEL` if nodes are damaged or missing, `UNSUPPORTED_SOURCE` for several inputs,
 * `OUT_OF_RANGE` for too many nodes.
 */
export function parseNodes(topology: JsonObject, name: string): NodeGraph {
  assertShallow('the topology of a GraphModel', topology);
  const { node, ...rest } = topology;
  const listed = isJsonList(node) ? node : [];
  if (listed.length > mostNodes) throw tooManyNodes(listed.length);
  const nodes = sortNodes(listed.map(toNode));
  const inputs = nodes.filter(({ op }) => op === 'Placeholder');
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    const names = inputs.slice(0, 10).map((each) => `'${each.name}'`);
    const got = inputs.length === 0 ? 'none' : `${String(inputs.length)}: ${names.join(', ')}`;
    const text = `expected a graph with one input, got ${got}. Export a signature with a single input.`;
    throw new TransferKitError('UNSUPPORTED_SOURCE', text, { inputs: inputs.map((each) => each.name) });
  }
  return { name, nodes, input: input.name, outputs: outputsOf(nodes, input.name), rest };
}

/**
 * The nodes that no other node reads and whose values depend on the input. Frozen graphs also hold a NoOp, which gives
 * no value, and constants.
 */
function outputsOf(nodes: readonly NodeSpec[], input: string): string[] {
  const read = new Set(nodes.flatMap(({ inputs }) => inputs.map(nodeOf)));
  return dependents(nodes, input).filter((name) => !read.has(name));
}

/** Writes nodes in the format of `tf.loadGraphModel`. */
export function writeNodes({ nodes, rest }: NodeGraph): JsonObject {
  const node = nodes.map(({ name, op, inputs, attr }): JsonObject => ({ name, op, input: [...inputs], attr }));
  // tfjs needs some version; stripped files have none.
  return { versions: { producer: 0 }, ...rest, node };
}

/** Name of the node in a reference (`conv:0`). */
export function nodeOf(reference: string): string {
  const colon = reference.indexOf(':');
  return colon < 0 ? reference : reference.slice(0, colon);
}

/** Index of the output in a reference. */
export function outputOf(reference: string): number {
  const colon = reference.indexOf(':');
  return colon < 0 ? 0 : Number(reference.slice(colon + 1));
}

/** Nodes by name. */
export function nodesByName(nodes: readonly NodeSpec[]): ReadonlyMap<string, NodeSpec> {
  return new Map(nodes.map((node) => [node.name, node]));
}

/** The constant of a reference, also through Identity nodes, which read frozen variables. */
export function constantNode(
  byName: ReadonlyMap<string, NodeSpec>,
  reference: string | undefined,
): NodeSpec | undefined {
  let node = reference === undefined ? undefined : byName.get(nodeOf(reference));
  const seen = new Set<NodeSpec>();
  while (node?.op === 'Identity' && !seen.has(node)) {
    seen.add(node);
    node = byName.get(nodeOf(node.inputs[0] ?? ''));
  }
  return node?.op === 'Const' ? node : undefined;
}

/** The part of a graph before a node, which becomes its only output. */
export function nodesUpTo(graph: NodeGraph, output: string): NodeGraph {
  return nodesLeadingTo(graph, [output]);
}

/** The part of a graph before some nodes, which become its outputs. */
export function nodesLeadingTo(graph: NodeGraph, outputs: readonly string[]): NodeGraph {
  const byName = nodesByName(graph.nodes);
  const needed = new Set<string>([graph.input]);
  const open = outputs.map(nodeOf);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next !== graph.input && needed.has(next)) continue;
    needed.add(next);
    open.push(...(byName.get(next)?.inputs ?? []).map(nodeOf));
  }
  return { ...graph, nodes: graph.nodes.filter(({ name }) => needed.has(name)), outputs };
}

/** The part of a graph between two nodes: the output of the first becomes its input, of any type, that of the second its output. */
export function nodePart(graph: NodeGraph, entry: string, exit: string): NodeGraph {
  const input: NodeSpec = { name: entry, op: 'Placeholder', inputs: [], attr: {} };
  const nodes = graph.nodes.map((node) => (node.name === entry && entry !== graph.input ? input : node));
  return nodesLeadingTo({ ...graph, nodes, input: entry }, [exit]);
}

/** Names of the nodes whose values depend on the input, in an order in which they can run. */
export function dataNodes(graph: NodeGraph): string[] {
  return dependents(graph.nodes, graph.input);
}

function dependents(nodes: readonly NodeSpec[], input: string): string[] {
  const found = new Set([input]);
  for (const { name, inputs } of nodes) {
    if (inputs.some((reference) => found.has(nodeOf(reference)))) found.add(name);
  }
  return [...found];
}

/** Shape that the Placeholder declares, `null` for free axes. Undefined if it declares none. */
export function declaredShape(graph: NodeGraph): (number | null)[] | undefined {
  const shape = attribute(nodesByName(graph.nodes).get(graph.input), 'shape');
  const declared = isJsonObject(shape.shape) ? shape.shape : undefined;
  if (declared === undefined || declared.unknownRank === true || !isJsonList(declared.dim)) return undefined;
  return declared.dim.map((dim) => {
    const size = isJsonObject(dim) ? numericOf(dim.size ?? 0) : NaN;
    return Number.isInteger(size) && size >= 0 ? size : null;
  });
}

/** The graph with another shape for its Placeholder. */
export function withDeclaredShape(graph: NodeGraph, shape: readonly (number | null)[]): NodeGraph {
  const dim = shape.map((axis): JsonObject => ({ size: String(axis ?? -1) }));
  const nodes = graph.nodes.map((node) =>
    node.name === graph.input ? { ...node, attr: { ...node.attr, shape: { shape: { dim } } } } : node,
  );
  return { ...graph, nodes };
}

/** An attribute of a node. {} if it has none. */
export function attribute(node: NodeSpec | undefined, name: string): JsonObject {
  const value = node?.attr[name];
  return isJsonObject(value) ? value : {};
}

/** The epsilon of a BatchNorm; tfjs's default where the node has none. */
export function normEpsilon(node: NodeSpec): number {
  const { f } = attribute(node, 'epsilon');
  return typeof f === 'number' ? f : 1e-3;
}

/** Operations that a fused node applies after its product: `['BiasAdd', 'Relu']`. The file holds them in base64. */
export function fusedOps(node: NodeSpec): string[] {
  const { list } = attribute(node, 'fused_ops');
  return isJsonObject(list) && isJsonList(list.s) ? list.s.map(decoded) : [];
}

/** A text of a node, which files hold in base64; '' where it has none. */
export function textIn(node: NodeSpec, name: string): string {
  const { s } = attribute(node, name);
  return s === undefined ? '' : decoded(s);
}

/** Numbers of a node; [] where it has none. */
export function numbersIn(node: NodeSpec, name: string): number[] {
  const { list } = attribute(node, name);
  return isJsonObject(list) && isJsonList(list.i) ? list.i.map(numericOf) : [];
}

/** A text that is not in base64 stays as it is. */
function decoded(value: Json): string {
  const text = textOf(value);
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0 ? atob(text) : text;
}

/** The nodes that read each node, once for each input that they have of it. */
export function readersOf(nodes: readonly NodeSpec[]): ReadonlyMap<string, readonly NodeSpec[]> {
  const readers = new Map<string, NodeSpec[]>();
  for (const node of nodes) {
    for (const name of node.inputs.map(nodeOf)) {
      const list = readers.get(name);
      if (list === undefined) readers.set(name, [node]);
      else list.push(node);
    }
  }
  return readers;
}

function toNode(node: Json, index: number): NodeSpec {
  if (!isJsonObject(node) || typeof node.name !== 'string' || typeof node.op !== 'string') {
    const got = shown(node);
    const text = `expected node ${String(index)} of the graph to have a name and an op, got ${got}.`;
    throw new TransferKitError('NOT_A_MODEL', text, { index });
  }
  const inputs = isJsonList(node.input) ? node.input.map(textOf).filter((name) => !name.startsWith('^')) : [];
  return { name: node.name, op: classNameOf(node.op), inputs, attr: isJsonObject(node.attr) ? node.attr : {} };
}

/** Sorts nodes so that every node comes after those that it reads. Nodes in cycles and after them come last. */
function sortNodes(nodes: readonly NodeSpec[]): NodeSpec[] {
  const waitingFor = new Map(nodes.map((node) => [node.name, new Set(node.inputs.map(nodeOf))]));
  if (waitingFor.size < nodes.length) throw repeatedNode(nodes);
  const readers = new Map<string, NodeSpec[]>(nodes.map((node) => [node.name, []]));
  for (const node of nodes) {
    for (const name of waitingFor.get(node.name) ?? []) {
      const list = readers.get(name);
      if (list === undefined) throw missingNode(name, node);
      list.push(node);
    }
  }
  const sorted = new Set(nodes.filter((node) => node.inputs.length === 0));
  for (const { name } of sorted) {
    for (const reader of readers.get(name) ?? []) {
      const waiting = waitingFor.get(reader.name);
      waiting?.delete(name);
      if (waiting?.size === 0) sorted.add(reader);
    }
  }
  return [...sorted, ...nodes.filter((node) => !sorted.has(node))];
}

/** Raises if two nodes have the same name: references to it would be ambiguous. */
function repeatedNode(nodes: readonly NodeSpec[]): TransferKitError {
  const names = new Set<string>();
  const repeated = nodes.find(({ name }) => names.size === names.add(name).size)?.name ?? '';
  const text = `expected a graph whose nodes have names of their own, got two of name '${repeated}'.`;
  return new TransferKitError('NOT_A_MODEL', text, { node: repeated });
}

function tooManyNodes(found: number): TransferKitError {
  const text =
    `expected a graph of at most ${String(mostNodes)} nodes, got ${String(found)}. Freeze and optimise it when ` +
    'it is converted, or take a smaller network.';
  return new TransferKitError('OUT_OF_RANGE', text, { most: mostNodes, found });
}

function missingNode(name: string, reader: NodeSpec): TransferKitError {
  const text = `expected a graph that has the node '${name}' that '${reader.name}' reads, it has none.`;
  return new TransferKitError('NOT_A_MODEL', text, { node: name, reader: reader.name });
}
