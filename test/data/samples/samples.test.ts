// Samples made of functions, arrays, loops and tensors: labels, counts, reading, and what is refused.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import type { Target } from '../../../src/core/types.ts';
import { defineSamples } from '../../../src/data/samples/defineSamples.ts';
import { fromArrays } from '../../../src/data/samples/fromArrays.ts';
import { fromIterable } from '../../../src/data/samples/fromIterable.ts';
import { fromTensors } from '../../../src/data/samples/fromTensors.ts';
import { imagePreprocessor } from '../../../src/data/preprocess/image.ts';
import { tensorPreprocessor } from '../../../src/data/preprocess/tensor.ts';

const inputs = [10, 11, 12];

describe('fromArrays', () => {
  it('sorts labels, counts them and reads by index', async () => {
    const samples = fromArrays({ inputs, targets: ['b', 'a', 'b'] });
    expect(samples.size).toBe(3);
    expect(samples.labels).toEqual(['a', 'b']);
    expect(samples.classCounts).toEqual({ a: 1, b: 2 });
    expect(samples.onUnreadable).toBe('error');
    expect(samples.target(1)).toBe('a');
    expect(await samples.read(2)).toMatchObject({ input: 12, target: 'b', id: 'example 2' });
  });

  it('keeps given labels, ids and onUnreadable', async () => {
    const samples = fromArrays({
      inputs,
      targets: ['b', 'a', 'b'],
      labels: ['c', 'b', 'a'],
      ids: ['x', 'y', 'z'],
      onUnreadable: 'skip',
    });
    expect(samples.labels).toEqual(['c', 'b', 'a']);
    expect(samples.classCounts).toEqual({ c: 0, b: 2, a: 1 });
    expect(samples.onUnreadable).toBe('skip');
    expect((await samples.read(0)).id).toBe('x');
  });

  it('refuses elements of a page that change until they are read', async () => {
    // As elements name themselves.
    const element = (name: string) => ({ [Symbol.toStringTag]: name });
    const give = (...all: unknown[]) => fromArrays({ inputs: all, targets: all.map(() => 'a') });
    const [video, canvas, offscreen] = ['HTMLVideoElement', 'HTMLCanvasElement', 'OffscreenCanvas'].map(element);
    expect(() => give('a.jpg', video)).toThrow(
      /fromArrays: expected inputs that stay as they are until a verb reads them, got a video element for 'example 1', whose frame .*await createImageBitmap\(video\)/,
    );
    for (const one of [canvas, offscreen]) {
      expect(() => give(one, 'a.jpg', one)).toThrow(
        /got the same canvas for 'example 0' and 'example 2', which .*await createImageBitmap\(canvas\)/,
      );
    }
    expect(give(canvas, offscreen, element('HTMLCanvasElement')).size).toBe(3);
    const picture = element('ImageBitmap');
    expect(give(picture, picture).size).toBe(2);
    function* frames() {
      for (const target of ['a', 'b']) yield { input: canvas, target };
    }
    await expect(fromIterable(frames())).rejects.toThrow(/fromIterable: .*the same canvas/);
  });

  it('takes several labels, numbers and lists of numbers', () => {
    const several = fromArrays({ inputs, targets: [['a', 'b'], [], ['b']] });
    expect(several.labels).toEqual(['a', 'b']);
    expect(several.classCounts).toEqual({ a: 1, b: 2 });
    const numbers = fromArrays({ inputs, targets: [1.5, -2, 0] });
    expect([numbers.labels, numbers.classCounts]).toEqual([[], {}]);
    expect(
      fromArrays({
        inputs,
        targets: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      }).target(1),
    ).toEqual([3, 4]);
  });

  it('takes indexes of given labels as these', async () => {
    const samples = fromArrays({ inputs, targets: [2, 0, 2], labels: ['c', 'b', 'a'], ids: ['x', 'y', 'z'] });
    expect([0, 1, 2].map((index) => samples.target(index))).toEqual(['a', 'c', 'a']);
    expect(samples.classCounts).toEqual({ c: 1, b: 0, a: 2 });
    expect(await samples.read(1)).toEqual({ input: 11, target: 'c', id: 'y', weight: 1 });
    const both = fromArrays({
      inputs,
      targets: [
        { kind: 1, size: 4 },
        { kind: 0, size: 5 },
        { kind: 1, size: 6 },
      ],
      labels: { kind: ['cat', 'dog'] },
    });
    expect(both.heads).toEqual({
      kind: { labels: ['cat', 'dog'], classCounts: { cat: 1, dog: 2 } },
      size: { labels: [], classCounts: {} },
    });
    expect((await both.read(0)).target).toEqual({ kind: 'dog', size: 4 });
  });

  it('takes shares of given labels, and counts who has any', () => {
    const shares = [
      [0.5, 0.5, 0],
      [0, 0, 1],
      [0, 0.1, 0.9],
    ];
    const samples = fromArrays({ inputs, targets: shares, labels: ['a', 'b', 'c'] });
    expect(samples.target(2)).toEqual([0, 0.1, 0.9]);
    expect(samples.classCounts).toEqual({ a: 1, b: 2, c: 2 });
    const ofTwo = fromArrays({ inputs, targets: [0, 0.25, 1], labels: ['no', 'yes'] });
    expect(ofTwo.target(1)).toBe(0.25);
    expect(ofTwo.classCounts).toEqual({ no: 2, yes: 2 });
  });

  it('carries weights, 1 unless given, through splits', async () => {
    expect((await fromArrays({ inputs, targets: [1, 2, 3] }).read(0)).weight ?? 1).toBe(1);
    const samples = fromArrays({ inputs: [0, 1, 2, 3], targets: [0, 1, 2, 3], weights: [0, 10, 20, 30] });
    for (const part of Object.values(samples.split({ validation: 0.5 }))) {
      for (let i = 0; i < part.size; i++) {
        const { input, weight } = await part.read(i);
        expect(weight).toBe(input * 10);
      }
    }
    expect(() => fromArrays({ inputs, targets: [1, 2, 3], weights: [1] })).toThrow(
      /as many weights as inputs \(3\), got 1/,
    );
  });

  it('is not moved by later changes of the arrays', async () => {
    const mine = [1, 2];
    const targets = ['a', 'b'];
    const samples = fromArrays({ inputs: mine, targets });
    mine[0] = 9;
    targets[0] = 'z';
    expect(await samples.read(0)).toMatchObject({ input: 1, target: 'a' });
  });

  it.each(['__proto__', 'constructor', 'toString'])('a label may be called %s', (label) => {
    const samples = fromArrays({ inputs, targets: [label, 'a', label] });
    expect(Object.entries(samples.classCounts).sort()).toEqual(
      [
        ['a', 1],
        [label, 2],
      ].sort(),
    );
  });

  const wrong: [string, () => unknown, string, RegExp][] = [
    [
      'no examples',
      () => fromArrays({ inputs: [], targets: [] }),
      'NO_EXAMPLES',
      /fromArrays: expected at least one example, got none/,
    ],
    [
      'different lengths',
      () => fromArrays({ inputs, targets: ['a'] }),
      'INVALID_OPTION',
      /as many targets as inputs \(3\), got 1/,
    ],
    [
      'too few ids',
      () => fromArrays({ inputs, targets: ['a', 'b', 'c'], ids: ['x'] }),
      'INVALID_OPTION',
      /as many ids as inputs \(3\), got 1/,
    ],
    [
      'mixed kinds',
      () => fromArrays({ inputs, targets: ['a', 1, 'b'] }),
      'INVALID_OPTION',
      /target of example 1 to be a label, as example 0 has, got 1\. Give all examples targets of one kind/,
    ],
    [
      'label and list',
      () => fromArrays({ inputs, targets: [['a'], 'b', ['c']] }),
      'INVALID_OPTION',
      /example 1 to be a list of labels/,
    ],
    [
      'NaN',
      () => fromArrays({ inputs, targets: [1, Number.NaN, 2] }),
      'INVALID_OPTION',
      /example 1 to be a label .* got NaN/,
    ],
    [
      'infinity in a list',
      () => fromArrays({ inputs, targets: [[1], [Number.POSITIVE_INFINITY], [2]] }),
      'INVALID_OPTION',
      /example 1/,
    ],
    [
      'an empty label',
      () => fromArrays({ inputs, targets: ['a', '', 'b'] }),
      'INVALID_OPTION',
      /example 1 to be a label that is not empty/,
    ],
    [
      'nothing as a target',
      () => fromArrays({ inputs, targets: [null as unknown as Target, 'a', 'b'] }),
      'INVALID_OPTION',
      /example 0/,
    ],
    [
      'lists of different length',
      () => fromArrays({ inputs, targets: [[1, 2], [1], [2, 3]] }),
      'INVALID_OPTION',
      /example 1 to be 2 numbers/,
    ],
    [
      'only empty lists',
      () => fromArrays({ inputs, targets: [[], [], []] }),
      'INVALID_OPTION',
      /a label in at least one example/,
    ],
    [
      'an index outside the labels',
      () => fromArrays({ inputs, targets: [0, 3, 0], labels: ['a', 'b', 'c'] }),
      'OUT_OF_RANGE',
      /expected a whole number 0 … 2 as target of example 1, as labels are given, got 3\. Leave labels out/,
    ],
    [
      'half an index of three labels',
      () => fromArrays({ inputs, targets: [0, 0.5, 0], labels: ['a', 'b', 'c'] }),
      'OUT_OF_RANGE',
      /expected a whole number 0 … 2 as target of example 1, as labels are given, got 0\.5/,
    ],
    [
      'shares of other labels than given',
      () => fromArrays({ inputs, targets: [[1], [0], [1]], labels: ['a', 'b'] }),
      'INVALID_OPTION',
      /expected a number for each of 2 labels as target of example 0, got \[1\]/,
    ],
    [
      'shares outside 0 … 1',
      () =>
        fromArrays({
          inputs,
          targets: [
            [1, 0],
            [0, 1],
            [2, -1],
          ],
          labels: ['a', 'b'],
        }),
      'OUT_OF_RANGE',
      /expected numbers 0 … 1 as target of example 2, as labels are given, got \[2,-1\]/,
    ],
    [
      'a label that is not given',
      () => fromArrays({ inputs, targets: ['cat', 'dgo', 'cat'], labels: ['cat', 'dog'] }),
      'UNKNOWN_LABEL',
      /for example 1, got 'dgo'\. Nearest: 'dog', 'cat'/,
    ],
    [
      'labels twice',
      () => fromArrays({ inputs, targets: ['a', 'a', 'a'], labels: ['a', 'a'] }),
      'INVALID_OPTION',
      /expected labels that are text, differ and are not empty/,
    ],
    [
      'labels that are no text',
      () => fromArrays({ inputs, targets: [0, 1, 0], labels: [7, 8] as never }),
      'INVALID_OPTION',
      /expected labels that are text, .* got \[7,8\]/,
    ],
    [
      'onUnreadable',
      () => fromArrays({ inputs, targets: ['a', 'b', 'c'], onUnreadable: 'ignore' as 'skip' }),
      'INVALID_OPTION',
      /'error' or 'skip', got "ignore"/,
    ],
  ];
  it.each(wrong)('refuses %s', (_, make, code, text) => {
    expect(make).toThrow(text);
    expect(make).toThrow(expect.objectContaining({ code }));
  });
});

describe('defineSamples', () => {
  it('asks for targets at once and for inputs when they are read', async () => {
    const asked: number[] = [];
    const samples = defineSamples({
      size: 2,
      target: (index) => (index === 0 ? 'a' : 'b'),
      read: async (index) => {
        asked.push(index);
        return Promise.resolve({ input: index, target: index === 0 ? 'a' : 'b', id: `row ${String(index)}` });
      },
    });
    expect(samples.labels).toEqual(['a', 'b']);
    expect(asked).toEqual([]);
    expect(await samples.read(1)).toEqual({ input: 1, target: 'b', id: 'row 1' });
    expect(asked).toEqual([1]);
  });

  it.each([-1, 2, 0.5])('refuses the index %d', (index) => {
    const samples = fromArrays({ inputs: [1, 2], targets: ['a', 'b'] });
    expect(() => samples.target(index)).toThrow(/expected an index 0 … 1, got/);
    expect(() => samples.read(index)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });

  it.each([-1, 1.5, Number.NaN])('refuses the size %d', (size) => {
    const make = (): unknown =>
      defineSamples({ size, target: () => 'a', read: () => ({ input: 0, target: 'a', id: '' }) });
    expect(make).toThrow(/defineSamples: expected size to be a whole number above 0/);
  });
});

describe('fromIterable', () => {
  it('collects now and over time', async () => {
    const examples = [
      { input: 1, target: 'a' },
      { input: 2, target: 'b', id: 'second' },
    ];
    async function* later(): AsyncGenerator<(typeof examples)[number]> {
      for (const example of examples) yield await Promise.resolve(example);
    }
    for (const iterable of [examples, new Set(examples), later()]) {
      const samples = await fromIterable(iterable, { labels: ['b', 'a'] });
      expect(samples.labels).toEqual(['b', 'a']);
      expect(await samples.read(0)).toMatchObject({ input: 1, target: 'a', id: 'example 0' });
      expect(await samples.read(1)).toMatchObject({ input: 2, target: 'b', id: 'second' });
    }
  });

  it('refuses empty input, and values that are not examples', async () => {
    await expect(fromIterable([])).rejects.toMatchObject({ code: 'NO_EXAMPLES' });
    const rows = [{ xs: 1, ys: 2 }] as unknown as { input: number; target: number }[];
    await expect(fromIterable(rows)).rejects.toThrow(/expected example 0 to be \{ input, target \}, got fields xs, ys/);
  });
});

describe('fromTensors', () => {
  it('copies the values: the tensors may be disposed, and nothing leaks', async () => {
    const before = tf.memory().numTensors;
    const xs = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
    const ys = tf.tensor1d(['b', 'a'], 'string');
    const samples = await fromTensors({ inputs: xs, targets: ys });
    tf.dispose([xs, ys]);
    expect(tf.memory().numTensors).toBe(before);
    expect(samples.labels).toEqual(['a', 'b']);
    expect(await samples.read(1)).toMatchObject({
      input: { shape: [2, 2], dtype: 'float32', values: Float32Array.of(5, 6, 7, 8) },
      target: 'a',
      id: 'example 1',
    });
  });

  it('gives inputs for both preprocessors', async () => {
    const xs = tf.tensor4d([0, 51, 102, 255, 255, 255], [2, 1, 1, 3]);
    const samples = await fromTensors({ inputs: xs, targets: [0.5, 1.5] });
    xs.dispose();
    const { input } = await samples.read(0);
    const pixels = await imagePreprocessor({ mode: 'unit', size: [1, 1] }).apply(input);
    const plain = await tensorPreprocessor({ shape: [1, 1, 3], dtype: 'float32' }).apply(input);
    expect(pixels.dataSync()[1]).toBeCloseTo(0.2, 6);
    expect(Array.from(plain.dataSync())).toEqual([0, 51, 102]);
    tf.dispose([pixels, plain]);
  });

  it('takes tensors of numbers as targets of a regression', async () => {
    const xs = tf.tensor2d(
      [
        [1, 2],
        [3, 4],
      ],
      [2, 2],
      'int32',
    );
    const one = tf.tensor1d([0.25, 0.75]);
    const two = tf.tensor2d([
      [1, 2],
      [3, 4],
    ]);
    expect((await fromTensors({ inputs: xs, targets: one })).target(1)).toBe(0.75);
    expect((await fromTensors({ inputs: xs, targets: two })).target(1)).toEqual([3, 4]);
    tf.dispose([xs, one, two]);
  });

  it('takes tensors of indexes with labels', async () => {
    const xs = tf.zeros([3, 2]);
    const targets = tf.tensor1d([1, 0, 1], 'int32');
    const samples = await fromTensors({ inputs: xs, targets, labels: ['a', 'b'] });
    tf.dispose([xs, targets]);
    expect((await samples.read(0)).target).toBe('b');
    expect(samples.classCounts).toEqual({ a: 1, b: 2 });
  });

  const wrong: [string, () => { inputs: tf.Tensor; targets: readonly Target[] | tf.Tensor }, string, RegExp][] = [
    ['a scalar', () => ({ inputs: tf.scalar(1), targets: [1] }), 'WRONG_SHAPE', /\[examples, …\], got a scalar/],
    [
      'text as input',
      () => ({ inputs: tf.tensor1d(['a'], 'string'), targets: ['a'] }),
      'WRONG_DTYPE',
      /inputs of type .* got string/,
    ],
    [
      'other counts',
      () => ({ inputs: tf.zeros([3, 2]), targets: [1, 2] }),
      'INVALID_OPTION',
      /fromTensors: expected as many targets as inputs \(3\), got 2/,
    ],
    [
      'no examples',
      () => ({ inputs: tf.zeros([0, 2]), targets: [] }),
      'NO_EXAMPLES',
      /fromTensors: expected at least one example/,
    ],
    [
      'targets of rank 3',
      () => ({ inputs: tf.zeros([1, 2]), targets: tf.zeros([1, 1, 1]) }),
      'WRONG_SHAPE',
      /got \[1, 1, 1\]/,
    ],
    [
      'bool targets',
      () => ({ inputs: tf.zeros([1, 2]), targets: tf.zeros([1], 'bool') }),
      'WRONG_DTYPE',
      /targets of type .* got bool/,
    ],
  ];
  it.each(wrong)('refuses %s', async (_, make, code, text) => {
    const { error, leaked } = await tidyRun(make);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toMatch(text);
    expect(leaked).toBe(0);
  });

  async function tidyRun(
    make: () => { inputs: tf.Tensor; targets: readonly Target[] | tf.Tensor },
  ): Promise<{ error: unknown; leaked: number }> {
    const before = tf.memory().numTensors;
    const { inputs: xs, targets } = make();
    const error: unknown = await fromTensors({ inputs: xs, targets }).catch((raised: unknown) => raised);
    xs.dispose();
    if (targets instanceof tf.Tensor) targets.dispose();
    return { error, leaked: tf.memory().numTensors - before };
  }

  it('refuses a disposed tensor', async () => {
    const xs = tf.zeros([1, 1]);
    xs.dispose();
    await expect(fromTensors({ inputs: xs, targets: [1] })).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});
