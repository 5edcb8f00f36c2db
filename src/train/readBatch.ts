// Reads and preprocesses the examples of one batch side by side.
import { clone, dispose, stack, Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { describeShape, fits } from '../core/shapes.ts';
import type { Base, Sample, Samples, Shape, TransferModel, Unreadable } from '../core/types.ts';
import { readAhead } from './readAhead.ts';
import { encodeTarget, type Question } from './targets.ts';

/** For whom examples are read: a model, or a base with a question of its own. */
export type Reader = Question & Pick<TransferModel, 'base'>;

/** Examples that are ready for the network. The reader owns `input`. */
export interface Batch {
  /** [b, …]; undefined when no example of the batch could be read. */
  readonly input: Tensor | undefined;
  readonly targets: readonly Float32Array[];
  readonly weights: readonly number[];
  /** Indexes of the readable ones among the samples. */
  readonly indexes: readonly number[];
  readonly ids: readonly string[];
  readonly unreadable: readonly Unreadable[];
}

/**
 * Reads examples by index.
 *
 * Examples that cannot be read are listed; whether that is an error is for the caller to say. Anything else that is
 * wrong with an example (shape, range, NaN, label) is raised.
 */
export async function readBatch(
  verb: string,
  model: Reader,
  samples: Samples,
  indexes: readonly number[],
): Promise<Batch> {
  const settled = await Promise.allSettled(indexes.map((index) => readExample(verb, model, samples, index)));
  const found = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const inputs = found.flatMap((each) => ('input' in each ? [each.input] : []));
  try {
    for (const each of settled) if (each.status === 'rejected') throw each.reason;
    assertEqualShapes(
      verb,
      inputs.map((input) => input.shape),
    );
    const readable = found.filter((each) => 'input' in each);
    return {
      input: inputs.length === 0 ? undefined : stack(inputs),
      targets: readable.map((each) => each.target),
      weights: readable.map((each) => each.weight),
      // Nothing was rejected: what was found stands in the order of the question.
      indexes: indexes.filter((_, place) => 'input' in (found[place] ?? {})),
      ids: readable.map((each) => each.id),
      unreadable: found.flatMap((each) => ('reason' in each ? [each] : [])),
    };
  } finally {
    dispose(inputs);
  }
}

/** Reads batch after batch, those to come while the caller works on one. The caller owns the inputs. */
export function readBatches(
  verb: string,
  model: Reader,
  samples: Samples,
  batches: readonly (readonly number[])[],
): AsyncIterable<Batch> {
  return readAhead({
    batches,
    read: (rows) => readBatch(verb, model, samples, rows),
    free: ({ input }) => {
      dispose(input);
    },
  });
}

/** Applies a model's preprocessing to one raw input and checks what comes out against what the base takes. */
export async function preprocess(
  verb: string,
  { base }: Pick<TransferModel, 'base'>,
  input: unknown,
  id: string,
): Promise<Tensor> {
  const result: unknown = await base.preprocessor.apply(input);
  if (!isTensor(result) || result.isDisposed) throw notATensor(verb, result, id);
  // What a preprocessor hands through is the caller's.
  const tensor = result === input ? clone(result) : result;
  try {
    assertFits(verb, base, tensor, id);
    if (base.preprocessor.spec.kind === 'custom') await assertFinite(verb, tensor, id);
    return tensor;
  } catch (error) {
    dispose(tensor);
    throw error;
  }
}

function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

function assertFits(verb: string, { trunk }: Base, { shape, dtype }: Tensor, id: string): void {
  const expected = trunk.input.shape.slice(1);
  if (!fits(shape, expected)) {
    throw new TransferKitError(
      'WRONG_SHAPE',
      `${verb}: expected preprocessing to give ${describeShape(expected)}, got ${describeShape(shape)} for ${id}.`,
      { expected, received: shape, id },
    );
  }
  if (dtype === trunk.input.dtype) return;
  throw new TransferKitError(
    'WRONG_DTYPE',
    `${verb}: expected preprocessing to give ${trunk.input.dtype}, got ${dtype} for ${id}. Cast it.`,
    { expected: trunk.input.dtype, received: dtype, id },
  );
}

/** The preprocessors of this package check their input; of others nothing is known. */
async function assertFinite(verb: string, tensor: Tensor, id: string): Promise<void> {
  const values = await tensor.data();
  if (values.every((value) => Number.isFinite(value))) return;
  const text = `${verb}: expected preprocessing to give finite values, got NaN or infinity for ${id}.`;
  throw new TransferKitError('NOT_FINITE', text, { id });
}

function notATensor(verb: string, result: unknown, id: string): TransferKitError {
  const found = isTensor(result) ? 'a disposed one' : typeof result;
  const text = `${verb}: expected preprocessing to give a tensor, got ${found} for ${id}.`;
  return new TransferKitError('INVALID_OPTION', text, { id });
}

/**
 * Raises the one error about all examples that could not be read.
 *
 * @throws TransferKitError `UNREADABLE`, when there is an example to report and the samples do not say `skip`.
 */
export function assertReadable(verb: string, samples: Samples, unreadable: readonly Unreadable[]): void {
  if (unreadable.length === 0 || samples.onUnreadable === 'skip') return;
  const shown = unreadable.slice(0, 10).map(({ id, reason }) => `${id} (${reason})`);
  const more = unreadable.length > shown.length ? ` and ${String(unreadable.length - shown.length)} more` : '';
  throw new TransferKitError(
    'UNREADABLE',
    `${verb}: expected every example to be readable, got ${String(unreadable.length)} that are not: ${shown.join('; ')}${more}. ` +
      "Remove them, or read the samples with onUnreadable: 'skip'.",
    { unreadable },
  );
}

type Example =
  { readonly input: Tensor; readonly target: Float32Array; readonly weight: number; readonly id: string } | Unreadable;

async function readExample(verb: string, model: Reader, samples: Samples, index: number): Promise<Example> {
  let sample: Sample;
  try {
    sample = await samples.read(index);
  } catch (error) {
    return unreadable(`example ${String(index)}`, error);
  }
  const target = encodeTarget(verb, model, sample.target, sample.id);
  const weight = checkWeight(verb, sample);
  try {
    return { input: await preprocess(verb, model, sample.input, sample.id), target, weight, id: sample.id };
  } catch (error) {
    return unreadable(sample.id, error);
  }
}

function checkWeight(verb: string, { weight = 1, id }: Sample): number {
  if (Number.isFinite(weight) && weight >= 0) return weight;
  const text = `${verb}: expected a finite weight of at least 0, got ${String(weight)} for ${id}.`;
  throw new TransferKitError('INVALID_OPTION', text, { id, weight });
}

/** An example that could not be read; errors that say more than that go on. */
function unreadable(id: string, error: unknown): Unreadable {
  if (error instanceof TransferKitError && error.code !== 'UNREADABLE' && error.code !== 'NOT_FOUND') throw error;
  return { id, reason: error instanceof Error ? error.message.replace('[transferkit] ', '') : String(error) };
}

/**
 * Raises when examples that go through the network together differ in shape.
 *
 * @throws TransferKitError `WRONG_SHAPE`.
 */
export function assertEqualShapes(verb: string, shapes: readonly Shape[]): void {
  const [first] = shapes;
  const other = shapes.find((shape) => describeShape(shape) !== describeShape(first ?? []));
  if (first === undefined || other === undefined) return;
  throw new TransferKitError(
    'WRONG_SHAPE',
    `${verb}: expected examples of one shape, got ${describeShape(first)} and ${describeShape(other)}.`,
    { first, other },
  );
}
