// The words of a command line: values by the kind of their option, and refusals.
import { expect, test } from 'vitest';
import { assertPlaces, readArguments } from '../../src/cli/shell/readArguments.ts';

const specs = {
  force: { kind: 'flag', text: '' },
  base: { kind: 'text', placeholder: 'name', text: '' },
  epochs: { kind: 'number', placeholder: 'n', text: '' },
  effort: { kind: 'choice', choices: ['quick', 'standard'], text: '' },
} as const;

test('options may come anywhere, with a space or an equals sign; after -- all words are arguments', () => {
  const words = ['--epochs', '-3', 'photos', '--effort=quick', '--force', '--', '--base'];
  expect(readArguments(words, specs)).toEqual({
    values: { base: undefined, epochs: -3, effort: 'quick', force: true },
    places: ['photos', '--base'],
  });
  expect(readArguments([], specs).values).toMatchObject({ force: false, epochs: undefined });
});

test.each([
  [['--epoch', '3'], /a known option, got '--epoch' \(nearest: --epochs\)/],
  [['--epochs', 'many'], /a number after --epochs, got 'many'/],
  [['--epochs'], /a value after --epochs, got none/],
  [['--base', '--force'], /a value after --base, got '--force'/],
  [['--effort', 'great'], /--effort to be quick, standard, got 'great'/],
  [['--force=yes'], /--force without a value, got 'yes'/],
])('%j is refused', (words, text) => {
  expect(() => readArguments(words, specs)).toThrow(text);
});

test('a command names the arguments that it needs', () => {
  const command = { name: 'predict', places: ['model', 'files…'] };
  expect(() => {
    assertPlaces(command, ['model']);
  }).toThrow(/expected transferkit predict <model> <files…>, got 'model'\. Help: transferkit predict --help/);
  expect(() => {
    assertPlaces({ name: 'train', places: ['folder'] }, ['a', 'b']);
  }).toThrow(/got 'a' 'b'/);
  assertPlaces(command, ['model', 'a.jpg', 'b.jpg']);
});
