// A graph of nodes while it is written: nodes in order, and constants that are computed only when the graph is used.
import { dispose, scalar, tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeSpec } from '../../core/graphs.ts';
import type { JsonObject } from '../../core/json.ts';

/** Makes a constant. The caller owns the tensor. */
export type MakeConstant = () => Tensor;

/** Nodes, each after the nodes that it reads, and the values of the constants among them. */
export interface NodeDraft {
  readonly nodes: NodeSpec[];
  readonly constants: Map<string, MakeConstant>;
  /** Names that are taken. */
  readonly names: Set<string>;
}

/** A place to write nodes with a common prefix. Every function returns the name of the node that it adds. */
export interface NodeScope {
  /** Adds an operation on floats. `attr` overrides attributes. */
  node(op: string, inputs: readonly string[], attr?: JsonObject): string;
  /** Adds a constant with its own name. */
  constant(name: string, make: MakeConstant): string;
  /** Adds a single float. */
  number(value: number): string;
  /** Adds a list of integers, or rows of them. */
  integers(values: readonly number[], shape?: readonly number[]): string;
}

/** Type attributes for floats and integers. */
export const float: JsonObject = { type: 'DT_FLOAT' };
export const integer: JsonObject = { type: 'DT_INT32' };

/** A draft that must not use some names. */
export function emptyDraft(taken: Iterable<string> = []): NodeDraft {
  return { nodes: [], constants: new Map(), names: new Set(taken) };
}

/** Adds the input of the network. */
export function addInput(draft: NodeDraft, name: string, shape: readonly (number | null)[], dtype = float): string {
  const dim = shape.map((axis) => ({ size: String(axis ?? -1) }));
  return add(draft, { name, op: 'Placeholder', inputs: [], attr: { dtype, shape: { shape: { dim } } } });
}

/** A scope for one call of a layer. */
export function scopeIn(draft: NodeDraft, prefix: string): NodeScope {
  // In tfjs these characters have a meaning.
  const clean = prefix.replace(/[:^]/g, '_');
  const constant = (name: string, make: MakeConstant) => {
    const added = add(draft, { name: `${clean}/${name}`, op: 'Const', inputs: [], attr: {} });
    draft.constants.set(added, make);
    return added;
  };
  return {
    node: (op, inputs, attr) => add(draft, { name: `${clean}/${op}`, op, inputs, attr: { T: float, ...attr } }),
    constant,
    number: (value) => constant('number', () => scalar(value, 'float32')),
    integers: (values, shape = [values.length]) => constant('integers', () => tensor([...values], [...shape], 'int32')),
  };
}

/** Nodes and the tensors of their constants, which the caller owns. */
export interface FinishedDraft {
  readonly nodes: readonly NodeSpec[];
  readonly constants: ReadonlyMap<string, Tensor>;
}

/** Computes the constants of a draft. */
export function finishDraft(draft: NodeDraft): FinishedDraft {
  const constants = new Map<string, Tensor>();
  try {
    for (const [name, make] of draft.constants) constants.set(name, make());
  } catch (error) {
    dispose([...constants.values()]);
    throw error;
  }
  return { nodes: withConstantAttributes(draft.nodes, constants), constants };
}

/** Adds type and shape of the values to the attributes of constants. */
export function withConstantAttributes(
  nodes: readonly NodeSpec[],
  constants: ReadonlyMap<string, Tensor>,
): readonly NodeSpec[] {
  return nodes.map((node) => {
    const value = Object.keys(node.attr).length > 0 ? undefined : constants.get(node.name);
    return value === undefined ? node : { ...node, attr: constantAttributes(value) };
  });
}

/** The attributes of a Const that describe its value. */
function constantAttributes({ dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>): JsonObject {
  const type = dtype === 'int32' ? integer : float;
  const tensorShape = { dim: shape.map((size) => ({ size: String(size) })) };
  return { dtype: type, value: { tensor: { dtype: type.type ?? '', tensorShape } } };
}

/** Adds a node under its name, or the first of `name_1`, `name_2` … that is free. */
function add({ nodes, names }: NodeDraft, node: NodeSpec): string {
  let name = node.name;
  for (let count = 1; names.has(name); count++) name = `${node.name}_${String(count)}`;
  names.add(name);
  nodes.push({ ...node, name });
  return name;
}
