// An ONNX graph while it is written from the nodes of a GraphModel. Pictures are [b, h, w, c] in the nodes and
// [b, c, h, w] in ONNX: each value knows the order of its axes, and is transposed where an operation needs the other one.
import { sizeOf } from '../../core/shapes.ts';
import type { Shape } from '../../core/types.ts';
import type { OnnxAttributes, OnnxConstant, OnnxNode, OnnxType } from './onnxModel.ts';

/** Types of values that are written. */
type ValueType = 'float32' | 'int32' | 'bool';

/** Values of a constant. */
export interface ConstantValues {
  readonly dtype: ValueType;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** Where a picture has its channels: last, as in the nodes, or second. All values but pictures are as in the nodes. */
export type ChannelOrder = 'last' | 'second';

/** The output of a node. */
export interface OnnxValue {
  /** Name in the ONNX graph. */
  readonly name: string;
  /** Shape with the axes as in the nodes; `null` for a free axis. */
  readonly shape: Shape;
  readonly order: ChannelOrder;
  readonly dtype: ValueType;
  /** The values of a constant. It is written to the graph only when an operation reads it as it is. */
  readonly constant?: ConstantValues;
  /** A list of integers that was computed from shapes; `null` stands for the number of examples. */
  readonly sizes?: readonly (number | null)[];
  /** Number of places on its free axis for each example: `h·w` for `[b, h, w, c]` as `[b·h·w, c]`. Default: 1. */
  readonly perExample?: number;
}

/** Why a node has no form in ONNX. */
export class Refusal extends Error {}

/** Collects operations and constants. */
export class OnnxDraft {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxConstant[] = [];
  private readonly names = new Set<string>();
  /** Names of values in an order that they were not made in, and of constants. */
  private readonly reordered = new Map<string | object, Map<string, string>>();

  /** The wanted name, or the first of `name_1`, `name_2` … that no value has. */
  freshName(wanted: string): string {
    let name = wanted;
    for (let count = 1; this.names.has(name); count++) name = `${wanted}_${String(count)}`;
    this.names.add(name);
    return name;
  }

  /** Adds an operation and returns the name of its output. */
  add(op: string, name: string, inputs: readonly string[], attributes: OnnxAttributes = {}): string {
    const output = this.freshName(name);
    this.nodes.push({ name: output, op, inputs, outputs: [output], attributes });
    return output;
  }

  /** Adds an operation with several outputs: `name`, `name:1` … */
  addSplit(name: string, inputs: readonly string[], count: number, attributes: OnnxAttributes): string[] {
    const outputs = Array.from({ length: count }, (_, index) =>
      this.freshName(index === 0 ? name : `${name}:${String(index)}`),
    );
    this.nodes.push({ name: outputs[0] ?? name, op: 'Split', inputs, outputs, attributes });
    return outputs;
  }

  /** Adds a constant and returns its name. */
  constant(name: string, type: OnnxType, shape: readonly number[], values: ArrayBufferView): string {
    const own = this.freshName(name);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.constants.push({ name: own, type, shape, bytes });
    return own;
  }

  /** Adds a list of integers, or one integer for the shape []. */
  integers(name: string, values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.constant(name, 'int64', shape, BigInt64Array.from(values, BigInt));
  }

  /** Adds a single number. */
  number(name: string, value: number): string {
    return this.constant(name, 'float32', [], Float32Array.of(value));
  }

  /** The name under which the graph has a float value with its channels at the wanted place. */
  read(value: OnnxValue, wanted: ChannelOrder = 'last'): string {
    if (value.dtype !== 'float32') throw new Refusal(`it computes with ${value.dtype}`);
    return this.readAny(value, wanted);
  }

  /** The same for a value of any type. */
  readAny(value: OnnxValue, wanted: ChannelOrder = 'last'): string {
    if (value.sizes !== undefined) throw new Refusal('it computes with a shape');
    const order = value.shape.length === 4 ? wanted : 'last';
    if (value.constant === undefined && value.order === order) return value.name;
    // A constant may have the name of another value in the ONNX graph.
    const source = value.constant?.values ?? value.name;
    const forms = this.reordered.get(source) ?? new Map<string, string>();
    const key = `${order} ${value.shape.join()}`;
    const name = forms.get(key) ?? this.reorder(value, order);
    this.reordered.set(source, forms.set(key, name));
    return name;
  }

  private reorder({ name, shape, constant }: OnnxValue, order: ChannelOrder): string {
    const axes = order === 'second' ? toSecond : toLast;
    if (constant !== undefined) {
      if (order === 'last') return this.constant(name, constant.dtype, constant.shape, constant.values);
      const moved = toSecond.map((axis) => constant.shape[axis] ?? 1);
      return this.constant(name, constant.dtype, moved, transposed(constant, toSecond));
    }
    const suffixed = `${name}/channels_${order}`;
    if (!isOnePixel(shape)) return this.add('Transpose', suffixed, [name], { perm: { ints: axes } });
    const sizes = (order === 'second' ? toSecond.map((axis) => shape[axis]) : shape).map((axis) => axis ?? -1);
    return this.add('Reshape', suffixed, [name, this.integers(`${suffixed}/shape`, sizes)]);
  }
}

/** Axes of [b, h, w, c] in the order of [b, c, h, w], and of [b, c, h, w] in the order of [b, h, w, c]. */
const toSecond = [0, 3, 1, 2];
const toLast = [0, 2, 3, 1];

/** The axis of a picture with its channels second, for an axis of a picture with its channels last. */
export function axisInSecond(axis: number): number {
  return toSecond.indexOf(axis);
}

/** Whether each picture has one pixel: then its numbers are in the same order with the channels second. */
export function isOnePixel([, height, width, channels, ...others]: Shape): boolean {
  return others.length === 0 && height === 1 && width === 1 && typeof channels === 'number';
}

/** Values with their four axes in another order. */
export function transposed({ shape, values }: ConstantValues, axes: readonly number[]): ConstantValues['values'] {
  const [a = 1, b = 1, c = 1, d = 1] = axes.map((axis) => shape[axis] ?? 1);
  const [stepA = 0, stepB = 0, stepC = 0, stepD = 0] = axes.map((axis) => sizeOf(shape.slice(axis + 1)));
  const moved = values.slice();
  let to = 0;
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      for (let k = 0; k < c; k++) {
        const from = i * stepA + j * stepB + k * stepC;
        for (let l = 0; l < d; l++) moved[to++] = values[from + l * stepD] ?? 0;
      }
    }
  }
  return moved;
}
