// Checks that every trunk makes before it runs.
import { Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { invalidOption, isObject } from '../../core/optionChecks.ts';
import { describeShape, fits } from '../../core/shapes.ts';
import type { StageRange, TensorSpec } from '../../core/types.ts';

/** @throws TransferKitError `DISPOSED`. */
export function assertUsable(name: string, disposed: boolean): void {
  if (!disposed) return;
  const text = `expected a usable model, got '${name}' after its dispose(). Load or build it again.`;
  throw new TransferKitError('DISPOSED', text, { name });
}

/**
 * A range of stages with both ends filled in.
 *
 * @throws TransferKitError `INVALID_OPTION` unless 0 ≤ from ≤ to ≤ the number of stages.
 */
export function resolveRange(range: StageRange, stages: number): { readonly from: number; readonly to: number } {
  if (!isObject(range)) throw invalidOption('options such as { from: 0, to: 1 }', range);
  const { from = 0, to = stages } = range;
  const isRange = Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= stages;
  if (isRange) return { from, to };
  throw invalidOption(`stages 0 <= from <= to <= ${String(stages)}`, { from, to });
}

/**
 * Validates the input of a stage. Numbers of another type are accepted as floats: a layer casts them.
 *
 * @param at - Name of the layer whose output it is.
 * @throws TransferKitError `WRONG_SHAPE`, `WRONG_DTYPE`.
 */
export function assertInput(input: Tensor, expected: TensorSpec, at: string): void {
  assertShape(input, expected, at);
  if (expected.dtype !== 'float32' || input.dtype === 'string') assertType(input, expected, at);
}

/** {@link assertInput} for stages of operations, which cast nothing. */
export function assertExactInput(input: Tensor, expected: TensorSpec, at: string): void {
  assertShape(input, expected, at);
  assertType(input, expected, at);
}

function assertShape(input: Tensor, expected: TensorSpec, at: string): void {
  if (!(input instanceof Tensor)) throw invalidOption(`a tensor at '${at}'`, input);
  const { shape } = input;
  if (fits(shape, expected.shape)) return;
  const text = `expected a tensor of shape ${describeShape(expected.shape)} at '${at}', got ${describeShape(shape)}.`;
  throw new TransferKitError('WRONG_SHAPE', text, { expected: expected.shape, received: shape, layer: at });
}

function assertType({ dtype }: Tensor, expected: TensorSpec, at: string): void {
  if (dtype === expected.dtype) return;
  const text = `expected a tensor of type ${expected.dtype} at '${at}', got ${dtype}.`;
  throw new TransferKitError('WRONG_DTYPE', text, { expected: expected.dtype, received: dtype, layer: at });
}
