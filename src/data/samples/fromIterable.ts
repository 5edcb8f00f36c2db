// Makes samples from an iterable or async iterable. All examples stay in memory.
import { nameErrors } from '../../core/edge.ts';
import { TransferKitError } from '../../core/errors.ts';
import { invalidOption, isObject } from '../../core/optionChecks.ts';
import type { OnUnreadable, Samples, Target } from '../../core/types.ts';
import { samplesOfArrays } from './fromArrays.ts';
import type { GivenLabels } from './targetRecords.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** One example of an iterable. */
export interface IterableExample<Input> {
  /**
   * Raw input, in any form that the base's preprocessing takes. The caller keeps a tensor, and must keep it alive as
   * long as the samples. A video, or one canvas for several examples, is refused: `await createImageBitmap(video)`
   * keeps the frame of a moment.
   */
  readonly input: Input;
  readonly target: Target;
  /** Name for messages and reports. Default: `example 0`, `example 1` … */
  readonly id?: string;
}

/** Options of {@link fromIterable}. */
export interface IterableOptions {
  /** Labels, by head where targets are records. Default: the labels of the targets in alphabetical order. */
  readonly labels?: GivenLabels;
  /** What a verb does with an example that cannot be read. Default 'error'. */
  readonly onUnreadable?: OnUnreadable;
}

/**
 * Collects examples from an iterable or async iterable (a generator, a database cursor, a stream of rows).
 *
 * @param iterable - Yields `{ input, target, id? }`; it is read to its end.
 * @param options - See {@link IterableOptions}.
 * @throws TransferKitError `NO_EXAMPLES`, `INVALID_OPTION`, `UNKNOWN_LABEL`, `OUT_OF_RANGE`; errors of the iterable are
 * passed on.
 *
 * @example
 * ```ts
 * import { fromIterable } from 'transferkit';
 * async function* rows() {
 *   yield { input: [0.1, 0.9], target: 'up' };
 *   yield { input: [0.8, 0.2], target: 'down' };
 * }
 * const samples = await fromIterable(rows());
 * console.log(samples.labels); // [ 'down', 'up' ]
 * ```
 */
export async function fromIterable<Input>(
  iterable: Iterable<IterableExample<Input>> | AsyncIterable<IterableExample<Input>>,
  options: IterableOptions = {},
): Promise<Samples<Input>> {
  return nameErrors('fromIterable', async () => {
    assertOptions(options, { labels: true, onUnreadable: true });
    if (!isIterable(iterable)) {
      throw invalidOption("an iterable of { input, target }: an array, a Map's values, a generator", iterable);
    }
    const examples: IterableExample<Input>[] = [];
    for await (const example of iterable) {
      assertExample(example, examples.length);
      examples.push(example);
    }
    return samplesOfArrays({
      inputs: examples.map(({ input }) => input),
      targets: examples.map(({ target }) => target),
      ids: examples.map(({ id }, i) => id ?? `example ${String(i)}`),
      ...options,
    });
  });
}

function isIterable(value: unknown): boolean {
  return isObject(value) && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

function assertExample(example: unknown, index: number): void {
  if (typeof example === 'object' && example !== null && 'input' in example && 'target' in example) return;
  const came =
    typeof example === 'object' && example !== null ? `fields ${Object.keys(example).join(', ')}` : typeof example;
  const text = `expected example ${String(index)} to be { input, target }, got ${came}.`;
  throw new TransferKitError('INVALID_OPTION', text, { index });
}
