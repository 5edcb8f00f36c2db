// What every trunk checks before it runs.
import type { Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { describeShape, fits } from '../../core/shapes.ts';
import type { TensorSpec } from '../../core/types.ts';

/** @throws TransferKitError `DISPOSED`. */
export function assertUsable(name: string, disposed: boolean): void {
  if (!disposed) return;
  const text = `expected a usable model, got '${name}' after its dispose(). Load or build it again.`;
  throw new TransferKitError('DISPOSED', text, { name });
}

/**
 * Checks what enters a stage. Numbers of another type are taken as floats: a layer casts them.
 *
 * @param at - Name of the layer that gives such a tensor.
 * @throws TransferKitError `WRONG_SHAPE`, `WRONG_DTYPE`.
 */
export function assertInput(input: Tensor, expected: TensorSpec, at: string): void {
  assertShape(input, expected, at);
  if (expected.dtype !== 'float32' || input.dtype === 'string') assertType(input, expected, at);
}

/** {@link assertInput} for what runs by operations, which cast nothing. */
export function assertExactInput(input: Tensor, expected: TensorSpec, at: string): void {
  assertShape(input, expected, at);
  assertType(input, expected, at);
}

function assertShape({ shape }: Tensor, expected: TensorSpec, at: string): void {
  if (fits(shape, expected.shape)) return;
  const text = `expected a tensor of shape ${describeShape(expected.shape)} at '${at}', got ${describeShape(shape)}.`;
  throw new TransferKitError('WRONG_SHAPE', text, { expected: expected.shape, received: shape, layer: at });
}

function assertType({ dtype }: Tensor, expected: TensorSpec, at: string): void {
  if (dtype === expected.dtype) return;
  const text = `expected a tensor of type ${expected.dtype} at '${at}', got ${dtype}.`;
  throw new TransferKitError('WRONG_DTYPE', text, { expected: expected.dtype, received: dtype, layer: at });
}
