// Weights of networks that were built a second time in one process of Keras 2.
import { describe, expect, test } from 'vitest';
import { withoutSuffixes } from '../../src/weights/suffixes.ts';

const dense = (name: string, units: number, inputs?: number) => ({
  class_name: 'Dense',
  config: { name, units, ...(inputs !== undefined && { batch_input_shape: [null, inputs] }) },
});
const network = (...layers: object[]) => ({
  model_config: { class_name: 'Sequential', config: { name: 's', layers } },
});
const weights = (scope: string, inputs: number, units: number) => [
  { name: `${scope}/kernel`, shape: [inputs, units], dtype: 'float32' as const },
  { name: `${scope}/bias`, shape: [units], dtype: 'float32' as const },
];
const namesOf = (specs: ReturnType<typeof weights>, topology: unknown) =>
  withoutSuffixes(specs, topology).map(({ name }) => name.replace(/\/.*/, ''));

describe('suffixes of scopes', () => {
  test.each([
    ['all of them', ['dense_3_1', 'dense_4_1'], ['dense_3', 'dense_4']],
    ['one of them', ['dense_3_12', 'dense_4'], ['dense_3', 'dense_4']],
    ['none', ['dense_3', 'dense_4'], ['dense_3', 'dense_4']],
    ['another name', ['other', 'dense_4'], ['other', 'dense_4']],
  ])('%s', (_, [a = '', b = ''], [first = '', second = '']) => {
    const topology = network(dense('dense_3', 2, 3), dense('dense_4', 4));
    const specs = [...weights(a, 3, 2), ...weights(b, 2, 4)];
    expect(namesOf(specs, topology)).toEqual([first, first, second, second]);
    expect(namesOf(specs.slice(2), topology)).toEqual([second, second]);
  });

  test('a suffixed name that is the name of another layer: order and shapes tell', () => {
    const topology = network(dense('dense', 3, 3), dense('dense_1', 3));
    const specs = [...weights('dense_1', 3, 3), ...weights('dense_1_1', 3, 3)];
    expect(namesOf(specs, topology)).toEqual(['dense', 'dense', 'dense_1', 'dense_1']);
    // In another order nobody can tell: they stay, and the layer without weights is an error.
    expect(namesOf([...specs.slice(2), ...specs.slice(0, 2)], topology)).toEqual([
      ...['dense_1_1', 'dense_1_1'],
      ...['dense_1', 'dense_1'],
    ]);
  });

  test('two that claim one layer stay as they are', () => {
    const topology = network(dense('dense', 3, 3), dense('last', 3));
    const specs = [...weights('dense_1', 3, 3), ...weights('dense_2', 3, 3), ...weights('last', 3, 3)];
    expect(namesOf(specs, topology)).toEqual(specs.map(({ name }) => name.replace(/\/.*/, '')));
  });
});
