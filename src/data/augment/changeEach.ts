// Changes inputs one by one with the user's function, and checks each result against its input.
import { clone, dispose, stack, Tensor, unstack } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { describeShape } from '../../core/shapes.ts';

/**
 * Changes each training input a little, after preprocessing: for inputs that are not pictures, or for changes that this
 * package does not provide.
 *
 * @example
 * ```ts
 * import { add, randomUniform, tidy } from '@tensorflow/tfjs-core';
 *
 * await trainHead(model, samples, {
 *   epochs: 8,
 *   views: 4,
 *   augment: { apply: (input, seed) => tidy(() => add(input, randomUniform([], -0.2, 0.2, 'float32', seed))) },
 * });
 * ```
 */
export interface Augmentation {
  /**
   * Returns the changed input.
   *
   * @param input - One example in the values that the base takes, without the batch axis. It is freed afterwards.
   * @param seed - A whole number that fixes the change; different for each example and view.
   * @returns Finite values of the same shape and dtype.
   */
  apply(input: Tensor, seed: number): Tensor | Promise<Tensor>;
}

/** Inputs of a batch. */
export interface Inputs {
  /** [b, …] */
  readonly input: Tensor;
  /** Index and name of each example. */
  readonly indexes: readonly number[];
  readonly ids: readonly string[];
}

/**
 * Changes the inputs of a batch. The caller owns the result and keeps the given inputs.
 *
 * @param seeds - One for each example.
 * @throws TransferKitError `INVALID_OPTION` (the result is not a tensor), `WRONG_SHAPE`, `WRONG_DTYPE`, `NOT_FINITE`.
 */
export async function changeEach(
  augmentation: Augmentation,
  { input, ids }: Inputs,
  seeds: readonly number[],
): Promise<Tensor> {
  const examples = unstack(input);
  const changed: Tensor[] = [];
  try {
    for (const [place, example] of examples.entries()) {
      const result = await change(example, (given) => augmentation.apply(given, seeds[place] ?? 0));
      if (isTensor(result)) changed.push(result);
      await assertAlike(result, example, ids[place] ?? '');
    }
    return stack(changed);
  } finally {
    dispose([examples, changed]);
  }
}

/** Gives the function a tensor that it may free or return. */
async function change(example: Tensor, apply: (given: Tensor) => unknown): Promise<unknown> {
  const given = clone(example);
  let result: unknown;
  try {
    result = await apply(given);
    return result;
  } finally {
    if (result !== given) dispose(given);
  }
}

async function assertAlike(result: unknown, { shape, dtype }: Tensor, id: string): Promise<void> {
  if (!isTensor(result) || result.isDisposed) {
    const found = isTensor(result) ? 'a disposed one' : typeof result;
    const text = `expected augment.apply to give a tensor, got ${found} for ${id}.`;
    throw new TransferKitError('INVALID_OPTION', text, { id });
  }
  if (describeShape(result.shape) !== describeShape(shape)) {
    const text =
      `expected augment.apply to keep the shape ${describeShape(shape)}, got ${describeShape(result.shape)} ` +
      `for ${id}. It changes one example at a time.`;
    throw new TransferKitError('WRONG_SHAPE', text, { expected: shape, received: result.shape, id });
  }
  if (result.dtype !== dtype) {
    const text = `expected augment.apply to keep the type ${dtype}, got ${result.dtype} for ${id}. Cast it.`;
    throw new TransferKitError('WRONG_DTYPE', text, { expected: dtype, received: result.dtype, id });
  }
  const values = await result.data();
  if (values.every((value) => Number.isFinite(value))) return;
  const text = `expected augment.apply to give finite values, got NaN or infinity for ${id}.`;
  throw new TransferKitError('NOT_FINITE', text, { id });
}

function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}
