// Makes samples from two arrays, of inputs and of targets.
import { nameErrors } from '../../core/edge.ts';
import { TransferKitError } from '../../core/errors.ts';
import { invalidOption } from '../../core/optionChecks.ts';
import type { OnUnreadable, Sample, Samples, Target } from '../../core/types.ts';
import { exampleAt, makeSamples } from './defineSamples.ts';
import { assertStill } from './liveInputs.ts';
import type { GivenLabels } from './targetRecords.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Examples as two arrays of equal length. */
export interface ArraysOptions<Input> {
  /**
   * Raw inputs, in any form that the base's preprocessing takes. The caller keeps tensors among them. Inputs are read
   * when a verb needs them: a video, or one canvas for several examples, is refused, and an ImageBitmap or VideoFrame
   * must stay open until then. `await createImageBitmap(video)` keeps the frame of a moment.
   */
  readonly inputs: readonly Input[];
  /**
   * A label, a list of labels, a number or a list of numbers for each input, all of one kind; for several heads,
   * records of these. With given `labels`, whole numbers are indexes of labels, and lists of numbers are shares 0 … 1,
   * one for each label.
   */
  readonly targets: readonly Target[];
  /** Labels, by head where targets are records. Default: the labels of the targets in alphabetical order. */
  readonly labels?: GivenLabels;
  /** Names for messages and reports. Default: `example 0`, `example 1` … */
  readonly ids?: readonly string[];
  /** Weight of each example in the loss, from 0. Default 1 for all. */
  readonly weights?: readonly number[];
  /** What a verb does with an example that cannot be read. Default 'error'. */
  readonly onUnreadable?: OnUnreadable;
}

/**
 * Makes samples from two arrays.
 *
 * @param options - Inputs and targets; optionally labels, ids and weights.
 * @throws TransferKitError `NO_EXAMPLES`; `INVALID_OPTION` for arrays of different length, mixed or non-finite targets,
 * and inputs of a page that go on changing; `UNKNOWN_LABEL` for a target that is not among the given labels; `OUT_OF_RANGE` for a number that is neither
 * an index nor a share of them.
 *
 * @example
 * ```ts
 * import { fromArrays } from 'transferkit';
 * const inputs = [[5.1, 3.5], [6.2, 2.9], [4.9, 3.1]];
 * const samples = fromArrays({ inputs, targets: ['setosa', 'virginica', 'setosa'] });
 * console.log(samples.size, samples.classCounts); // 3 { setosa: 2, virginica: 1 }
 * ```
 */
export function fromArrays<Input>(options: ArraysOptions<Input>): Samples<Input> {
  return nameErrors('fromArrays', () => {
    assertOptions(options, {
      inputs: true,
      targets: true,
      labels: true,
      ids: true,
      weights: true,
      onUnreadable: true,
    });
    return samplesOfArrays(options);
  });
}

/** {@link fromArrays}, with the name of the function that the user called for error texts. */
export function samplesOfArrays<Input>(options: ArraysOptions<Input>): Samples<Input> {
  const { ids, weights, labels, onUnreadable } = options;
  assertArray('inputs', options.inputs);
  assertArray('targets', options.targets);
  assertSameLength('targets', options.targets.length, options.inputs.length);
  if (ids !== undefined) assertSameLength('ids', ids.length, options.inputs.length);
  if (weights !== undefined) assertSameLength('weights', weights.length, options.inputs.length);
  // Copies, so that later changes of the caller's arrays have no effect. A hole among the targets becomes an empty
  // label, which is then refused with its position.
  const examples = options.inputs.map((input, i): Sample<Input> => ({
    input,
    target: options.targets[i] ?? '',
    id: ids?.[i] ?? `example ${String(i)}`,
    weight: weights?.[i] ?? 1,
  }));
  assertStill(
    options.inputs,
    examples.map(({ id }) => id),
  );
  return makeSamples({
    size: examples.length,
    target: (index) => exampleAt(examples, index).target,
    read: (index) => exampleAt(examples, index),
    ...(labels === undefined ? {} : { labels }),
    ...(onUnreadable === undefined ? {} : { onUnreadable }),
  });
}

function assertSameLength(name: string, found: number, expected: number): void {
  if (found === expected) return;
  const text = `expected as many ${name} as inputs (${String(expected)}), got ${String(found)}. Check how they are paired.`;
  throw new TransferKitError('INVALID_OPTION', text, { inputs: expected, [name]: found });
}

function assertArray(name: string, values: unknown): void {
  if (!Array.isArray(values)) throw invalidOption(`${name} to be an array with one element for each example`, values);
}
