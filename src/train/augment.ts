// Changes the inputs of training, so that no two epochs see the same picture: each example by a seed of its own.
import { clone, dispose, stack, Tensor, unstack } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { deriveSeed } from '../core/random.ts';
import { describeShape } from '../core/shapes.ts';

/**
 * Changes each training input a little, after preprocessing.
 *
 * Every epoch is one pass over the examples. Where features are kept (see `cache`), `views` changed inputs of each example
 * are run once, and epoch e trains on view e mod `views`. Where they are not, because nothing is frozen in front or with
 * `cache: false`, epoch e draws view e anew.
 *
 * @example
 * ```ts
 * import { add, randomUniform, tidy } from '@tensorflow/tfjs-core';
 *
 * await trainHead(model, samples, {
 *   epochs: 8,
 *   augment: {
 *     views: 4,
 *     apply: (input, seed) => tidy(() => add(input, randomUniform([], -0.2, 0.2, 'float32', seed))),
 *   },
 * });
 * ```
 */
export interface Augmentation {
  /** Changed inputs of each example that are kept, if there are as many epochs: whole, from 1. Default 1. */
  readonly views?: number;
  /**
   * Gives the changed input.
   *
   * @param input - One example as the base takes it, without the batch axis. It is freed afterwards.
   * @param seed - A whole number that fixes the change; it differs for each example and view.
   * @returns Finite values of the same shape and dtype.
   */
  apply(input: Tensor, seed: number): Tensor | Promise<Tensor>;
}

/** The same with every value settled. */
export interface SettledAugmentation extends Required<Augmentation> {
  readonly seed: number;
}

/** Inputs of a batch. */
export interface Inputs {
  /** [b, …] */
  readonly input: Tensor;
  /** Index and name of each example. */
  readonly indexes: readonly number[];
  readonly ids: readonly string[];
}

/** Keeps these draws apart from all others of the same seed. */
const purpose = 0x617567;

/**
 * Changes the inputs of a batch; the caller owns what comes and keeps what it gave.
 *
 * @throws TransferKitError `INVALID_OPTION` (no tensor), `WRONG_SHAPE`, `WRONG_DTYPE`, `NOT_FINITE`.
 */
export async function augmentInputs(
  verb: string,
  { apply, seed }: SettledAugmentation,
  { input, indexes, ids }: Inputs,
  view: number,
): Promise<Tensor> {
  const examples = unstack(input);
  const changed: Tensor[] = [];
  try {
    for (const [place, example] of examples.entries()) {
      const own = deriveSeed(seed, purpose, indexes[place] ?? 0, view);
      const result = await change(example, (given) => apply(given, own));
      if (isTensor(result)) changed.push(result);
      await assertAlike(verb, result, example, ids[place] ?? '');
    }
    return stack(changed);
  } finally {
    dispose([examples, changed]);
  }
}

/** Lets a function have a tensor that it may free or hand back. */
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

async function assertAlike(verb: string, result: unknown, { shape, dtype }: Tensor, id: string): Promise<void> {
  if (!isTensor(result) || result.isDisposed) {
    const found = isTensor(result) ? 'a disposed one' : typeof result;
    const text = `${verb}: expected augment.apply to give a tensor, got ${found} for ${id}.`;
    throw new TransferKitError('INVALID_OPTION', text, { id });
  }
  if (describeShape(result.shape) !== describeShape(shape)) {
    const text =
      `${verb}: expected augment.apply to keep the shape ${describeShape(shape)}, got ${describeShape(result.shape)} ` +
      `for ${id}. It changes one example at a time.`;
    throw new TransferKitError('WRONG_SHAPE', text, { expected: shape, received: result.shape, id });
  }
  if (result.dtype !== dtype) {
    const text = `${verb}: expected augment.apply to keep the type ${dtype}, got ${result.dtype} for ${id}. Cast it.`;
    throw new TransferKitError('WRONG_DTYPE', text, { expected: dtype, received: result.dtype, id });
  }
  const values = await result.data();
  if (values.every((value) => Number.isFinite(value))) return;
  const text = `${verb}: expected augment.apply to give finite values, got NaN or infinity for ${id}.`;
  throw new TransferKitError('NOT_FINITE', text, { id });
}

function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}
