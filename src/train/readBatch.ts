// Reads and preprocesses the examples of one batch side by side.
import { dispose, stack, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { describeShape, fits } from '../core/shapes.ts';
import type { Sample, Samples, TransferModel, Unreadable } from '../core/types.ts';
import { encodeTarget } from './targets.ts';

/** Examples that are ready for the network. The reader owns `input`. */
export interface Batch {
  /** [b, …]; undefined when no example of the batch could be read. */
  readonly input: Tensor | undefined;
  readonly targets: readonly Float32Array[];
  readonly weights: readonly number[];
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
  model: TransferModel,
  samples: Samples,
  indexes: readonly number[],
): Promise<Batch> {
  const settled = await Promise.allSettled(indexes.map((index) => readExample(verb, model, samples, index)));
  const found = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const inputs = found.flatMap((each) => ('input' in each ? [each.input] : []));
  try {
    for (const each of settled) if (each.status === 'rejected') throw each.reason;
    assertEqualShapes(verb, inputs);
    const readable = found.filter((each) => 'input' in each);
    return {
      input: inputs.length === 0 ? undefined : stack(inputs),
      targets: readable.map((each) => each.target),
      weights: readable.map((each) => each.weight),
      ids: readable.map((each) => each.id),
      unreadable: found.flatMap((each) => ('reason' in each ? [each] : [])),
    };
  } finally {
    dispose(inputs);
  }
}

/** Applies a model's preprocessing to one raw input and checks what comes out against what the base takes. */
export async function preprocess(verb: string, { base }: TransferModel, input: unknown, id: string): Promise<Tensor> {
  const tensor = await base.preprocessor.apply(input);
  const expected = base.trunk.input.shape.slice(1);
  if (fits(tensor.shape, expected)) return tensor;
  const received = tensor.shape;
  tensor.dispose();
  throw new TransferKitError(
    'WRONG_SHAPE',
    `${verb}: expected preprocessing to give ${describeShape(expected)}, got ${describeShape(received)} for ${id}.`,
    { expected, received, id },
  );
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

async function readExample(verb: string, model: TransferModel, samples: Samples, index: number): Promise<Example> {
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

function assertEqualShapes(verb: string, inputs: readonly Tensor[]): void {
  const [first] = inputs;
  const other = inputs.find((input) => describeShape(input.shape) !== describeShape(first?.shape ?? []));
  if (first === undefined || other === undefined) return;
  throw new TransferKitError(
    'WRONG_SHAPE',
    `${verb}: expected examples of one shape, got ${describeShape(first.shape)} and ${describeShape(other.shape)}.`,
    { first: first.shape, other: other.shape },
  );
}
