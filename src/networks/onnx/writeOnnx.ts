// Writes a graph of nodes for inference, with its constants, as an ONNX model.
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import { internalError } from '../../core/errors.ts';
import type { TensorSpec } from '../../core/types.ts';
import { nodeOf, outputOf } from '../graphs/nodeGraph.ts';
import { floats, type NodeSite, type WriteNode } from './nodeSite.ts';
import { OnnxDraft, Refusal, type ConstantValues, type OnnxValue } from './onnxDraft.ts';
import type { OnnxGraph, OnnxPort } from './onnxModel.ts';
import { elementwiseWriters } from './writeElementwise.ts';
import { poolingWriters } from './writePooling.ts';
import { productWriters } from './writeProducts.ts';
import { shapingWriters } from './writeShaping.ts';
import { joinedSizes, sizeWriters } from './writeSizes.ts';

/** A graph of nodes and what it computes with. */
export interface OnnxSource {
  readonly graph: NodeGraph;
  readonly constants: ReadonlyMap<string, ConstantValues>;
  /** Shape and type of the input. */
  readonly input: TensorSpec;
}

/** A node without a form in ONNX. */
interface RefusedNode {
  readonly name: string;
  readonly op: string;
  readonly reason: string;
}

/** The graph, or the nodes that have no form. */
export interface WrittenOnnx {
  /** Undefined if there are such nodes. */
  readonly graph: OnnxGraph | undefined;
  readonly refused: readonly RefusedNode[];
}

const writers: Readonly<Record<string, WriteNode>> = {
  ...elementwiseWriters,
  ...poolingWriters,
  ...productWriters,
  ...shapingWriters,
  ...sizeWriters,
};

/** Writes a graph. Inputs and outputs have the names of their nodes, and pictures in them have their channels last. */
export function writeOnnx({ graph, constants, input }: OnnxSource): WrittenOnnx {
  const draft = new OnnxDraft();
  const readBy = readersOf(graph);
  const values = new Map<string, readonly OnnxValue[]>();
  const refused: RefusedNode[] = [];
  const entry = inputValue(draft.freshName(graph.input), input);
  values.set(graph.input, [entry]);
  for (const node of graph.nodes) {
    if (node.name === graph.input) continue;
    const constant = constants.get(node.name);
    if (node.op === 'Const' && constant !== undefined) {
      values.set(node.name, [
        { name: node.name, shape: constant.shape, order: 'last', dtype: constant.dtype, constant },
      ]);
      continue;
    }
    try {
      const written = writeNode({ draft, node, readBy: readBy(node.name) }, values);
      if (written !== undefined) values.set(node.name, written);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.push({ name: node.name, op: node.op, reason: error.message });
    }
  }
  if (refused.length > 0) return { graph: undefined, refused };
  const outputs = graph.outputs.flatMap((reference) => {
    const value = values.get(nodeOf(reference))?.[outputOf(reference)];
    if (value === undefined) throw internalError(`nothing gave '${reference}'`);
    if (value.sizes === undefined) return writeOutput(draft, value);
    refused.push({ name: nodeOf(reference), op: 'Shape', reason: 'the output is a shape' });
    return [];
  });
  if (refused.length > 0) return { graph: undefined, refused };
  const inputs = [{ name: entry.name, type: entry.dtype, shape: entry.shape }];
  return { graph: { name: graph.name, nodes: draft.nodes, constants: draft.constants, inputs, outputs }, refused: [] };
}

/** The outputs of a node. Undefined after a refused node. */
function writeNode(
  place: Omit<NodeSite, 'inputs'>,
  values: ReadonlyMap<string, readonly OnnxValue[]>,
): readonly OnnxValue[] | undefined {
  const { node } = place;
  if (node.inputs.some((reference) => !values.has(nodeOf(reference)))) return undefined;
  const inputs = node.inputs.map((reference) => {
    const value = values.get(nodeOf(reference))?.[outputOf(reference)];
    if (value === undefined) throw new Refusal(`it reads '${reference}', which is not computed`);
    return value;
  });
  const site: NodeSite = { ...place, inputs };
  const written = joinedSizes(site) ?? writerOf(node)(site);
  const perExample = Math.max(1, ...inputs.map((input) => input.perExample ?? 1));
  return ('name' in written ? [written] : written).map((value) => ({ perExample, ...value }));
}

/** Nodes that hand on what they read, for what readers do with it. */
const movers = new Set(['Identity', 'Transpose']);

/** Returns a function that finds the operations that read a node. */
function readersOf({ nodes }: NodeGraph): (name: string) => ReadonlySet<string> {
  const readers = new Map<string, NodeSpec[]>();
  for (const node of nodes) {
    for (const name of node.inputs.map(nodeOf)) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  const find = (name: string): string[] =>
    (readers.get(name) ?? []).flatMap((reader) => (movers.has(reader.op) ? find(reader.name) : [reader.op]));
  return (name) => new Set(find(name));
}

function writerOf({ op }: NodeSpec): WriteNode {
  const writer = writers[op];
  if (writer === undefined) throw new Refusal('this operation has no form in ONNX here');
  return writer;
}

function inputValue(name: string, { shape, dtype }: TensorSpec): OnnxValue {
  if (dtype === 'float32') return floats(name, shape);
  if (dtype === 'int32' || dtype === 'bool') return { ...floats(name, shape), dtype };
  throw internalError(`an input of ${dtype}`);
}

function writeOutput(draft: OnnxDraft, value: OnnxValue): OnnxPort {
  const name = draft.readAny(value);
  const isComputed = draft.nodes.some(({ outputs }) => outputs.includes(name));
  const own = isComputed ? name : draft.add('Identity', `${name}/output`, [name]);
  return { name: own, type: value.dtype, shape: value.shape };
}
