// writeBase: the same features after loadBase and by plain tfjs, in single and half precision, with cut and
// preprocessing; and what cannot be written.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { load, loadBase, replaceHead, useBackend, writeBase, zipBlob, type Base } from '../src/index.ts';
import { fileSystem } from '../src/node.ts';
import { expectNoLeak } from './support/tensors.ts';
import { tinyGraph, tinyLayers } from './support/tinyGraph.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-base-'));
const picture = Float32Array.from({ length: 192 }, (_, i) => Math.sin(i));
let places = 0;
const place = (ending = '') => join(root, `base-${String(places++)}${ending}`);

beforeAll(async () => {
  await useBackend('cpu');
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const bases: readonly (readonly ['layers-model' | 'graph-model', () => Promise<Base>])[] = [
  [
    'layers-model',
    async () => {
      const source = tinyLayers();
      const base = await loadBase(source, { cut: 'add', preprocess: 'tf', name: 'mine' });
      source.dispose();
      return base;
    },
  ],
  ['graph-model', () => loadBase(tinyGraph(), { preprocess: 'unit', name: 'mine' })],
];

const featuresOf = ({ trunk }: Base): number[] =>
  tf.tidy(() => Array.from(trunk.run(tf.tensor4d(picture, [1, 8, 8, 3])).dataSync()));

/** Largest difference, in shares of the largest feature. */
function distance(some: readonly number[], others: readonly number[]): number {
  expect(some.length).toBe(others.length);
  const most = Math.max(...some.map(Math.abs));
  return Math.max(...some.map((value, i) => Math.abs(value - (others[i] ?? NaN)))) / most;
}

test.each(bases)('a %s has the same features, cut and preprocessing after loadBase', async (format, make) => {
  await expectNoLeak(async () => {
    using base = await make();
    const folder = place();
    const written = await writeBase(base, folder);
    expect(written).toEqual({ format, parameters: expect.any(Number) as number, weightBytes: 4 * written.parameters });
    using again = await loadBase(folder);
    expect(featuresOf(again)).toEqual(featuresOf(base));
    expect([again.name, again.cut, again.preprocessor.spec]).toEqual(['mine', base.cut, base.preprocessor.spec]);
    expect(again.trunk.weights.map(({ name, frozen }) => [name, frozen])).toEqual(
      base.trunk.weights.map(({ name }) => [name, true]),
    );
  });
});

test.each(bases)('a %s in half precision: half the bytes, and features within a thousandth', async (format, make) => {
  using base = await make();
  const archive = place('.zip');
  const [single, half] = [await writeBase(base, place()), await writeBase(base, archive, { quantize: 'float16' })];
  expect(half.format).toBe(format);
  expect(half.parameters).toBe(single.parameters);
  expect(half.weightBytes).toBeLessThan(0.55 * single.weightBytes);
  expect(statSync(archive).size).toBeGreaterThan(half.weightBytes);
  using again = await loadBase(archive);
  const off = distance(featuresOf(base), featuresOf(again));
  expect(off).toBeGreaterThan(0);
  expect(off).toBeLessThan(1e-3);
  // What was rounded once is not rounded again.
  const twice = place();
  await writeBase(again, twice, { quantize: 'float16' });
  using third = await loadBase(twice);
  expect(featuresOf(third)).toEqual(featuresOf(again));
});

test.each(bases)(
  'a %s in bytes: about a quarter of the kernels, and features within two hundredths',
  async (format, make) => {
    await expectNoLeak(async () => {
      using base = await make();
      const [folder, single] = [place(), await writeBase(base, place())];
      const bytes = await writeBase(base, folder, { quantize: 'uint8' });
      expect(bytes.format).toBe(format);
      expect(bytes.weightBytes).toBeLessThan(0.45 * single.weightBytes);
      using again = await loadBase(folder);
      const off = distance(featuresOf(base), featuresOf(again));
      expect(off).toBeGreaterThan(0);
      expect(off).toBeLessThan(0.02);
      // Kernels and their scales are one weight again.
      const described = ({ trunk }: Base) => trunk.weights.map(({ name, kind, shape }) => [name, kind, shape]);
      expect(described(again)).toEqual(described(base));
      const part = await again.trunk.fold();
      const input = tf.tensor4d(picture, [1, 8, 8, 3]);
      const output = await part.run(input);
      const folded = Array.from(output.dataSync());
      part.dispose();
      tf.dispose([input, output]);
      expect(distance(featuresOf(again), folded)).toBeLessThan(1e-5);
      const plain =
        format === 'layers-model'
          ? await loadLayersModel(fileSystem(folder))
          : await loadGraphModel(fileSystem(folder));
      const features = tf.tidy(() =>
        Array.from((plain.predict(tf.tensor4d(picture, [1, 8, 8, 3])) as tf.Tensor).dataSync()),
      );
      plain.dispose();
      expect(distance(featuresOf(again), features)).toBeLessThan(1e-5);
    });
  },
);

test.each(bases)('plain tfjs loads a %s in half precision; its output is the features', async (format, make) => {
  using base = await make();
  const folder = place();
  await writeBase(base, fileSystem(folder), { quantize: 'float16' });
  using again = await loadBase(folder);
  const handler = fileSystem(folder);
  const plain = format === 'layers-model' ? await loadLayersModel(handler) : await loadGraphModel(handler);
  const features = tf.tidy(() =>
    Array.from((plain.predict(tf.tensor4d(picture, [1, 8, 8, 3])) as tf.Tensor).dataSync()),
  );
  expect(distance(featuresOf(again), features)).toBeLessThan(1e-6);
  plain.dispose();
});

test('the base of a model, with the weights that it has now; load asks for a head', async () => {
  const [[, make]] = bases as readonly [(typeof bases)[0]];
  using base = await make();
  using model = replaceHead(base, { labels: ['a', 'b'] });
  const blobs: Blob[] = [];
  await writeBase(
    model.base,
    zipBlob((blob) => blobs.push(blob)),
  );
  const [blob = new Blob()] = blobs;
  using again = await loadBase(blob);
  expect(featuresOf(again)).toEqual(featuresOf(base));
  const error = {
    code: 'UNSUPPORTED_SOURCE',
    message: expect.stringMatching(/'mine' .*loadBase.*replaceHead/) as unknown,
  };
  await expect(load(blob)).rejects.toMatchObject(error);
});

test('numbers that do not fit, and NaN: the weight is named and nothing is written', async () => {
  const [[, make]] = bases as readonly [(typeof bases)[0]];
  await expectNoLeak(async () => {
    using base = await make();
    const [weight] = base.trunk.weights;
    const set = (value: number) => {
      tf.tidy(() => weight?.variable.assign(tf.fill(weight.variable.shape, value)));
    };
    const write = (options = {}) => writeBase(base, join(root, 'never'), options);
    set(65504);
    await writeBase(base, place(), { quantize: 'float16' });
    set(-65505);
    await expect(write({ quantize: 'float16' })).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
      details: { weight: weight?.name, value: -65505, limit: 65504 },
      message: expect.stringMatching(/^\[transferkit\] writeBase: .*Leave quantize out/) as unknown,
    });
    await writeBase(base, place());
    for (const value of [NaN, -Infinity]) {
      set(value);
      for (const options of [{}, { quantize: 'float16' }]) {
        await expect(write(options)).rejects.toMatchObject({
          code: 'NOT_FINITE',
          details: { weights: [weight?.name] },
        });
      }
    }
    expect(() => statSync(join(root, 'never'))).toThrow(/ENOENT/);
  });
});

test('a disposed base, unknown options, targets that cannot be written', async () => {
  const [[, make]] = bases as readonly [(typeof bases)[0]];
  const base = await make();
  const file = place();
  writeFileSync(file, 'in the way');
  await expect(writeBase(base, join(file, 'below'))).rejects.toMatchObject({ code: 'SAVE_FAILED' });
  expect(readFileSync(file, 'utf8')).toBe('in the way');
  await expect(writeBase(base, 'indexeddb://base')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  await expect(writeBase(base, {})).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  const broken = { save: () => Promise.reject(new Error('no room')) };
  await expect(writeBase(base, broken)).rejects.toMatchObject({ code: 'SAVE_FAILED', details: { reason: 'no room' } });
  // @ts-expect-error Another type.
  await expect(writeBase(base, place(), { quantize: 'int8' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  // @ts-expect-error An option with another spelling.
  await expect(writeBase(base, place(), { quantise: 'float16' })).rejects.toThrow(/quantize/);
  base.dispose();
  await expect(writeBase(base, place())).rejects.toMatchObject({ code: 'DISPOSED' });
});
