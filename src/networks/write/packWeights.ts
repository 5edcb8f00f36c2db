// Weights as bytes with tfjs's description of each, in single or half precision.
import { io, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { encodeHalf, largestHalf } from '../../core/float16.ts';

/** Precision of written weights: half, of 2 bytes a number; undefined is single, of 4. */
export type Quantization = 'float16';

/** The fields of an artefact that hold weights. */
export interface PackedWeights {
  readonly weightSpecs: io.WeightsManifestEntry[];
  readonly weightData: ArrayBuffer;
}

/**
 * Packs weights one after another. In half precision each number is rounded to the nearest (a relative error of at most
 * 2⁻¹¹; below 6·10⁻⁵ an absolute one of 3·10⁻⁸), and tfjs reads it as float32. Integers, and single numbers such as the
 * epsilon of a node, stay as they are.
 *
 * @param weights - By name. They are not disposed of.
 * @throws TransferKitError `NOT_FINITE` for NaN and infinity, `OUT_OF_RANGE` for a number that half precision does not
 * hold; both name the weight.
 */
export async function packWeights(
  weights: Readonly<Record<string, Tensor>>,
  quantize: Quantization | undefined,
): Promise<PackedWeights> {
  const weightSpecs: io.WeightsManifestEntry[] = [];
  const parts: ArrayBuffer[] = [];
  for (const [name, tensor] of Object.entries(weights)) {
    const isHalf = quantize !== undefined && tensor.dtype === 'float32' && tensor.size > 1;
    if (tensor.dtype === 'float32')
      assertNumbers(name, await tensor.data<'float32'>(), isHalf ? largestHalf : Infinity);
    const { specs, data } = await io.encodeWeights({ [name]: tensor });
    weightSpecs.push(...specs.map((spec) => (isHalf ? { ...spec, quantization: half } : spec)));
    parts.push(isHalf ? halvesOf(new Float32Array(data)) : data);
  }
  return { weightSpecs, weightData: io.CompositeArrayBuffer.join(parts) };
}

const half = { dtype: 'float16', original_dtype: 'float32' } as const;

function halvesOf(values: Float32Array): ArrayBuffer {
  const halves = new Uint16Array(values.length);
  encodeHalf(values, halves);
  return halves.buffer;
}

/** Raises unless all numbers are finite and within a limit. */
function assertNumbers(name: string, values: Float32Array, limit: number): void {
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
