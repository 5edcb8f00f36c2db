// Splits: disjoint, complete, stratified, drawn by the seed, and refused when they make no sense.
import { describe, expect, it } from 'vitest';
import type { Samples, Target } from '../../../src/core/types.ts';
import { fromArrays } from '../../../src/data/samples/fromArrays.ts';

function samplesOf(targets: readonly Target[]): Samples<number> {
  return fromArrays({ inputs: targets.map((_, i) => i), targets });
}

function labelled(counts: Record<string, number>): Samples<number> {
  return samplesOf(Object.entries(counts).flatMap(([label, count]) => Array.from({ length: count }, () => label)));
}

async function inputsOf(samples: Samples<number>): Promise<number[]> {
  return Promise.all(Array.from({ length: samples.size }, async (_, i) => (await samples.read(i)).input));
}

describe('split', () => {
  const cases: [Record<string, number>, number, Record<string, number>][] = [
    [{ a: 10, b: 10 }, 0.2, { a: 2, b: 2 }],
    [{ a: 100, b: 50, c: 10 }, 0.1, { a: 10, b: 5, c: 1 }],
    [{ a: 7, b: 7, c: 7 }, 0.2, { a: 2, b: 1, c: 1 }], // 4.2 of 21: the remainders tie, the first gets the fourth
    [{ a: 13, b: 4 }, 0.25, { a: 3, b: 1 }],
    [{ a: 2, b: 2 }, 0.01, { a: 1, b: 1 }], // at least one of each
    [{ a: 2, b: 3 }, 0.99, { a: 1, b: 2 }], // and one left to train on
    [{ a: 1, b: 10 }, 0.5, { a: 0, b: 5 }], // a single example is trained on
  ];
  it.each(cases)('%j by %d', (counts, validation, expected) => {
    const samples = labelled(counts);
    const parts = samples.split({ validation, seed: 3 });
    expect(parts.validation.classCounts).toEqual(expected);
    for (const [label, count] of Object.entries(counts)) {
      expect((parts.train.classCounts[label] ?? 0) + (parts.validation.classCounts[label] ?? 0)).toBe(count);
    }
    expect(parts.train.labels).toEqual(samples.labels);
    expect(parts.validation.labels).toEqual(samples.labels);
  });

  it('keeps the shares of classes that come as indexes or shares', async () => {
    const labels = ['a', 'b', 'c'];
    const classes = Array.from({ length: 40 }, (_, i) => (i % 8 === 0 ? 2 : i % 2));
    const inputs = classes.map((_, i) => i);
    const given: readonly (readonly Target[])[] = [
      classes,
      classes.map((own) => labels.map((_, label) => (label === own ? 0.8 : 0.1))),
      classes.map((own) => ({ kind: own, size: 1.5 })),
    ];
    for (const targets of given) {
      const records = typeof targets[0] === 'object' && !Array.isArray(targets[0]);
      const samples = fromArrays({ inputs, targets, labels: records ? { kind: labels } : labels });
      const drawn = await inputsOf(samples.split({ validation: 0.2, seed: 5 }).validation);
      expect([0, 1, 2].map((label) => drawn.filter((input) => classes[input] === label).length)).toEqual([3, 4, 1]);
    }
  });

  it('draws several labels and numbers of a regression without regard to them', () => {
    const sums = [
      [0.5, 0.5],
      [1, 0],
      [0, 1],
      [0.2, 0.8],
    ];
    expect(samplesOf(sums).split({ validation: 0.5 }).validation.size).toBe(2);
    expect(samplesOf([1, 2, 3, 4]).split({ validation: 0.5 }).validation.size).toBe(2);
    const several = fromArrays({ inputs: [0, 1, 2, 3], targets: [[1, 1], ...sums.slice(1)], labels: ['a', 'b'] });
    expect(several.split({ validation: 0.5 }).validation.size).toBe(2);
  });

  it.each<[Record<string, number>, number, Record<string, number>]>([
    [{ a: 100, b: 20, c: 12 }, 3, { a: 10, b: 3, c: 3 }],
    [{ a: 11, b: 7, c: 3, d: 1 }, 3, { a: 2, b: 1, c: 1, d: 0 }], // no more than a quarter
    [{ a: 40, b: 40 }, 1, { a: 4, b: 4 }],
  ])('%j by 0.1 gives at least %d of each label, as far as a quarter allows', (counts, atLeast, expected) => {
    expect(labelled(counts).split({ validation: 0.1, atLeast }).validation.classCounts).toEqual(expected);
    const numbers = samplesOf(Array.from({ length: 50 }, (_, i) => i));
    expect(numbers.split({ validation: 0.1, atLeast: 10 }).validation.size).toBe(10);
  });

  it('gives disjoint parts that are complete, and keeps inputs with their targets', async () => {
    const samples = labelled({ a: 20, b: 30, c: 9 });
    const { train, validation } = samples.split({ validation: 0.3, seed: 7 });
    const both = [...(await inputsOf(train)), ...(await inputsOf(validation))];
    expect(both.sort((a, b) => a - b)).toEqual(await inputsOf(samples));
    for (const part of [train, validation]) {
      for (let i = 0; i < part.size; i++) {
        const { input, target } = await part.read(i);
        expect(target).toBe(part.target(i));
        expect(target).toBe(samples.target(input));
      }
    }
  });

  it('follows the seed, 0 unless given', async () => {
    const samples = labelled({ a: 20, b: 20 });
    const drawn = async (seed?: number): Promise<number[]> =>
      inputsOf(samples.split(seed === undefined ? { validation: 0.5 } : { validation: 0.5, seed }).validation);
    expect(await drawn(1)).toEqual(await drawn(1));
    expect(await drawn(1)).not.toEqual(await drawn(2));
    expect(await drawn()).toEqual(await drawn(0));
  });

  it('draws every example about equally often', async () => {
    const samples = labelled({ a: 10, b: 10 });
    const times = new Array<number>(20).fill(0);
    for (let seed = 0; seed < 400; seed++) {
      for (const input of await inputsOf(samples.split({ validation: 0.3, seed }).validation))
        times[input] = (times[input] ?? 0) + 1;
    }
    expect(Math.min(...times)).toBeGreaterThan(80); // 120 expected, standard deviation 9
    expect(Math.max(...times)).toBeLessThan(160);
  });

  it('splits splits', async () => {
    const samples = labelled({ a: 40, b: 20 });
    const { train: rest, validation: test } = samples.split({ validation: 0.25, seed: 1 });
    const { train, validation } = rest.split({ validation: 0.2, seed: 1 });
    expect([train.classCounts, validation.classCounts, test.classCounts]).toEqual([
      { a: 24, b: 12 },
      { a: 6, b: 3 },
      { a: 10, b: 5 },
    ]);
    const all = [...(await inputsOf(train)), ...(await inputsOf(validation)), ...(await inputsOf(test))];
    expect(new Set(all).size).toBe(60);
  });

  it.each<[string, Target[]]>([
    ['numbers', Array.from({ length: 10 }, (_, i) => i)],
    ['lists of numbers', Array.from({ length: 10 }, (_, i) => [i, i])],
    ['lists of labels', Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? ['a'] : ['a', 'b']))],
  ])('splits %s without classes', (_, targets) => {
    const { train, validation } = samplesOf(targets).split({ validation: 0.25 });
    expect([train.size, validation.size]).toEqual([7, 3]);
  });

  it('keeps onUnreadable', () => {
    const samples = fromArrays({ inputs: [1, 2], targets: [1, 2], onUnreadable: 'skip' });
    expect(samples.split({ validation: 0.5 }).train.onUnreadable).toBe('skip');
  });

  it.each([0, 1, -0.1, 20, Number.NaN, '0.2' as unknown as number])('refuses the share %s', (validation) => {
    const split = (): unknown => labelled({ a: 4, b: 4 }).split({ validation });
    expect(split).toThrow(/split: expected validation to be a share above 0 and below 1, such as 0\.2, got/);
    expect(split).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });

  it('refuses a seed that is no whole number', () => {
    expect(() => labelled({ a: 4 }).split({ validation: 0.5, seed: 0.5 })).toThrow(
      /expected seed to be a whole number, got 0\.5/,
    );
  });

  it.each([
    [samplesOf(['a']), /got 1 in all/],
    [samplesOf(['a', 'b', 'c']), /got one for each of 3 classes/],
    [samplesOf([1]), /got 1 in all/],
  ])('refuses too few examples (%#)', (samples, text) => {
    const split = (): unknown => samples.split({ validation: 0.5 });
    expect(split).toThrow(text);
    expect(split).toThrow(expect.objectContaining({ code: 'TOO_FEW_EXAMPLES' }));
  });
});
