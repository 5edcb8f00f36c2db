// Limits on the work that a file may cause. They are far beyond any network that runs in tfjs. Each error says its
// limit.
import type { LayerSpec } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import { describeShape, sizeOf } from '../../core/shapes.ts';
import { shown } from '../../core/shown.ts';
import type { Shape } from '../../core/types.ts';

/** Number of layers of a network. Layers of nested models are counted once per call. NASNetLarge has 1041. */
export const mostCalls = 10_000;

/** Number of nodes of a GraphModel, including constants. EfficientNet-B7 has about 3000. */
export const mostNodes = 100_000;

/** Number of values in one tensor for one example: 1 GiB as float32. */
const mostValues = 2 ** 28;

/** Whether a tensor can have this axis: free, or of a length from 1. */
export function isAxis(axis: unknown): axis is number | null {
  return axis === null || (Number.isSafeInteger(axis) && Number(axis) >= 1);
}

/**
 * Limit on windows, strides and dilations. Far above those of any layer; products of them fit into the 32 bits of
 * kernels.
 */
const mostSteps = 2 ** 20;

/**
 * Raises if a layer's window or strides are not whole numbers from 1. tfjs would accept them until the layer runs.
 *
 * @throws TransferKitError `NOT_A_MODEL`.
 */
export function assertWindow({ name, className, config }: LayerSpec): void {
  for (const key of ['kernel_size', 'pool_size', 'strides', 'dilation_rate']) {
    const value = config[key] ?? 1;
    const steps: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (steps.every((each) => each !== null && isAxis(each) && each <= mostSteps)) continue;
    const text =
      `expected ${key} of whole numbers from 1 to ${String(mostSteps)}, got ${shown(value)} at layer '${name}' ` +
      `(${className}). The model is damaged.`;
    throw new TransferKitError('NOT_A_MODEL', text, { layer: name, [key]: value });
  }
}

/**
 * Raises if a tensor would be too large for one example, or has an invalid size.
 *
 * @param where - The layer or node, for error texts: `layer 'pad'`.
 * @param shape - With or without the batch axis. Free axes count as 1.
 * @throws TransferKitError `NOT_A_MODEL` for lengths that are not whole numbers from 1, `OUT_OF_RANGE` for too many
 * values.
 */
export function assertSize(where: string, shape: Shape): void {
  if (!shape.every(isAxis)) {
    const text = `expected lengths of axes that are whole numbers from 1, got ${describeShape(shape)} at ${where}. The model is damaged.`;
    throw new TransferKitError('NOT_A_MODEL', text, { where, shape });
  }
  if (sizeOf(shape) <= mostValues) return;
  const text =
    `expected tensors of at most ${String(mostValues)} values for one example, got ${describeShape(shape)} at ${where}. ` +
    'Give a smaller inputSize, cut before it, or take another model.';
  throw new TransferKitError('OUT_OF_RANGE', text, { where, shape, most: mostValues });
}
