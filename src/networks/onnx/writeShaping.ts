// Operations that move, add or drop values and axes as ONNX.
import { sizeOf } from '../../core/shapes.ts';
import { resizeWriters } from './writeResizing.ts';
import type { Shape } from '../../core/types.ts';
import { textIn, numbersIn } from '../graphs/nodeGraph.ts';
import {
  axesAt,
  constantAt,
  floats,
  inputAt,
  integersAt,
  numberOf,
  sizesAt,
  type NodeSite,
  type WriteNode,
} from './nodeSite.ts';
import { axisInSecond, isOnePixel, Refusal, type ChannelOrder, type OnnxValue } from './onnxDraft.ts';
import type { OnnxAttributes } from './onnxModel.ts';

/** By the operation of the node. */
export const shapingWriters: Readonly<Record<string, WriteNode>> = {
  Cast: writeCast,
  Concat: (site) => concatenate(site, 1, site.inputs.length, 0),
  ConcatV2: (site) => concatenate(site, 0, site.inputs.length - 1, site.inputs.length - 1),
  ExpandDims: (site) => {
    const { shape } = inputAt(site, 0);
    const [axis = 0] = axesAt(site, 1, shape.length + 1);
    return reshape(site, [...shape.slice(0, axis), 1, ...shape.slice(axis)]);
  },
  MirrorPad: (site) => pad(site, textIn(site.node, 'mode').toLowerCase() === 'symmetric' ? 'symmetric' : 'reflect'),
  Pad: (site) => pad(site, 'constant'),
  PadV2: (site) => pad(site, 'constant'),
  Reshape: writeReshape,
  ...resizeWriters,
  Slice: writeSlice,
  Split: (site) => {
    const [axis = 0] = axesAt(site, 0, inputAt(site, 1).shape.length);
    return split(site, inputAt(site, 1), axis, numberOf(site.node, 'num_split', 1));
  },
  Squeeze: (site) => {
    const { shape } = inputAt(site, 0);
    const axes = [...numbersIn(site.node, 'squeeze_dims'), ...numbersIn(site.node, 'axis')];
    const dropped = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
    return reshape(
      site,
      shape.filter((size, axis) => (dropped.length === 0 ? size !== 1 : !dropped.includes(axis))),
    );
  },
  Tile: (site) => {
    const x = inputAt(site, 0);
    const counts = integersAt(site, 1);
    const shape = x.shape.map((size, axis) => (size === null ? null : size * (counts[axis] ?? 1)));
    keepExamples(x, (axis) => counts[axis] === 1);
    const repeats = site.draft.integers(`${site.node.name}/repeats`, counts);
    return floats(site.draft.add('Tile', site.node.name, [site.draft.read(x), repeats]), shape);
  },
  Transpose: writeTranspose,
};

/** ONNX computes from integers as from floats where the nodes convert them. */
function writeCast(site: NodeSite): OnnxValue {
  const x = inputAt(site, 0);
  if (x.sizes !== undefined) return x;
  const { DstT: type } = site.node.attr;
  const isFloat = JSON.stringify(type ?? '').includes('DT_FLOAT');
  if (!isFloat) throw new Refusal('it converts to a type other than float32');
  if (x.dtype === 'float32') return x;
  const y = site.draft.add('Cast', site.node.name, [site.draft.readAny(x, x.order)], { to: { int: 1 } });
  return floats(y, x.shape, x.order);
}

function concatenate(site: NodeSite, from: number, to: number, axisPlace: number): OnnxValue {
  const { draft, node } = site;
  const parts = site.inputs.slice(from, to);
  const [first] = parts;
  if (first === undefined) throw new Refusal('it joins nothing');
  const [axis = 0] = axesAt(site, axisPlace, first.shape.length);
  for (const part of parts) keepExamples(part, (each) => each !== axis);
  const order: ChannelOrder = parts.some((part) => part.order === 'second') ? 'second' : 'last';
  const sizes = parts.map((part) => part.shape[axis] ?? null);
  const total = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const shape = first.shape.map((size, each) => (each === axis ? total : size));
  const inputs = parts.map((part) => draft.read(part, order));
  const own = order === 'second' ? axisInSecond(axis) : axis;
  return floats(draft.add('Concat', node.name, inputs, { axis: { int: own } }), shape, order);
}

/** The same numbers in the same order, with other axes. At most one of them may be free. */
function reshape(site: NodeSite, shape: Shape): OnnxValue {
  const { draft, node } = site;
  const x = inputAt(site, 0);
  // One pixel has the same order of numbers, wherever its channels are.
  const from = isOnePixel(x.shape) && x.constant === undefined ? x.name : draft.readAny(x);
  if (shape.filter((size) => size === null).length > 1) throw new Refusal('its result has several free axes');
  const sizes = draft.integers(
    `${node.name}/shape`,
    shape.map((size) => size ?? -1),
  );
  const y = draft.add('Reshape', node.name, [from, sizes]);
  return { ...floats(y, shape), dtype: x.dtype };
}

function writeReshape(site: NodeSite): OnnxValue {
  const { shape: given, perExample = 1 } = inputAt(site, 0);
  const shape = resolved(sizesAt(site, 1), given, perExample);
  return { ...reshape(site, shape), perExample: (perExample * sizeOf(given)) / sizeOf(shape) };
}

/** A wanted shape with -1 for the axis that is computed. The number of examples stays free. */
function resolved(wanted: readonly (number | null)[], given: Shape, perExample: number): Shape {
  const known = wanted.filter((size) => size !== null && size !== -1);
  if (known.length === wanted.length) return wanted;
  const fixed = given.filter((size) => size !== null);
  if (fixed.length < given.length - 1) throw new Refusal('it reshapes a value with several free axes');
  const isFree = fixed.length < given.length;
  // Without a place for the number of examples, the computed axis holds it.
  const hasBatch = wanted.includes(null) || !isFree;
  const rest = (perExample * sizeOf(fixed)) / sizeOf(known);
  return wanted.map((size) => (size === -1 ? (hasBatch ? rest : null) : size));
}

function writeTranspose(site: NodeSite): OnnxValue {
  const x = inputAt(site, 0);
  const perm = integersAt(site, 1);
  const y = site.draft.add('Transpose', site.node.name, [site.draft.readAny(x)], { perm: { ints: perm } });
  return {
    ...floats(
      y,
      perm.map((axis) => x.shape[axis] ?? null),
    ),
    dtype: x.dtype,
  };
}

function pad(site: NodeSite, mode: string): OnnxValue {
  const { draft, node } = site;
  if (mode === 'symmetric') throw new Refusal('it mirrors the edge itself');
  const x = inputAt(site, 0);
  const amounts = integersAt(site, 1);
  const value = site.inputs.length > 2 ? (constantAt(site, 2).values[0] ?? 0) : 0;
  const pairs = x.shape.map((_, axis) => [amounts[axis * 2] ?? 0, amounts[axis * 2 + 1] ?? 0]);
  keepExamples(x, (axis) => pairs[axis]?.every((amount) => amount === 0) === true);
  const own = physical(x, pairs);
  const pads = draft.integers(`${node.name}/pads`, [
    ...own.map(([before = 0]) => before),
    ...own.map(([, after = 0]) => after),
  ]);
  const isDropped = value === 0 && site.readBy.has('MaxPool');
  const inputs = [
    draft.read(x, x.order),
    pads,
    ...(mode === 'constant' ? [draft.number(`${node.name}/value`, isDropped ? almostZero : value)] : []),
  ];
  const shape = x.shape.map((size, axis) =>
    size === null ? null : size + (pairs[axis]?.[0] ?? 0) + (pairs[axis]?.[1] ?? 0),
  );
  return floats(draft.add('Pad', node.name, inputs, { mode: { text: mode } }), shape, x.order);
}

/**
 * ONNX Runtime merges a padding with zeros into a MaxPool after it, which then leaves the zeros out
 * (optimizer/pad_fusion.cc of 1.30). It does so only for an exact zero: this is the smallest normal number.
 */
const almostZero = 2 ** -126;

/** Settings of each axis in the order that a value has in ONNX. */
function physical<Setting>({ order, shape }: OnnxValue, settings: readonly Setting[]): Setting[] {
  if (order === 'last' || shape.length !== 4) return [...settings];
  const moved = [...settings];
  settings.forEach((setting, axis) => (moved[axisInSecond(axis)] = setting));
  return moved;
}

function writeSlice(site: NodeSite): OnnxValue {
  const { draft, node } = site;
  const x = inputAt(site, 0);
  const [starts, sizes] = [integersAt(site, 1), integersAt(site, 2)];
  keepExamples(x, (axis) => starts[axis] === 0 && sizes[axis] === -1);
  const shape = x.shape.map((size, axis) => {
    const length = sizes[axis] ?? -1;
    return length !== -1 ? length : size === null ? null : size - (starts[axis] ?? 0);
  });
  const ends = starts.map((start, axis) => (sizes[axis] === -1 ? largest : start + (sizes[axis] ?? 0)));
  const inputs = [
    draft.read(x, x.order),
    draft.integers(`${node.name}/starts`, physical(x, starts)),
    draft.integers(`${node.name}/ends`, physical(x, ends)),
  ];
  return floats(draft.add('Slice', node.name, inputs), shape, x.order);
}

/** Raises if an operation changes the number of examples. */
function keepExamples({ shape }: OnnxValue, keeps: (axis: number) => boolean): void {
  if (shape.some((size, axis) => size === null && !keeps(axis))) throw new Refusal('it changes a free axis');
}

/** An end after every axis. */
const largest = 2 ** 31 - 1;

function split(site: NodeSite, x: OnnxValue, axis: number, count: number): OnnxValue[] {
  const size = x.shape[axis];
  if (typeof size !== 'number' || size % count !== 0) throw new Refusal('its parts have no equal, known size');
  const attributes: OnnxAttributes = { axis: { int: x.order === 'second' ? axisInSecond(axis) : axis } };
  const shape = x.shape.map((each, place) => (place === axis ? size / count : each));
  const outputs = site.draft.addSplit(site.node.name, [site.draft.read(x, x.order)], count, attributes);
  return outputs.map((output) => floats(output, shape, x.order));
}
