// The general constructor of samples: from a function of targets and a function of inputs.
import { nameErrors } from '../../core/edge.ts';
import { TransferKitError } from '../../core/errors.ts';
import { setRoot } from '../../core/sampleRoots.ts';
import type { OnUnreadable, Sample, Samples, Target } from '../../core/types.ts';
import { shown } from '../../core/shown.ts';
import { splitIndices } from './splitIndices.ts';
import {
  describeLabels,
  labelsByHead,
  mainLabels,
  settleTargets,
  type GivenLabels,
  type SettledTargets,
} from './targetRecords.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** The definition of samples. */
export interface SamplesDefinition<Input> {
  /** Number of examples, above 0. */
  readonly size: number;
  /** Returns the target of the example at an index 0 … size - 1. Called once for each index, without reading inputs. */
  target(index: number): Target;
  /** Reads an example. May raise `UNREADABLE`. */
  read(index: number): Sample<Input> | Promise<Sample<Input>>;
  /**
   * Labels in the order of reports; by head where targets are records. Default: the labels of the targets in
   * alphabetical order.
   */
  readonly labels?: GivenLabels;
  /** What a verb does with an example that cannot be read. Default 'error'. */
  readonly onUnreadable?: OnUnreadable;
}

/**
 * Makes samples from functions. Labels, counts and splits follow from the targets.
 *
 * All targets have the same kind: a label, a list of labels (multi-label), a finite number, or a list of numbers
 * (regression) of one length; or all are records with such a target for each of the same heads. With given `labels`,
 * numbers have another meaning: whole numbers are indexes of labels, and are replaced by these; lists of numbers are
 * shares 0 … 1, one for each label; with two labels, a number 0 … 1 may be the share of the second one.
 *
 * @param definition - Size, targets and inputs.
 * @throws TransferKitError `NO_EXAMPLES`, `INVALID_OPTION`, `UNKNOWN_LABEL`, `OUT_OF_RANGE`.
 *
 * @example
 * ```ts
 * import { defineSamples } from 'transferkit';
 * const samples = defineSamples({
 *   size: 4,
 *   target: (index) => (index % 2 === 0 ? 'even' : 'odd'),
 *   read: (index) => ({ input: [index], target: index % 2 === 0 ? 'even' : 'odd', id: `number ${index}` }),
 * });
 * console.log(samples.labels, samples.classCounts); // [ 'even', 'odd' ] { even: 2, odd: 2 }
 * ```
 */
export function defineSamples<Input>(definition: SamplesDefinition<Input>): Samples<Input> {
  return nameErrors('defineSamples', () => {
    assertOptions(definition, {
      size: true,
      target: true,
      read: true,
      labels: true,
      onUnreadable: true,
    });
    return makeSamples(definition);
  });
}

/** Does the work of {@link defineSamples} for other makers of samples. */
export function makeSamples<Input>(definition: SamplesDefinition<Input>): Samples<Input> {
  const { size, onUnreadable = 'error' } = definition;
  assertSize(size);
  assertOnUnreadable(onUnreadable);
  const targets = Array.from({ length: size }, (_, i) => definition.target(i));
  const settled = settleTargets(targets, definition.labels);
  const isAsGiven = settled.targets.every((target, index) => target === targets[index]);
  return samplesOf({
    settled,
    onUnreadable,
    read: isAsGiven
      ? (index) => definition.read(index)
      : async (index) => ({ ...(await definition.read(index)), target: exampleAt(settled.targets, index) }),
  });
}

/** Targets that are checked, and how inputs are read. */
export interface SamplesParts<Input> {
  readonly settled: SettledTargets;
  readonly onUnreadable: OnUnreadable;
  read(index: number): Sample<Input> | Promise<Sample<Input>>;
}

/** Makes samples from checked targets: of a definition, of a part of a split, or sent by another thread. */
export function samplesOf<Input>(parts: SamplesParts<Input>): Samples<Input> {
  const { settled, onUnreadable } = parts;
  const { targets } = settled;
  const samples: Samples<Input> = {
    size: targets.length,
    ...describeLabels(targets, settled),
    onUnreadable,
    target: (index) => nameErrors('samples.target', () => exampleAt(targets, index)),
    read: (index) => {
      nameErrors('samples.read', () => exampleAt(targets, index));
      return parts.read(index);
    },
    split: (options) =>
      nameErrors('samples.split', () => {
        const { train, validation } = splitIndices(mainLabels(targets, settled), options);
        return { train: selectSamples(samples, train), validation: selectSamples(samples, validation) };
      }),
  };
  return samples;
}

/** Selects some of the examples, in the given order; the part keeps the labels of the whole. */
function selectSamples<Input>(samples: Samples<Input>, indices: readonly number[]): Samples<Input> {
  const heads = samples.heads && labelsByHead(samples.heads);
  const part = samplesOf({
    settled: {
      labels: samples.labels,
      ...(heads && { heads }),
      targets: indices.map((index) => samples.target(index)),
    },
    onUnreadable: samples.onUnreadable,
    read: (index) => samples.read(exampleAt(indices, index)),
  });
  setRoot(part, samples);
  return part;
}

/** Returns the element of a list at an index. Raises `INVALID_OPTION` for an index outside it. */
export function exampleAt<Value>(list: readonly Value[], index: number): Value {
  const value = list[index];
  if (value !== undefined) return value;
  const text = `expected an index 0 … ${String(list.length - 1)}, got ${String(index)}.`;
  throw new TransferKitError('INVALID_OPTION', text, { index, size: list.length });
}

function assertSize(size: number): void {
  if (size === 0) {
    throw new TransferKitError('NO_EXAMPLES', 'expected at least one example, got none. Check where they come from.');
  }
  if (!Number.isSafeInteger(size) || size < 0) {
    const text = `expected size to be a whole number above 0, got ${String(size)}.`;
    throw new TransferKitError('INVALID_OPTION', text, { size });
  }
}

/**
 * Raises unless a value is 'error' or 'skip'.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertOnUnreadable(value: string): void {
  if (value === 'error' || value === 'skip') return;
  const text = `expected onUnreadable to be 'error' or 'skip', got ${shown(value)}.`;
  throw new TransferKitError('INVALID_OPTION', text, { onUnreadable: value });
}
