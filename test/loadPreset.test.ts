// Presets as bases: weights from the published address, from files and bytes, or drawn by a seed; and what is refused.
import { mkdirSync, readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as h5wasm from 'h5wasm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadBase, replaceHead, useBackend, type Base } from '../src/index.ts';
import { expectNoLeak } from './support/tensors.ts';

const small = { alpha: 0.25, inputSize: 32 } as const;
let folder: string;
let server: Server;
let mirror: string;
let published: Base;
const asked: string[] = [];

beforeAll(async () => {
  await useBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'transferkit-'));
  published = await loadBase('mobilenet', { ...small, weights: null, seed: 9 });
  writeFileSync(join(folder, 'weights.h5'), await legacyFile(published));
  server = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.end(readFileSync(join(folder, 'weights.h5')));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  mirror = `http://localhost:${String((server.address() as AddressInfo).port)}/`;
});

afterAll(() => {
  published.dispose();
  server.close();
  rmSync(folder, { recursive: true });
});

/** The weights of a base as Keras 2's `save_weights` writes them. */
async function legacyFile({ trunk }: Base): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File('written.h5', 'w');
  const layers = [...new Set(trunk.weights.map(({ layer }) => layer))];
  file.create_attribute('layer_names', layers);
  for (const layer of layers) {
    const group = file.create_group(layer);
    const inner = group.create_group(layer);
    const weights = trunk.weights.filter((weight) => weight.layer === layer);
    group.create_attribute(
      'weight_names',
      weights.map(({ name }) => `${name}:0`),
    );
    for (const { name, shape, variable } of weights) {
      const data = Float32Array.from(variable.dataSync());
      inner.create_dataset({ name: `${name.slice(layer.length + 1)}:0`, data, shape: [...shape], dtype: '<f' });
    }
  }
  file.close();
  return FS.readFile('written.h5');
}

const valuesOf = ({ trunk }: Base) =>
  trunk.weights.map(({ name, variable }) => [name, Array.from(variable.dataSync())]);

describe('a preset', () => {
  test('has its size, its preprocessing and its cut', async () => {
    const base = await loadBase('mobilenet_v2', { alpha: 0.35, weights: null });
    expect(base.name).toBe('mobilenet_v2');
    expect(base.cut).toBe('out_relu');
    expect(base.trunk.input.shape).toEqual([null, 224, 224, 3]);
    expect(base.trunk.output.shape).toEqual([null, 7, 7, 1280]);
    expect(base.preprocessor.spec).toMatchObject({ kind: 'image', mode: 'tf', size: [224, 224] });
    base.dispose();
  });

  test('can be cut anywhere, also in its classifier', async () => {
    const inner = await loadBase('mobilenet', { ...small, weights: null, cut: 'conv_pw_3_relu' });
    expect(inner.trunk.output.shape).toEqual([null, 8, 8, 32]);
    inner.dispose();
    const whole = await loadBase('mobilenet', { ...small, weights: null, cut: 'conv_preds' });
    expect(whole.trunk.output.shape).toEqual([null, 1, 1, 1000]);
    whole.dispose();
    await expect(loadBase('mobilenet', { ...small, weights: null, cut: 'conv_pw_3_rely' })).rejects.toMatchObject({
      code: 'UNKNOWN_LAYER',
      message: expect.stringContaining('conv_pw_3_relu') as string,
    });
  });

  test('draws the same weights with the same seed, and others with another', async () => {
    const again = await loadBase('mobilenet', { ...small, weights: null, seed: 9 });
    const other = await loadBase('mobilenet', { ...small, weights: null });
    expect(valuesOf(again)).toEqual(valuesOf(published));
    expect(valuesOf(other)).not.toEqual(valuesOf(published));
    again.dispose();
    other.dispose();
  });

  test('leaks no tensor', async () => {
    await expectNoLeak(async () => {
      const base = await loadBase('mobilenet', { ...small, weights: null });
      const model = replaceHead(base, { labels: ['a', 'b'] });
      model.dispose();
    });
  });
});

describe('weights of a preset', () => {
  test('come from the published address, through a mirror', async () => {
    const base = await loadBase('mobilenet', { ...small, mirror, cacheDir: false });
    expect(asked).toEqual(['/tensorflow/keras-applications/mobilenet/mobilenet_2_5_224_tf_no_top.h5']);
    expect(valuesOf(base)).toEqual(valuesOf(published));
    expect(base.weightsReport).toMatchObject({ missing: [], unexpected: [], wrongShape: [] });
    expect(base.weightsReport?.assigned).toHaveLength(published.trunk.weights.length);
    base.dispose();
  });

  test('are cached, and read from the cache', async () => {
    const cacheDir = join(folder, 'cache');
    const first = await loadBase('mobilenet', { ...small, mirror, cacheDir });
    const count = asked.length;
    const offline = () => Promise.reject(new TypeError('fetch failed'));
    const again = await loadBase('mobilenet', { ...small, mirror, cacheDir, fetch: offline, retries: 0 });
    expect(asked).toHaveLength(count);
    expect([valuesOf(first), valuesOf(again)]).toEqual([valuesOf(published), valuesOf(published)]);
    first.dispose();
    again.dispose();
  });

  test('that cannot be downloaded: the error lists alternatives', async () => {
    const offline = (): Promise<Response> => Promise.reject(new TypeError('fetch failed'));
    const loading = loadBase('mobilenet', { alpha: 0.25, inputSize: 128, fetch: offline, cacheDir: false, retries: 0 });
    await expect(loading).rejects.toThrow(
      /expected to download the published weights of 'mobilenet': expected data at .*fetch failed\. .*weights: <path or bytes .*mirror: <address .*weights: null/,
    );
  });

  test('with a wrong hash are not used', async () => {
    await expect(loadBase('vgg16', { mirror, cacheDir: false, inputSize: 32, retries: 0 })).rejects.toMatchObject({
      code: 'WEIGHTS_DAMAGED',
    });
  });

  test.each<[string, () => string | Uint8Array]>([
    ['a path', () => join(folder, 'weights.h5')],
    ['bytes', () => readFileSync(join(folder, 'weights.h5'))],
    ['an address', () => `${mirror}weights.h5`],
  ])('come from %s', async (_, source) => {
    const base = await loadBase('mobilenet', { ...small, weights: source() });
    expect(valuesOf(base)).toEqual(valuesOf(published));
    base.dispose();
  });

  test('of another network are refused, and the differences are listed', async () => {
    const weights = join(folder, 'weights.h5');
    const error: unknown = await expectNoLeak(() =>
      loadBase('mobilenet', { ...small, alpha: 0.5, weights }).catch((each: unknown) => each),
    );
    expect(error).toMatchObject({
      code: 'WEIGHTS_MISMATCH',
      message: expect.stringMatching(/conv1\/kernel \[3, 3, 3, 8\] instead of \[3, 3, 3, 16\].*; …\./) as string,
    });
    await expect(loadBase('resnet50', { inputSize: 32, weights })).rejects.toMatchObject({ code: 'WEIGHTS_MISMATCH' });
  });
});

function savedModel(): string {
  const path = join(folder, 'saved');
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'saved_model.pb'), Uint8Array.of(8, 1, 0x12, 0));
  return path;
}

describe('what is refused', () => {
  test.each<[string, () => Promise<Base>, string, RegExp]>([
    ['a misspelt name', () => loadBase('resnet5O'), 'NOT_FOUND', /Nearest presets: resnet50/],
    [
      'preset options without a preset',
      () => loadBase('resnet5O', { alpha: 0.5 }),
      'INVALID_OPTION',
      /expected the name of a preset for alpha, got 'resnet5O'\. Nearest: resnet50/,
    ],
    [
      'an alpha without published weights',
      () => loadBase('mobilenet_v2', { alpha: 0.4 }),
      'INVALID_OPTION',
      /alpha to be one of 0\.35, 0\.5, 0\.75, 1, 1\.3, 1\.4 for 'mobilenet_v2', got 0\.4/,
    ],
    [
      'an alpha where there is none',
      () => loadBase('vgg16', { alpha: 0.5, weights: null }),
      'INVALID_OPTION',
      /one of 1/,
    ],
    [
      'an alpha that is a text',
      () => loadBase('mobilenet', { alpha: '1' as unknown as number, weights: null }),
      'INVALID_OPTION',
      /alpha to be one of/,
    ],
    [
      'a size that is null',
      () => loadBase('mobilenet', { inputSize: null as unknown as number, weights: null }),
      'INVALID_OPTION',
      /whole numbers above 0, got null/,
    ],
    [
      'a size with channels',
      () => loadBase('mobilenet', { inputSize: [32, 32, 3] as unknown as number, weights: null }),
      'INVALID_OPTION',
      /got \[32,32,3\]/,
    ],
    [
      'a cut that is not there, with weights',
      () => loadBase('mobilenet', { ...small, cut: 'conv_pw_14', weights: join(folder, 'weights.h5') }),
      'UNKNOWN_LAYER',
      /got 'conv_pw_14'\. Nearest: /,
    ],
    ['the folder of a SavedModel', () => loadBase(savedModel()), 'UNSUPPORTED_SOURCE', /got .* SavedModel\. Convert/],
    [
      'the folder of a SavedModel as weights',
      () => loadBase('mobilenet', { ...small, weights: savedModel() }),
      'UNSUPPORTED_SOURCE',
      /got .* SavedModel\. Convert/,
    ],
    [
      'a seed that is no number',
      () => loadBase('mobilenet', { ...small, weights: null, seed: NaN }),
      'INVALID_OPTION',
      /seed to be a whole number for 'mobilenet', got NaN/,
    ],
    [
      'weights of another kind',
      () => loadBase('mobilenet', { ...small, weights: 5 as unknown as string }),
      'INVALID_OPTION',
      /weights to be 'imagenet', null, a path, an address or a Uint8Array for 'mobilenet', got 5/,
    ],
    [
      'a hash of something in memory',
      () => loadBase(readFileSync(join(folder, 'weights.h5')), { sha256: '0'.repeat(64) }),
      'INVALID_OPTION',
      /expected a path or an address for sha256/,
    ],
    [
      'a picture too small',
      () => loadBase('vgg16', { inputSize: 16, weights: null }),
      'INVALID_OPTION',
      /inputSize of at least 32 pixels for 'vgg16', got 16 × 16/,
    ],
  ])('%s', async (_, load, code, text) => {
    await expect(load()).rejects.toMatchObject({ code });
    await expect(load()).rejects.toThrow(text);
  });
});
