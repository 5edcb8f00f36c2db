// A model in the format of ONNX: as plain data, and as bytes. Field numbers are those of
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
import type { Shape } from '../../core/types.ts';
import { ProtoMessage } from './protobuf.ts';

/** Types of values, with their numbers in the format. */
const elementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;

export type OnnxType = keyof typeof elementTypes;

/** Value of an attribute. */
type OnnxAttribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] };

/** Attributes of an operation by name. */
export type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

/** One operation. */
export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  /** Names of values; '' for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: OnnxAttributes;
}

/** A constant. */
export interface OnnxConstant {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** The values, little-endian. */
  readonly bytes: Uint8Array;
}

/** An input or output of the graph. */
export interface OnnxPort {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: Shape;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

export interface OnnxModel {
  readonly graph: OnnxGraph;
  /** Texts by key. Default: none. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Versions that runtimes of 2022 and later read. */
const formatVersion = 8;
const operatorVersion = 17;

/** Writes a model as bytes. */
export function encodeModel({ graph, metadata = {} }: OnnxModel): Uint8Array<ArrayBuffer> {
  const model = new ProtoMessage();
  model.integer(1, formatVersion);
  model.text(2, 'transferkit');
  model.message(7, (message) => {
    writeGraph(message, graph);
  });
  model.message(8, (operators) => {
    operators.integer(2, operatorVersion);
  });
  for (const [key, value] of Object.entries(metadata)) {
    model.message(14, (entry) => {
      entry.text(1, key);
      entry.text(2, value);
    });
  }
  return model.joined();
}

function writeGraph(message: ProtoMessage, { name, nodes, constants, inputs, outputs }: OnnxGraph): void {
  for (const node of nodes)
    message.message(1, (inner) => {
      writeNode(inner, node);
    });
  message.text(2, name);
  for (const constant of constants)
    message.message(5, (inner) => {
      writeConstant(inner, constant);
    });
  for (const port of inputs)
    message.message(11, (inner) => {
      writePort(inner, port);
    });
  for (const port of outputs)
    message.message(12, (inner) => {
      writePort(inner, port);
    });
}

function writeNode(message: ProtoMessage, { name, op, inputs, outputs, attributes }: OnnxNode): void {
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  message.text(3, name);
  message.text(4, op);
  for (const [key, value] of Object.entries(attributes)) {
    message.message(5, (inner) => {
      inner.text(1, key);
      writeAttribute(inner, value);
    });
  }
}

function writeAttribute(message: ProtoMessage, value: OnnxAttribute): void {
  const type = 20;
  if ('float' in value) {
    message.float(2, value.float);
    message.integer(type, 1);
  } else if ('int' in value) {
    message.integer(3, value.int);
    message.integer(type, 2);
  } else if ('text' in value) {
    message.text(4, value.text);
    message.integer(type, 3);
  } else {
    message.integers(8, value.ints);
    message.integer(type, 7);
  }
}

function writeConstant(message: ProtoMessage, { name, type, shape, bytes }: OnnxConstant): void {
  message.integers(1, shape);
  message.integer(2, elementTypes[type]);
  message.text(8, name);
  message.bytes(9, bytes);
}

function writePort(message: ProtoMessage, { name, type, shape }: OnnxPort): void {
  message.text(1, name);
  message.message(2, (valueType) => {
    valueType.message(1, (tensor) => {
      tensor.integer(1, elementTypes[type]);
      tensor.message(2, (dimensions) => {
        shape.forEach((axis, index) => {
          dimensions.message(1, (dimension) => {
            if (axis === null) dimension.text(2, index === 0 ? 'batch' : `${name}_${String(index)}`);
            else dimension.integer(1, axis);
          });
        });
      });
    });
  });
}
