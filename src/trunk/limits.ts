// How much work a file may ask for. The limits are far beyond any network that runs in tfjs, and each error names its own.
import { TransferKitError } from '../core/errors.ts';
import { describeShape, sizeOf } from '../core/shapes.ts';
import { shown } from '../core/shown.ts';
import type { Shape } from '../core/types.ts';

/** Layers of a network, those of nested models included and once for each call. NASNetLarge has 1041. */
export const mostCalls = 10_000;

/** Nodes of a GraphModel, constants included. EfficientNet-B7 has about 3000. */
export const mostNodes = 100_000;

/** Values in one tensor for one example: 1 GiB as float32. */
export const mostValues = 2 ** 28;

/** Whether an axis is one that a tensor can have: free, or of a length from 1 on. */
export function isAxis(axis: unknown): axis is number | null {
  return axis === null || (Number.isSafeInteger(axis) && Number(axis) >= 1);
}

/**
 * Raises when a layer has a dilation that is no whole number from 1: tfjs takes it until the layer runs.
 *
 * @throws TransferKitError `NOT_A_MODEL`.
 */
export function assertDilation(layer: string, rate: unknown): void {
  const rates: readonly unknown[] = Array.isArray(rate) ? rate : [rate ?? 1];
  if (rates.every((each) => each !== null && isAxis(each))) return;
  const text = `expected dilations that are whole numbers from 1, got ${shown(rate)} at layer '${layer}'. The model is damaged.`;
  throw new TransferKitError('NOT_A_MODEL', text, { layer, rate });
}

/**
 * Raises when a tensor would be too large for one example, or has no size at all.
 *
 * @param where - The layer or node, for messages: `layer 'pad'`.
 * @param shape - With or without the batch axis; free axes count as 1.
 * @throws TransferKitError `NOT_A_MODEL` for lengths that are not whole numbers from 1, `OUT_OF_RANGE` for too many values.
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
