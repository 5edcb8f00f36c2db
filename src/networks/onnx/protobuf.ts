// Writes protocol buffers: https://protobuf.dev/programming-guides/encoding/.
import { copiedBytes, joinBytes } from '../../core/joinBytes.ts';

/** Wire types. */
const varint = 0;
const lengthDelimited = 2;
const fourBytes = 5;

/** A message as it is written, field by field. Bytes are only copied when the whole message is joined. */
export class ProtoMessage {
  private readonly pieces: Uint8Array[] = [];
  private length = 0;

  /** A whole number, positive or negative. */
  integer(field: number, value: number): void {
    this.add(varintOf(field * 8 + varint));
    this.add(varintOf(value));
  }

  /** A number in single precision. */
  float(field: number, value: number): void {
    this.add(varintOf(field * 8 + fourBytes));
    this.add(floatBytes([value]));
  }

  text(field: number, value: string): void {
    this.bytes(field, new TextEncoder().encode(value));
  }

  /** Bytes, which must not change before the message is joined. */
  bytes(field: number, value: Uint8Array): void {
    this.add(varintOf(field * 8 + lengthDelimited));
    this.add(varintOf(value.length));
    this.add(value);
  }

  /** A list of whole numbers. */
  integers(field: number, values: readonly number[]): void {
    this.bytes(field, joinBytes(values.map(varintOf)));
  }

  /** A list of numbers in single precision. */
  floats(field: number, values: readonly number[]): void {
    this.bytes(field, floatBytes(values));
  }

  /** A message within this one. */
  message(field: number, write: (inner: ProtoMessage) => void): void {
    const inner = new ProtoMessage();
    write(inner);
    this.add(varintOf(field * 8 + lengthDelimited));
    this.add(varintOf(inner.length));
    this.pieces.push(...inner.pieces);
    this.length += inner.length;
  }

  joined(): Uint8Array<ArrayBuffer> {
    return copiedBytes(this.pieces);
  }

  private add(bytes: Uint8Array): void {
    this.pieces.push(bytes);
    this.length += bytes.length;
  }
}

/** Seven bits a byte, the lowest first. A negative number is that of 64 bits in two's complement. */
function varintOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  while (left > 127n) {
    bytes.push(Number(left & 127n) | 128);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return Uint8Array.from(bytes);
}

function floatBytes(values: readonly number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, index) => {
    bytes.setFloat32(index * 4, value, true);
  });
  return new Uint8Array(bytes.buffer);
}
