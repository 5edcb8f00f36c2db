// Reads what a written ONNX model says: nodes, constants, inputs, outputs and metadata, from its protocol buffer.

type Fields = Map<number, (number | Uint8Array)[]>;

/** The fields of a message by number. */
function fieldsOf(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, wire] = [key >> 3, key & 7];
    let value: number | Uint8Array;
    if (wire === 0) value = varint();
    else if (wire === 5) {
      value = view.getFloat32(at, true);
      at += 4;
    } else if (wire === 2) {
      const length = varint();
      value = bytes.subarray(at, at + length);
      at += length;
    } else throw new Error(`wire type ${String(wire)}`);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

const messages = (fields: Fields, field: number) =>
  (fields.get(field) ?? []).map((value) => fieldsOf(value as Uint8Array));
const texts = (fields: Fields, field: number) =>
  (fields.get(field) ?? []).map((value) => new TextDecoder().decode(value as Uint8Array));
const number = (fields: Fields, field: number) => fields.get(field)?.[0] as number;

function packed(fields: Fields, field: number): number[] {
  const [bytes] = fields.get(field) ?? [];
  if (!(bytes instanceof Uint8Array)) return [];
  const inner: number[] = [];
  for (let at = 0; at < bytes.length;) {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
    }
    inner.push(Number(BigInt.asIntN(64, value)));
  }
  return inner;
}

export interface ReadNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
}

export interface ReadConstant {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

function attributeOf(fields: Fields): number | string | readonly number[] {
  switch (number(fields, 20)) {
    case 1:
      return number(fields, 2);
    case 2:
      return number(fields, 3);
    case 3:
      return texts(fields, 4)[0]!;
    default:
      return packed(fields, 8);
  }
}

function portOf(fields: Fields) {
  const [tensor] = messages(messages(fields, 2)[0]!, 1);
  const axes = messages(messages(tensor!, 2)[0]!, 1);
  return {
    name: texts(fields, 1)[0]!,
    type: number(tensor!, 1),
    shape: axes.map((axis) => texts(axis, 2)[0] ?? number(axis, 1)),
  };
}

/** Reads a model. */
export function readOnnx(bytes: Uint8Array) {
  const model = fieldsOf(bytes);
  const [graph] = messages(model, 7);
  const nodes = messages(graph!, 1).map((node): ReadNode => ({
    op: texts(node, 4)[0]!,
    name: texts(node, 3)[0]!,
    inputs: texts(node, 1),
    outputs: texts(node, 2),
    attributes: Object.fromEntries(messages(node, 5).map((each) => [texts(each, 1)[0]!, attributeOf(each)])),
  }));
  const constants = messages(graph!, 5).map((each): ReadConstant => ({
    name: texts(each, 8)[0]!,
    type: number(each, 2),
    shape: packed(each, 1),
    bytes: each.get(9)?.[0] as Uint8Array,
  }));
  return {
    format: number(model, 1),
    opset: messages(model, 8).map((each) => number(each, 2)),
    metadata: Object.fromEntries(messages(model, 14).map((each) => [texts(each, 1)[0]!, texts(each, 2)[0]!])),
    nodes,
    constants,
    inputs: messages(graph!, 11).map(portOf),
    outputs: messages(graph!, 12).map(portOf),
  };
}

/** Values of a constant of floats. */
export function floatsOf({ bytes }: ReadConstant): number[] {
  return Array.from(new Float32Array(bytes.slice().buffer));
}
