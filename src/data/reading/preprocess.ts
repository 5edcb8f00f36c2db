// Applies preprocessing and checks the result against the base's input. Preprocessing may be the user's own.
import { clone, dispose, Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { describeShape, fits } from '../../core/shapes.ts';
import type { Base } from '../../model/model.ts';
import type { Shape } from '../../core/types.ts';

/** Applies a base's preprocessing to one raw input and checks the result against the base's input. */
export async function preprocess(base: Base, input: unknown, id: string): Promise<Tensor> {
  const result: unknown = await base.preprocessor.apply(input);
  if (!isTensor(result) || result.isDisposed) throw notATensor(result, id);
  // The caller owns a tensor that the preprocessor returns unchanged.
  const tensor = result === input ? clone(result) : result;
  try {
    assertFits(base, tensor, id);
    if (base.preprocessor.spec.kind === 'custom') await assertFinite(tensor, id);
    return tensor;
  } catch (error) {
    dispose(tensor);
    throw error;
  }
}

function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

function assertFits({ trunk }: Base, { shape, dtype }: Tensor, id: string): void {
  const expected = trunk.input.shape.slice(1);
  if (!fits(shape, expected)) {
    throw new TransferKitError(
      'WRONG_SHAPE',
      `expected preprocessing to give ${describeShape(expected)}, got ${describeShape(shape)} for ${id}.`,
      { expected, received: shape, id },
    );
  }
  if (dtype === trunk.input.dtype) return;
  throw new TransferKitError(
    'WRONG_DTYPE',
    `expected preprocessing to give ${trunk.input.dtype}, got ${dtype} for ${id}. Cast it.`,
    { expected: trunk.input.dtype, received: dtype, id },
  );
}

/** The preprocessors of this package check their input; the user's own may not. */
async function assertFinite(tensor: Tensor, id: string): Promise<void> {
  const values = await tensor.data();
  if (values.every((value) => Number.isFinite(value))) return;
  const text = `expected preprocessing to give finite values, got NaN or infinity for ${id}.`;
  throw new TransferKitError('NOT_FINITE', text, { id });
}

function notATensor(result: unknown, id: string): TransferKitError {
  const found = isTensor(result) ? 'a disposed one' : typeof result;
  const text = `expected preprocessing to give a tensor, got ${found} for ${id}.`;
  return new TransferKitError('INVALID_OPTION', text, { id });
}

/**
 * Raises when examples of one batch differ in shape.
 *
 * @throws TransferKitError `WRONG_SHAPE`.
 */
export function assertEqualShapes(shapes: readonly Shape[]): void {
  const [first] = shapes;
  const other = shapes.find((shape) => describeShape(shape) !== describeShape(first ?? []));
  if (first === undefined || other === undefined) return;
  throw new TransferKitError(
    'WRONG_SHAPE',
    `expected examples of one shape, got ${describeShape(first)} and ${describeShape(other)}.`,
    { first, other },
  );
}
