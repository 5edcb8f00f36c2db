// Inputs written right into a batch: the same as what apply gives, whatever the backend does with the memory.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  definePreprocessor,
  fromArrays,
  imagePreprocessor,
  loadBase,
  predict,
  tensorPreprocessor,
  type ImageInput,
  type Preprocessor,
} from '../../../src/index.ts';
import { writerOf } from '../../../src/model/inputWriter.ts';
import { gatherFor } from '../../../src/data/reading/gatherInputs.ts';
import { batchReader, readBatches, type Reader } from '../../../src/data/reading/readBatch.ts';
import { tinyModel } from '../../support/tinyModel.ts';
import { tinyTransfer } from '../../support/tinyTask.ts';

beforeAll(() => tf.setBackend('cpu'));

let tensorsBefore = 0;
beforeEach(() => {
  tensorsBefore = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(tensorsBefore);
});

const size = 16 * 16 * 3;

/** Picture number i, unlike every other. */
function picture(i: number): { width: number; height: number; data: Uint8Array } {
  return { width: 20, height: 18, data: Uint8Array.from({ length: 20 * 18 * 3 }, (_, at) => (at * 31 + i * 17) % 256) };
}

const pictures = imagePreprocessor({ mode: 'tf', size: [16, 16] });

async function readerOf(preprocess: Preprocessor): Promise<Reader> {
  const source = tinyModel();
  const base = await loadBase(source, { preprocess });
  source.dispose();
  return { base, head: { parts: [{ name: '', task: 'classes', labels: ['a', 'b'], from: 0, to: 2 }] } };
}

async function applied(preprocessor: Preprocessor, input: unknown): Promise<number[]> {
  const tensor = await preprocessor.apply(input);
  const values = Array.from(tensor.dataSync());
  tensor.dispose();
  return values;
}

describe.each(['cpu', 'wasm'])('batches on %s', (backend) => {
  beforeEach(() => tf.setBackend(backend));

  test('hold the results of apply while others are read into the same memory', async () => {
    const reader = await readerOf(pictures);
    const count = 70;
    const expected: number[][] = [];
    for (let i = 0; i < count; i++) expected.push(await applied(pictures, picture(i)));
    const samples = fromArrays({
      inputs: Array.from({ length: count }, (_, i) => picture(i)),
      targets: Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 'a' : 'b')),
    });
    const batches = [[3, 1, 2], [0, 9], [69], ...Array.from({ length: 20 }, (_, i) => [i * 3, i * 3 + 1, i * 3 + 2])];
    const kept: (tf.Tensor | undefined)[] = [];
    for await (const batch of readBatches(reader, samples, batches)) kept.push(batch.input);
    for (const [i, input] of kept.entries()) {
      expect(input?.shape).toEqual([batches[i]?.length, 16, 16, 3]);
      expect(Array.from(input?.dataSync() ?? [])).toEqual(batches[i]?.flatMap((index) => expected[index] ?? []));
    }
    tf.dispose(kept.flatMap((input) => input ?? []));
    reader.base.dispose();
  });

  test('have no gap for an unreadable example', async () => {
    const reader = await readerOf(pictures);
    const inputs: ImageInput[] = [picture(0), 'none.jpg', picture(2), new Uint8Array(0), picture(4), 'none.png'];
    const samples = fromArrays({ inputs, targets: ['a', 'b', 'a', 'b', 'a', 'b'] });
    const read = batchReader(reader, samples);
    const batch = await read([0, 1, 2, 3, 4, 5]);
    expect(batch.indexes).toEqual([0, 2, 4]);
    expect(batch.unreadable.length).toBe(3);
    expect(batch.input?.shape).toEqual([3, 16, 16, 3]);
    const values = [picture(0), picture(2), picture(4)].map((each) => applied(pictures, each));
    expect(Array.from(batch.input?.dataSync() ?? [])).toEqual((await Promise.all(values)).flat());
    tf.dispose(batch.input ?? []);
    expect((await read([1, 3])).input).toBeUndefined();
    reader.base.dispose();
  });
});

describe('preprocessors that write into a batch', () => {
  beforeEach(() => tf.setBackend('cpu'));

  test('are those of pictures, and of numbers of one shape', () => {
    expect(writerOf(pictures)?.shape).toEqual([16, 16, 3]);
    expect(writerOf(tensorPreprocessor({ shape: [4, 2], dtype: 'float32' }))?.shape).toEqual([4, 2]);
    expect(writerOf(tensorPreprocessor({ shape: [null, 2], dtype: 'float32' }))).toBeUndefined();
    expect(writerOf(tensorPreprocessor({ shape: [4], dtype: 'int32' }))).toBeUndefined();
    expect(writerOf(definePreprocessor({ name: 'own', apply: () => tf.scalar(0) }))).toBeUndefined();
  });

  test('are not copies with another apply, nor those whose apply was replaced', () => {
    const apply = () => tf.zeros([16, 16, 3]);
    expect(writerOf({ ...pictures, apply })).toBeUndefined();
    const own: Preprocessor = imagePreprocessor({ mode: 'tf', size: [16, 16] });
    expect(writerOf(own)).toBeDefined();
    own.apply = apply;
    expect(writerOf(own)).toBeUndefined();
  });

  test('a base uses a replaced apply', async () => {
    const apply = vi.fn(() => tf.fill([16, 16, 3], 0.5));
    const reader = await readerOf({ ...pictures, apply });
    const gathering = gatherFor(reader.base)(1);
    await gathering.add(0, picture(0), 'one');
    const input = gathering.finish([0]);
    expect(input?.dataSync()[0]).toBe(0.5);
    expect(apply).toHaveBeenCalledOnce();
    gathering.dispose();
    tf.dispose(input ?? []);
    reader.base.dispose();
  });

  test('a preprocessor that does not fit the base is refused, not written', async () => {
    const reader = await readerOf(pictures);
    const base = { ...reader.base, preprocessor: imagePreprocessor({ mode: 'tf', size: [8, 8] }) };
    const gathering = gatherFor(base)(1);
    await expect(gathering.add(0, picture(0), 'one')).rejects.toMatchObject({ code: 'WRONG_SHAPE' });
    gathering.dispose();
    reader.base.dispose();
  });

  test.each([
    [
      'a tensor',
      () =>
        tf.tensor(
          Array.from({ length: size }, (_, i) => i / size),
          [16, 16, 3],
        ),
    ],
    ['values', () => Float32Array.from({ length: size }, (_, i) => i / size)],
    [
      'values in plain memory',
      () => ({
        shape: [16, 16, 3],
        dtype: 'float32' as const,
        values: Float32Array.from({ length: size }, (_, i) => i / size),
      }),
    ],
  ])('%s are written with the values of apply, and validated', async (_, make) => {
    const preprocessor = tensorPreprocessor({ shape: [16, 16, 3], dtype: 'float32', range: [-1, 1] });
    const input = make();
    const values = new Float32Array(size).fill(NaN);
    await writerOf(preprocessor)?.write(input, values);
    expect(Array.from(values)).toEqual(await applied(preprocessor, input));
    const wrong = new Float32Array(size);
    for (const [bad, code] of [
      [NaN, 'NOT_FINITE'],
      [7, 'OUT_OF_RANGE'],
    ] as const) {
      await expect(writerOf(preprocessor)?.write(wrong.fill(bad), values)).rejects.toMatchObject({ code });
    }
    await expect(writerOf(preprocessor)?.write(new Float32Array(4), values)).rejects.toMatchObject({
      code: 'WRONG_SHAPE',
    });
    if (input instanceof tf.Tensor) input.dispose();
  });
});

test('predict reads many inputs in batches, in order, and names the invalid one', async () => {
  await tf.setBackend('cpu');
  const model = await tinyTransfer();
  const inputs = Array.from({ length: 50 }, (_, i) => new Float32Array(size).fill(i / 50));
  const together = await predict(model, inputs, { batchSize: 4 });
  for (const [i, input] of inputs.entries()) {
    const alone = await predict(model, input);
    expect(together[i]?.map(({ label }) => label)).toEqual(alone.map(({ label }) => label));
    expect(together[i]?.[0]?.probability).toBeCloseTo(alone[0]?.probability ?? NaN, 6);
  }
  inputs[37]?.fill(NaN);
  await expect(predict(model, inputs, { batchSize: 4 })).rejects.toMatchObject({ code: 'NOT_FINITE' });
  model.dispose();
});
