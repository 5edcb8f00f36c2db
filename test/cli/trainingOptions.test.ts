// The options of `train` as those of the training verbs.
import { expect, test } from 'vitest';
import { readArguments } from '../../src/cli/shell/readArguments.ts';
import { assertCombination, layersOf, sharedTraining, training } from '../../src/cli/shell/trainingOptions.ts';
import { fromArrays } from '../../src/index.ts';

const read = (...words: string[]) => readArguments(words, training).values as Parameters<typeof sharedTraining>[0];

test('what is not given is left to the library', () => {
  expect(sharedTraining(read(), undefined)).toEqual({ validation: 'auto' });
  expect(layersOf(undefined)).toBeUndefined();
});

test('what is given is passed on', () => {
  const words = ['--epochs', '3', '--batch-size', '8', '--learning-rate', '0.01', '--augment', 'light', '--balance'];
  expect(sharedTraining(read(...words, '--validation', '0.2'), undefined)).toEqual({
    epochs: 3,
    batchSize: 8,
    learningRate: 0.01,
    augment: 'light',
    classWeights: 'balanced',
    validation: 0.2,
  });
});

test("the folder's part for validation is used unless --validation is given", () => {
  const part = fromArrays({ inputs: ['a.png', 'b.png'], targets: ['a', 'b'] });
  expect(sharedTraining(read(), part).validation).toBe(part);
  expect(sharedTraining(read('--validation', 'none'), part).validation).toBe(false);
});

test.each(['many', '0', '1.5'])('--validation %s is refused', (text) => {
  expect(() => sharedTraining(read('--validation', text), undefined)).toThrow(
    `--validation to be a share above 0 and below 1, auto or none, got '${text}'`,
  );
});

test.each([
  ['all', 'base'],
  ['norms', 'norms'],
  ['3', { lastStages: 3 }],
  ['block_12_expand', { from: 'block_12_expand' }],
])('--unfreeze %s', (text, layers) => {
  expect(layersOf(text)).toEqual(layers);
});

test('a head alone has no effort', () => {
  expect(() => {
    assertCombination(read('--unfreeze', 'none', '--effort', 'quick'));
  }).toThrow(/--effort without --unfreeze none, got both/);
});
