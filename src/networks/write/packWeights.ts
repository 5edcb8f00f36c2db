// Weights as bytes with tfjs's description of each, in single or half precision, or kernels as whole numbers of one byte.
import { io, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { encodeHalf, largestHalf } from '../../core/float16.ts';

/** Smaller types of written weights: of 2 bytes a number, or of 1 for kernels. */
export type Quantization = 'float16' | 'uint8';

/**
 * How a kernel becomes bytes: from its least to its largest number in equal steps (`range`), or as it is because it holds
 * whole numbers from -127 to 127 (`whole`).
 */
export type Grid = 'range' | 'whole';

/** Precision of written weights: half for all, or bytes for those of these names. Undefined is single, of 4 bytes. */
export type Packing = 'float16' | ReadonlyMap<string, Grid>;

/** The fields of an artefact that hold weights. */
export interface PackedWeights {
  readonly weightSpecs: io.WeightsManifestEntry[];
  readonly weightData: ArrayBuffer;
}

/**
 * Packs weights one after another. tfjs reads all of them as float32.
 *
 * In half precision each number is rounded to the nearest (a relative error of at most 2⁻¹¹; below 6·10⁻⁵ an absolute
 * one of 3·10⁻⁸). Integers, and single numbers such as the epsilon of a node, stay as they are. In bytes the error is at
 * most half a step, and zero stays zero.
 *
 * @param weights - By name. They are not disposed of.
 * @throws TransferKitError `NOT_FINITE` for NaN and infinity, `OUT_OF_RANGE` for a number that half precision does not
 * hold; both name the weight.
 */
export async function packWeights(
  weights: Readonly<Record<string, Tensor>>,
  packing: Packing | undefined,
): Promise<PackedWeights> {
  const weightSpecs: io.WeightsManifestEntry[] = [];
  const parts: ArrayBuffer[] = [];
  for (const [name, tensor] of Object.entries(weights)) {
    const isHalf = packing === 'float16' && tensor.dtype === 'float32' && tensor.size > 1;
    if (tensor.dtype === 'float32')
      assertNumbers(name, await tensor.data<'float32'>(), isHalf ? largestHalf : undefined);
    const { specs, data } = await io.encodeWeights({ [name]: tensor });
    const grid = packing === 'float16' ? undefined : packing?.get(name);
    const packed = isHalf ? halvesOf(new Float32Array(data)) : grid && bytesOf(new Float32Array(data), grid);
    weightSpecs.push(...specs.map((spec) => (packed === undefined ? spec : { ...spec, quantization: packed.as })));
    parts.push(packed?.data ?? data);
  }
  return { weightSpecs, weightData: io.CompositeArrayBuffer.join(parts) };
}

/** Values in another type, and tfjs's description of it. */
interface Packed {
  /** tfjs's type lacks the field that its loaders need for half precision. */
  readonly as: NonNullable<io.WeightsManifestEntry['quantization']> & { readonly original_dtype: 'float32' };
  readonly data: ArrayBuffer;
}

function halvesOf(values: Float32Array): Packed {
  const halves = new Uint16Array(values.length);
  encodeHalf(values, halves);
  return { as: { dtype: 'float16', original_dtype: 'float32' }, data: halves.buffer };
}

/** 254 steps: the 255th is left for moving the grid so that zero is on it. */
const steps = 254;

function bytesOf(values: Float32Array, grid: Grid): Packed {
  const { scale, offset } = grid === 'whole' ? { scale: 1, offset: 127 } : gridOf(values);
  const bytes = Uint8Array.from(values, (value) => Math.round(value / scale) + offset);
  return { as: { dtype: 'uint8', original_dtype: 'float32', scale, min: -offset * scale }, data: bytes.buffer };
}

/** A grid over all values, and over zero. */
function gridOf(values: Float32Array): { readonly scale: number; readonly offset: number } {
  const least = values.reduce((a, b) => Math.min(a, b), 0);
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  const scale = (most - least) / steps || 1;
  return { scale, offset: Math.round(-least / scale) };
}

/**
 * Raises unless all numbers are finite and within a limit.
 *
 * @throws TransferKitError `NOT_FINITE`, `OUT_OF_RANGE`.
 */
export function assertNumbers(name: string, values: Float32Array, limit = Infinity): void {
  const wrong = values.find((value) => !(Math.abs(value) <= limit) || Math.abs(value) === Infinity);
  if (wrong === undefined) return;
  if (!Number.isFinite(wrong)) {
    const text =
      `expected finite weights, got ${String(wrong)} in '${name}'. The file that it was read from is damaged, or its ` +
      'training diverged: load it again.';
    throw new TransferKitError('NOT_FINITE', text, { weights: [name], value: wrong });
  }
  const text =
    `expected weights from -${String(limit)} to ${String(limit)} for quantize: 'float16', got ${String(wrong)} in ` +
    `'${name}'. Leave quantize out.`;
  throw new TransferKitError('OUT_OF_RANGE', text, { weight: name, value: wrong, limit });
}
