// One node of a GraphModel that is written as ONNX, and what its attributes say.
import type { NodeSpec } from '../../core/graphs.ts';
import { numericOf } from '../../core/json.ts';
import type { Shape } from '../../core/types.ts';
import { attribute } from '../graphs/nodeGraph.ts';
import { Refusal, type ChannelOrder, type ConstantValues, type OnnxDraft, type OnnxValue } from './onnxDraft.ts';

/** A node with the values that it reads. */
export interface NodeSite {
  readonly draft: OnnxDraft;
  readonly node: NodeSpec;
  readonly inputs: readonly OnnxValue[];
  /** Operations that read the node, also through nodes that only move values. */
  readonly readBy: ReadonlySet<string>;
}

/** Writes a node; returns its outputs. Throws Refusal for a node without a form in ONNX. */
export type WriteNode = (site: NodeSite) => OnnxValue | readonly OnnxValue[];

/** Why nodes whose pictures are [b, c, h, w] are refused. */
export const channelsFirst = 'its pictures have the channels first (NCHW)';

/** A float value with its axes as in the nodes, or a picture with its channels second. */
export function floats(name: string, shape: Shape, order: ChannelOrder = 'last'): OnnxValue {
  return { name, shape, order: shape.length === 4 ? order : 'last', dtype: 'float32' };
}

/** An input of a node. */
export function inputAt({ inputs, node }: NodeSite, place: number): OnnxValue {
  const input = inputs[place];
  if (input === undefined) throw new Refusal(`input ${String(place)} is missing: it has ${String(node.inputs.length)}`);
  return input;
}

/** The values of an input that must be a constant. */
export function constantAt(site: NodeSite, place: number): ConstantValues {
  const { constant } = inputAt(site, place);
  if (constant === undefined) throw new Refusal(`input ${String(place)} is computed, not a constant`);
  return constant;
}

/** Integers that are known when the graph is written; `null` for the number of examples. */
export function sizesAt(site: NodeSite, place: number): readonly (number | null)[] {
  const { constant, sizes } = inputAt(site, place);
  const known = sizes ?? (constant && Array.from(constant.values));
  if (known === undefined) throw new Refusal(`input ${String(place)} is computed, not a list of sizes`);
  return known;
}

/** Integers that must be known. */
export function integersAt(site: NodeSite, place: number): number[] {
  return sizesAt(site, place).map((size) => {
    if (size !== null) return size;
    throw new Refusal(`input ${String(place)} depends on the number of examples`);
  });
}

/** Axes of a value, counted from 0. */
export function axesAt(site: NodeSite, place: number, rank: number): number[] {
  return integersAt(site, place).map((axis) => (axis < 0 ? axis + rank : axis));
}

export function flagOf(node: NodeSpec, name: string): boolean {
  return attribute(node, name).b === true;
}

/** A number of a node, or the default where it has none. */
export function numberOf(node: NodeSpec, name: string, otherwise: number): number {
  const { f, i } = attribute(node, name);
  const value = numericOf(f ?? i);
  return Number.isFinite(value) ? value : otherwise;
}
