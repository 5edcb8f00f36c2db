// What targets of every kind become for the loss, and which are refused.
import { expect, test } from 'vitest';
import type { Target, TaskName } from '../../src/index.ts';
import { encodeTarget } from '../../src/model/tasks/encodeTarget.ts';

type Given = Exclude<Target, Readonly<Record<string, unknown>>>;

const labels = ['cat', 'dog', 'cow'];
const encode = (task: TaskName, target: Given, of = labels) =>
  Array.from(encodeTarget({ task, labels: of }, target, 'picture 7'));

const right: [TaskName, Given, readonly string[], number[]][] = [
  ['classes', 'dog', labels, [0, 1, 0]],
  ['classes', ['cow'], labels, [0, 0, 1]],
  ['classes', 0, labels, [1, 0, 0]],
  ['classes', 2, labels, [0, 0, 1]],
  ['classes', [0.25, 0.75, 0], labels, [0.25, 0.75, 0]],
  ['classes', [0.5, 0.5, 0.00009], labels, [0.5, 0.5, Math.fround(0.00009)]],
  ['binary', 'dog', ['cat', 'dog'], [1]],
  ['binary', 0, ['cat', 'dog'], [0]],
  ['binary', 0.25, ['cat', 'dog'], [0.25]],
  ['binary', [1], ['cat', 'dog'], [1]],
  ['binary', [0.75, 0.25], ['cat', 'dog'], [0.25]],
  ['multiLabel', ['cow', 'cat'], labels, [1, 0, 1]],
  ['multiLabel', [], labels, [0, 0, 0]],
  ['multiLabel', 'dog', labels, [0, 1, 0]],
  ['multiLabel', [1, 0.5, 1], labels, [1, 0.5, 1]],
  ['regression', 4, ['size'], [4]],
  ['regression', [4, -1], ['size', 'age'], [4, -1]],
];

test.each(right)('%s: %j of %j', (task, target, of, expected) => {
  expect(encode(task, target, [...of])).toEqual(expected);
});

const wrong: [TaskName, Given, readonly string[], string, RegExp][] = [
  ['classes', 3, labels, 'OUT_OF_RANGE', /a whole number 0 … 2, the index of a label, as target of picture 7, got 3/],
  ['classes', -1, labels, 'OUT_OF_RANGE', /got -1/],
  ['classes', 0.5, labels, 'OUT_OF_RANGE', /got 0\.5/],
  ['classes', [0.5, 0.4, 0], labels, 'INVALID_OPTION', /for picture 7 to be from 0 and to sum to 1, .* with sum 0\.9/],
  ['classes', [1.2, -0.2, 0], labels, 'INVALID_OPTION', /for picture 7 .* with sum 1/],
  ['classes', [NaN, 1, 0], labels, 'INVALID_OPTION', /with sum NaN/],
  ['classes', [0.5, 0.5], labels, 'INVALID_OPTION', /expected one label, its index, or 3 shares as target/],
  [
    'classes',
    ['cat', 'dog'],
    labels,
    'INVALID_OPTION',
    /expected one label as target of picture 7, got \["cat","dog"\]/,
  ],
  ['classes', 'cta', labels, 'UNKNOWN_LABEL', /got 'cta'\. Nearest: cat/],
  ['binary', 2, ['cat', 'dog'], 'OUT_OF_RANGE', /expected a number 0 … 1 as target of picture 7, got 2/],
  ['binary', [0.5, 0.6], ['cat', 'dog'], 'INVALID_OPTION', /sum 1\.1/],
  ['binary', [0.5, 0.2, 0.3], ['cat', 'dog'], 'INVALID_OPTION', /expected one label or a number 0 … 1/],
  ['multiLabel', [0.5, 1.5, 0], labels, 'OUT_OF_RANGE', /expected a number 0 … 1 as target of picture 7, got 1\.5/],
  ['multiLabel', [0.5, 1], labels, 'INVALID_OPTION', /expected labels, or 3 numbers 0 … 1, as target/],
  ['multiLabel', 1, labels, 'INVALID_OPTION', /expected labels, or 3 numbers 0 … 1, as target/],
  ['regression', 'cat', ['size'], 'INVALID_OPTION', /expected 1 numbers as target/],
  ['regression', NaN, ['size'], 'NOT_FINITE', /expected targets that are finite in float32, got NaN for picture 7/],
  ['regression', [1, -1e39], ['size', 'age'], 'NOT_FINITE', /got 1, -1e\+39 for picture 7\. Scale them/],
];

test.each(wrong)('%s: %j of %j is refused', (task, target, of, code, text) => {
  expect(() => encode(task, target, [...of])).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(text) as string }),
  );
});
