// The picture preprocessor: every kind of input gives the same tensor, and what is wrong is refused in words.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { choosePreprocessor } from '../../../src/bases/choosePreprocessor.ts';
import { releaseBytes } from '../../../src/core/releaseBytes.ts';
import type { ImageSpec } from '../../../src/model/model.ts';
import type { ImageInput } from '../../../src/data/preprocess/image.ts';
import { defaultResize, imagePreprocessor, imageSpec } from '../../../src/data/preprocess/image.ts';
import { preprocessorFrom } from '../../../src/data/preprocess/preprocessorFrom.ts';
import golden from '../../golden/preprocess.json' with { type: 'json' };
import { definePreprocessor } from '../../../src/data/preprocess/definePreprocessor.ts';

let tensorsBefore = 0;
beforeEach(() => {
  tensorsBefore = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(tensorsBefore);
});

const size = [4, 4] as const;
const bytes = Uint8Array.from({ length: 6 * 5 * 3 }, (_, i) => (i * 37) % 256);
const picture = { height: 6, width: 5, data: bytes };

async function valuesOf(input: ImageInput, preprocessor = imagePreprocessor({ mode: 'raw', size })): Promise<number[]> {
  const tensor = await preprocessor.apply(input);
  expect(tensor.shape).toEqual([...preprocessor.spec.size, 3]);
  expect(tensor.dtype).toBe('float32');
  const values = Array.from(tensor.dataSync());
  tensor.dispose();
  return values;
}

describe('imageSpec', () => {
  it('fills in the defaults', () => {
    expect(defaultResize).toBe('antialias');
    expect(imageSpec({ mode: 'caffe' })).toEqual({
      kind: 'image',
      size: [224, 224],
      mode: 'caffe',
      resize: 'antialias',
      fit: 'cover',
    });
    expect(imageSpec({ mode: 'tf', size: [96, 64], resize: 'bilinear', fit: 'stretch' })).toEqual({
      kind: 'image',
      size: [96, 64],
      mode: 'tf',
      resize: 'bilinear',
      fit: 'stretch',
    });
  });
});

describe('inputs of imagePreprocessor', () => {
  it('give the same for pixels, tensors of both types, tensors in plain memory and files', async () => {
    const expected = await valuesOf(picture);
    const floats = tf.tensor3d(Array.from(bytes), [6, 5, 3]);
    const whole = tf.cast(floats, 'int32');
    const png = await sharp(bytes, { raw: { width: 5, height: 6, channels: 3 } })
      .png()
      .toBuffer();
    const encoded = Uint8Array.from(png);
    expect(await valuesOf(floats)).toEqual(expected);
    expect(await valuesOf(whole)).toEqual(expected);
    expect(await valuesOf({ shape: [6, 5, 3], dtype: 'float32', values: Float32Array.from(bytes) })).toEqual(expected);
    expect(await valuesOf(encoded)).toEqual(expected);
    expect(await valuesOf(encoded.buffer)).toEqual(expected);
    expect(await valuesOf(new Blob([encoded]))).toEqual(expected);
    expect(await valuesOf(`data:image/png;base64,${png.toString('base64')}`)).toEqual(expected);
    expect(await valuesOf(new URL(`data:image/png;base64,${png.toString('base64')}`))).toEqual(expected);
    expect(floats.isDisposed || whole.isDisposed).toBe(false); // the caller's tensors stay the caller's
    tf.dispose([floats, whole]);
  });

  it('may be gray or transparent: transparency becomes white', async () => {
    const gray = tf.fill([2, 3, 1], 100);
    expect(new Set(await valuesOf(gray))).toEqual(new Set([100]));
    gray.dispose();
    const rgba = { width: 1, height: 1, data: Uint8ClampedArray.of(100, 0, 0, 127.5 + 0.5) };
    const [red, green] = await valuesOf(rgba);
    expect(red).toBeCloseTo(255 - (155 * 128) / 255, 4);
    expect(green).toBeCloseTo(255 - 128, 4);
  });

  it('may be black pictures and pictures of zeros and ones', async () => {
    const black = tf.zeros<tf.Rank.R3>([3, 3, 3]);
    const dark = tf.ones<tf.Rank.R3>([3, 3, 3]);
    expect(new Set(await valuesOf(black))).toEqual(new Set([0]));
    expect(new Set(await valuesOf(dark))).toEqual(new Set([1]));
    tf.dispose([black, dark]);
  });

  it('scales by mode', async () => {
    const white = { width: 1, height: 1, data: Uint8Array.of(255, 255, 255) };
    expect((await valuesOf(white, imagePreprocessor({ mode: 'tf', size })))[0]).toBe(1);
    expect((await valuesOf(white, imagePreprocessor({ mode: 'unit', size })))[0]).toBe(1);
    expect((await valuesOf(white, imagePreprocessor({ mode: 'caffe', size })))[0]).toBeCloseTo(151.061, 4);
  });
});

describe('releaseBytes', () => {
  it('releases values that own their buffer, if the engine can, and no others', () => {
    const alone = new Uint8Array(100);
    releaseBytes(alone);
    expect(alone.length).toBe('transfer' in ArrayBuffer.prototype ? 0 : 100);
    const part = new Uint8Array(100).subarray(0, 50);
    releaseBytes(part);
    expect(part.length).toBe(50);
  });

  it("does not change the caller's pixels and encoded bytes", async () => {
    const png = await sharp(bytes, { raw: { width: 5, height: 6, channels: 3 } })
      .png()
      .toBuffer();
    const encoded = Uint8Array.from(png);
    for (const input of [picture, encoded, { shape: [6, 5, 3], dtype: 'int32' as const, values: new Int32Array(90) }]) {
      const first = await valuesOf(input);
      expect(await valuesOf(input)).toEqual(first);
    }
    expect([picture.data.length, encoded.length]).toEqual([90, png.length]);
  });
});

describe('imagePreprocessor refuses', () => {
  const fill = (values: number[], dtype: 'float32' | 'int32' | 'bool' = 'float32'): tf.Tensor =>
    tf.tensor(
      Array.from({ length: 12 }, (_, i) => values[i % values.length]!),
      [2, 2, 3],
      dtype,
    );
  const cases: [string, () => ImageInput, string, RegExp][] = [
    ['NaN', () => fill([1, Number.NaN]), 'NOT_FINITE', /expected finite pixel values 0\.\.255, got NaN at position 1/],
    [
      '[0, 1]',
      () => fill([0, 0.5, 1]),
      'OUT_OF_RANGE',
      /0\.\.255 \(mode 'tf' scales them to -1\.\.1 itself\), got values in 0\.\.1\. They look scaled already: multiply by 255, or use tensorPreprocessor/,
    ],
    [
      '[-1, 1]',
      () => fill([-1, 0.25, 1]),
      'OUT_OF_RANGE',
      /got values in -1\.\.1\. They look scaled already: give \(x \+ 1\) \* 127\.5/,
    ],
    ['too large', () => fill([0, 65535]), 'OUT_OF_RANGE', /got values in 0\.\.65540\. Bring the values to 0\.\.255/],
    ['too large whole numbers', () => fill([0, 300], 'int32'), 'OUT_OF_RANGE', /got values in 0\.\.300/],
    ['negative', () => fill([-20, 200]), 'OUT_OF_RANGE', /got values in -20\.\.200/],
    ['bool', () => fill([0, 1], 'bool'), 'WRONG_DTYPE', /expected pixels of type float32 or int32, got bool/],
    [
      'a batch',
      () => tf.zeros([1, 2, 2, 3]),
      'WRONG_SHAPE',
      /got \[1, 2, 2, 3\]\. Take the batch axis off: tf\.squeeze/,
    ],
    [
      'two channels',
      () => tf.zeros([2, 2, 2]),
      'WRONG_SHAPE',
      /expected pixels \[height, width, 1, 3 or 4\], got \[2, 2, 2\]/,
    ],
    [
      'pixels of a wrong length',
      () => ({ width: 2, height: 2, data: new Uint8Array(10) }),
      'WRONG_SHAPE',
      /got \[2, 2, 2\.5\]/,
    ],
    ['a list', () => [1, 2] as unknown as ImageInput, 'INVALID_OPTION', /expected a picture .* got a list/],
    ['nothing', () => null as unknown as ImageInput, 'INVALID_OPTION', /got null/],
    [
      'an element in Node',
      () => ({ width: 2, height: 2 }),
      'INVALID_OPTION',
      /Elements of a page can be read only in a browser/,
    ],
    ['an empty file', () => new Uint8Array(0), 'UNREADABLE', /the given bytes, but it is empty \(0 bytes\)/],
    ['a missing file', () => 'no-such.jpg', 'NOT_FOUND', /expected a readable file at no-such\.jpg, but: ENOENT/],
  ];

  it.each(cases)('%s', async (_, make, code, text) => {
    const input = make();
    const preprocessor = imagePreprocessor({ mode: 'tf', size });
    const error: unknown = await preprocessor.apply(input).catch((raised: unknown) => raised);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toMatch(text);
    if (input instanceof tf.Tensor) input.dispose();
  });

  it('a disposed tensor', async () => {
    const tensor = tf.zeros<tf.Rank.R3>([2, 2, 3]);
    tensor.dispose();
    await expect(imagePreprocessor({ mode: 'tf' }).apply(tensor)).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  const specs: [object, RegExp][] = [
    [{ mode: 'tff' }, /expected mode to be one of 'tf', .* got "tff"/],
    [{ mode: { mean: [0, 0, 0], std: [1, 1, 0] } }, /std above 0/],
    [{ mode: 'tf', size: [224, 0] }, /expected size to be \[height, width\] in whole pixels above 0, got \[224,0\]/],
    [{ mode: 'tf', resize: 'linear' }, /expected resize to be one of .*'bilinear'.* got 'linear'/],
    [{ mode: 'tf', fit: 'crop' }, /expected fit to be one of .* got 'crop'/],
  ];
  it.each(specs)('spec %j', (spec, text) => {
    const make = (): unknown => imagePreprocessor(spec as Parameters<typeof imagePreprocessor>[0]);
    expect(make).toThrow(text);
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});

describe('preprocessorFrom', () => {
  it('makes the same preprocessor from saved JSON', async () => {
    const original = imagePreprocessor({ mode: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }, size, fit: 'contain' });
    const again = preprocessorFrom(JSON.parse(JSON.stringify(original.spec)) as typeof original.spec);
    expect(again.spec).toEqual(original.spec);
    const tensor = await again.apply(picture);
    expect(Array.from(tensor.dataSync())).toEqual(await valuesOf(picture, original));
    tensor.dispose();
  });

  it('requires the function of a custom preprocessor', () => {
    const own = definePreprocessor({ name: 'spectrogram', apply: () => tf.scalar(0) });
    expect(own.spec).toEqual({ kind: 'custom', name: 'spectrogram' });
    expect(() => preprocessorFrom(own.spec)).toThrow(
      /the user's own 'spectrogram'\. .* hand the preprocessor in again/,
    );
    expect(() => preprocessorFrom(own.spec)).toThrow(expect.objectContaining({ code: 'PREPROCESSOR_UNKNOWN' }));
  });

  it('names an unknown kind, and refuses a preprocessor without a name', () => {
    const spec = { kind: 'hologram' } as unknown as Parameters<typeof preprocessorFrom>[0];
    expect(() => preprocessorFrom(spec)).toThrow(/got 'hologram'.*newer version/);
    expect(() => definePreprocessor({ name: '', apply: () => tf.scalar(0) })).toThrow(
      /expected a name that is not empty/,
    );
  });
});

describe('limits of pictures', () => {
  it('apply to decoded pictures, and are not part of the spec', async () => {
    const png = await sharp(bytes, { raw: { width: 5, height: 6, channels: 3 } })
      .png()
      .toBuffer();
    const accepting = imagePreprocessor({ mode: 'raw', size }, { maxPixels: 30 });
    expect(accepting.spec).toEqual(imageSpec({ mode: 'raw', size }));
    expect(await valuesOf(png, accepting)).toEqual(await valuesOf(picture));
    const refusing = preprocessorFrom(imageSpec({ mode: 'raw', size }), { maxPixels: 29 });
    await expect(refusing.apply(png)).rejects.toMatchObject({
      code: 'UNREADABLE',
      details: { width: 5, height: 6, pixels: 30, maxPixels: 29 },
    });
    const few = imagePreprocessor({ mode: 'raw', size }, { maxBytes: 10 });
    await expect(few.apply(png)).rejects.toMatchObject({ code: 'UNREADABLE', details: { maxBytes: 10 } });
    expect(await valuesOf(picture, few)).toEqual(await valuesOf(picture)); // nothing to decode
  });

  it('refuse invalid values', () => {
    const wrong: unknown[] = [
      5,
      'x',
      { maxPixels: 0 },
      { maxPixels: NaN },
      { maxPixels: '9' },
      { maxBytes: 1.5 },
      { svg: 1 },
    ];
    for (const limits of [...wrong, { maxPixel: 9 }]) {
      expect(() => imagePreprocessor({ mode: 'raw' }, limits as object)).toThrow(
        /imagePreprocessor: expected (known options of )?pictures/,
      );
    }
    expect(() => imagePreprocessor({ mode: 'raw' }, {})).not.toThrow();
  });
});

describe('one channel', () => {
  const formula = (height: number, width: number) => ({
    height,
    width,
    data: Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919 + ((i * i) % 251)) % 256),
  });
  const gray = (spec: Partial<ImageSpec> = {}) => imagePreprocessor({ mode: 'raw', size, channels: 1, ...spec });
  const grayValues = async (input: ImageInput, preprocessor = gray()): Promise<number[]> => {
    const tensor = await preprocessor.apply(input);
    expect(tensor.shape).toEqual([...preprocessor.spec.size, 1]);
    const values = Array.from(tensor.dataSync());
    tensor.dispose();
    return values;
  };

  it.each(
    (golden.gray as unknown as GrayCase[]).map(
      (each) => [JSON.stringify({ ...each, values: undefined }), each] as const,
    ),
  )("is TensorFlow's brightness: %s", async (_, { picture: [height, width], size: wanted, resize, mode, values }) => {
    const result = await grayValues(formula(height, width), gray({ fit: 'stretch', mode, size: wanted, resize }));
    expect(result).toHaveLength(values.length);
    for (const [i, value] of values.entries()) expect(Math.abs(value - (result[i] ?? NaN))).toBeLessThan(2e-4);
  });

  it('keeps values that are stored as brightness, in files, tensors and pixels', async () => {
    const data = Uint8Array.from({ length: 16 }, (_, i) => i * 17);
    const expected = Array.from(data);
    const whole = sharp(data, { raw: { width: 4, height: 4, channels: 1 } }).toColourspace('b-w');
    expect(await grayValues({ width: 4, height: 4, data })).toEqual(expected);
    expect(await grayValues({ shape: [4, 4, 1], dtype: 'float32', values: Float32Array.from(data) })).toEqual(expected);
    expect(await grayValues({ shape: [4, 4, 1], dtype: 'int32', values: Int32Array.from(data) })).toEqual(expected);
    expect(await grayValues(await whole.clone().png().toBuffer())).toEqual(expected);
    expect(await grayValues(await whole.clone().tiff({ compression: 'lzw' }).toBuffer())).toEqual(expected);
  });

  it('gives the same for coloured files, pixels and tensors; transparency becomes white', async () => {
    const { width, height, data } = formula(6, 5);
    const expected = await grayValues({ width, height, data });
    const png = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    expect(await grayValues(png)).toEqual(expected);
    const tensor = tf.tensor3d(Array.from(data), [height, width, 3]);
    expect(await grayValues(tensor)).toEqual(expected);
    tensor.dispose();
    const clear = { width: 1, height: 1, data: Uint8ClampedArray.of(9, 9, 9, 0) };
    expect((await grayValues(clear))[0]).toBeCloseTo(255 * 0.9999, 3);
  });

  it('supports modes that have a meaning, and explains why others have none', () => {
    for (const mode of ['tf', 'unit', 'raw', { mean: 0.5, std: 0.5 }, { mean: [0.5], std: [0.5] }] as const) {
      expect(gray({ mode }).spec).toMatchObject({ mode, channels: 1 });
    }
    expect(() => gray({ mode: 'caffe' })).toThrow(
      "expected mode to be one of 'tf', 'raw', 'unit', or { mean, std } with one finite number each (of pixels / 255) and std " +
        'above 0 for a base that takes one channel, got "caffe". \'caffe\' holds statistics of three colours.',
    );
    for (const mode of ['torch', { mean: [0.5, 0.5, 0.5], std: 0.5 }, { mean: 0.5, std: 0 }, { mean: '1', std: 1 }]) {
      expect(() => gray({ mode: mode as 'tf' })).toThrow(/expected mode to be one of/);
    }
    for (const channels of [0, 2, '1']) {
      expect(() => gray({ channels: channels as 1 })).toThrow(/expected channels to be 1, 3 or 4/);
    }
    expect(imagePreprocessor({ mode: { mean: 0.5, std: 0.5 } }).spec).not.toHaveProperty('channels');
  });
});

describe('four channels', () => {
  it('have opacity as the fourth, 255 by default', async () => {
    const rgba = imagePreprocessor({ mode: 'raw', size: [1, 2], channels: 4 });
    const data = Uint8Array.of(10, 20, 30, 128, 40, 50, 60, 255);
    const inputs: [ImageInput, number[]][] = [
      [{ width: 2, height: 1, data }, Array.from(data)],
      [
        await sharp(data, { raw: { width: 2, height: 1, channels: 4 } })
          .png()
          .toBuffer(),
        Array.from(data),
      ],
      [{ width: 1, height: 1, data: Uint8Array.of(1, 2, 3) }, [1, 2, 3, 255, 1, 2, 3, 255]],
      [{ width: 1, height: 1, data: Uint8Array.of(7) }, [7, 7, 7, 255, 7, 7, 7, 255]],
      [
        await sharp(Uint8Array.of(1, 2, 3), { raw: { width: 1, height: 1, channels: 3 } })
          .png()
          .toBuffer(),
        [1, 2, 3, 255, 1, 2, 3, 255],
      ],
      [
        await sharp(Uint8Array.of(7), { raw: { width: 1, height: 1, channels: 1 } })
          .toColourspace('b-w')
          .png()
          .toBuffer(),
        [7, 7, 7, 255, 7, 7, 7, 255],
      ],
    ];
    for (const [input, expected] of inputs) {
      const tensor = await rgba.apply(input);
      expect([tensor.shape, Array.from(tensor.dataSync())]).toEqual([[1, 2, 4], expected]);
      tensor.dispose();
    }
  });

  it('refuse sizes that are not whole numbers', async () => {
    const rgba = imagePreprocessor({ mode: 'raw', size, channels: 4 });
    const odd = { width: 2.5, height: 2, data: new Uint8Array(15) };
    await expect(rgba.apply(odd)).rejects.toMatchObject({ code: 'WRONG_SHAPE' });
  });
});

interface GrayCase {
  readonly picture: [number, number];
  readonly size: [number, number];
  readonly resize: ImageSpec['resize'];
  readonly mode: ImageSpec['mode'];
  readonly values: number[];
}

test('invalid specs and values of a file are refused with an explanation', () => {
  for (const wrong of [
    { fit: 5 },
    { resize: null },
    { fit: ['cover'] },
    { mode: 7 },
    { size: 'x' },
    { channels: {} },
  ]) {
    const spec = { ...imageSpec({ mode: 'tf' }), ...wrong } as ImageSpec;
    expect(() => preprocessorFrom(spec)).toThrow(
      /^\[transferkit\] imagePreprocessor: expected (fit|resize|mode|size|channels) to be/,
    );
  }
  for (const definition of [undefined, null, 5, {}, { name: 'x' }, { name: 'x', apply: 5 }]) {
    expect(() => definePreprocessor(definition as never)).toThrow(/^\[transferkit\] definePreprocessor: expected/);
  }
  for (const option of [null, 5, [], {}]) {
    const input = { shape: [null, 4, 4, 3], dtype: 'float32' } as const;
    const choice = { option: option as never, saved: undefined, pictures: undefined };
    expect(() => choosePreprocessor(input, choice)).toThrow(
      /^\[transferkit\] (imagePreprocessor: )?expected mode (to be|such as)/,
    );
  }
});
