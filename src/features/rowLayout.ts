// Layout of an example in a row of bytes: features in single or half precision, padded to a multiple of 4 bytes, then
// the target in single precision.
import { decodeHalf, encodeHalf } from '../core/float16.ts';

/** Number type of the stored features. Targets are always float32. */
export type Precision = 'float32' | 'float16';

/** Writes and reads rows of a fixed width. */
export interface RowLayout {
  readonly rowBytes: number;
  write(row: Uint8Array, features: Float32Array, target: Float32Array): void;
  read(row: Uint8Array, features: Float32Array, target: Float32Array): void;
}

/** The layout for numbers of feature and target values. */
export function rowLayout(precision: Precision, features: number, targets: number): RowLayout {
  const bytes = precision === 'float16' ? 2 : 4;
  const targetStart = 4 * Math.ceil((features * bytes) / 4);
  const singles = ({ buffer, byteOffset }: Uint8Array) => new Float32Array(buffer, byteOffset, features);
  const halves = ({ buffer, byteOffset }: Uint8Array) => new Uint16Array(buffer, byteOffset, features);
  const targetOf = ({ buffer, byteOffset }: Uint8Array) => new Float32Array(buffer, byteOffset + targetStart, targets);
  return {
    rowBytes: targetStart + targets * 4,
    write(row, values, target) {
      if (precision === 'float16') encodeHalf(values, halves(row));
      else singles(row).set(values);
      targetOf(row).set(target);
    },
    read(row, values, target) {
      if (precision === 'float16') decodeHalf(halves(row), values);
      else values.set(singles(row));
      target.set(targetOf(row));
    },
  };
}
