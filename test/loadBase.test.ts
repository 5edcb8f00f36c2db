// loadBase: every kind of source gives the same base; cuts, sizes, preprocessing; what is refused, and how.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import {
  layers,
  loadLayersModel,
  model,
  sequential,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createBase } from '../src/bases/createBase.ts';
import {
  definePreprocessor,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  trainHead,
  useBackend,
  type Base,
  type BaseSource,
  type LoadBaseOptions,
} from '../src/index.ts';
import { fileSystem } from '../src/node.ts';
import { expectNoLeak, raisedBy, relativeError } from './support/tensors.ts';
import { tinyGraph, tinyLayers } from './support/tinyGraph.ts';
import { setWeights, tinyModel, wave } from './support/tinyModel.ts';
import { tinyLabels, tinySamples } from './support/tinyTask.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-base-'));
const folder = join(root, 'tiny');
let artifacts: tf.io.ModelArtifacts;
let server: Server;
let address = '';
const requests: string[] = [];

beforeAll(async () => {
  await useBackend('cpu');
  artifacts = await artifactsOf(tinyModel());
  writeFiles(folder, artifacts);
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url?.startsWith('/slow/')) return;
    try {
      response.end(readFileSync(join(root, new URL(request.url ?? '', 'http://x').pathname)));
    } catch {
      response.statusCode = 404;
      response.end('nothing here');
    }
  }).listen(0);
  address = `http://localhost:${String((server.address() as AddressInfo).port)}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

/** What tfjs saves, the model disposed. */
async function artifactsOf(source: LayersModel): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts = {};
  await source.save(
    tf.io.withSaveHandler((each) => {
      saved = each;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    }),
  );
  source.dispose();
  return saved;
}

function bytesOf({ weightData }: tf.io.ModelArtifacts): Uint8Array {
  return new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData ?? new ArrayBuffer(0)));
}

/** Writes a model as tensorflowjs_converter does: in shards that cut through weights. */
function writeFiles(directory: string, saved: tf.io.ModelArtifacts, shards = 3): void {
  mkdirSync(directory, { recursive: true });
  const bytes = bytesOf(saved);
  const length = Math.ceil(bytes.length / shards);
  const paths = Array.from({ length: shards }, (_, i) => `group1-shard${String(i + 1)}of${String(shards)}.bin`);
  paths.forEach((path, i) => {
    writeFileSync(join(directory, path), bytes.subarray(i * length, (i + 1) * length));
  });
  writeFileSync(join(directory, 'model.json'), JSON.stringify(modelJson(saved, paths)));
}

function modelJson({ modelTopology, weightSpecs }: tf.io.ModelArtifacts, paths: string[]): object {
  return { format: 'layers-model', modelTopology, weightsManifest: [{ paths, weights: weightSpecs }] };
}

/** A module shaped like those of nsfwjs: JSON and base64 behind functions, as default exports. */
function weightModule(saved: tf.io.ModelArtifacts) {
  const bytes = bytesOf(saved);
  const half = Math.ceil(bytes.length / 2);
  return {
    name: 'TinyNet',
    numOfWeightBundles: 2,
    modelJson: () => Promise.resolve({ default: modelJson(saved, ['a', 'b']) }),
    weightBundles: [bytes.subarray(0, half), bytes.subarray(half)].map(
      (part) => () => Promise.resolve({ default: Buffer.from(part).toString('base64') }),
    ),
  };
}

const input = () => wave([2, 16, 16, 3], 1, 0.3);

/** The output of an inner layer by tfjs itself. */
function reference(source: LayersModel, layer: string, x: tf.Tensor): tf.Tensor {
  const inner = model({ inputs: source.inputs, outputs: source.getLayer(layer).output });
  return inner.predict(x) as tf.Tensor;
}

describe('every source gives the same base', () => {
  test.each<[string, () => BaseSource, string]>([
    ['the path of a folder', () => folder, 'tiny'],
    ['the path of a folder with a slash', () => `${folder}/`, 'tiny'],
    ['the path of model.json', () => join(folder, 'model.json'), 'tiny'],
    ['the URL of a file', () => pathToFileURL(join(folder, 'model.json')), 'tiny'],
    ['the URL of a folder', () => pathToFileURL(folder), 'tiny'],
    ['the address of a folder', () => `${address}/tiny`, 'tiny'],
    ['the address of a folder with a slash', () => `${address}/tiny/`, 'tiny'],
    ['the address of model.json', () => `${address}/tiny/model.json`, 'tiny'],
    ['an address with a query', () => new URL(`${address}/tiny/model.json?version=2`), 'tiny'],
    ['an IOHandler', () => tf.io.fromMemory({ ...artifacts }), 'tiny'],
    ['our own IOHandler', () => fileSystem(folder), 'tiny'],
    ['a LayersModel in memory', () => tinyModel(), 'tiny'],
    ['a value that carries weights', () => weightModule(artifacts), 'tiny'],
    ['a module that exports such a value', () => ({ TinyNetModel: weightModule(artifacts) }), 'tiny'],
  ])('%s', async (_, source, name) => {
    const base = await loadBase(source());
    expect([base.name, base.cut, base.trunk.weights.length]).toEqual([name, 'relu2', 18]);
    expect(base.trunk.weights.every(({ frozen }) => frozen)).toBe(true);
    expect(base.preprocessor.spec).toEqual({ kind: 'tensor', shape: [16, 16, 3], dtype: 'float32' });
    expect(relativeError(base.trunk.run(input()), reference(tinyModel(), 'relu2', input()))).toBeLessThan(1e-6);
  });

  test('shards are read from the folder of model.json', async () => {
    requests.length = 0;
    (await loadBase(`${address}/tiny/`)).dispose();
    expect(requests.sort()).toEqual(
      ['group1-shard1of3.bin', 'group1-shard2of3.bin', 'group1-shard3of3.bin', 'model.json'].map(
        (file) => `/tiny/${file}`,
      ),
    );
  });

  test.each<[string, () => BaseSource]>([
    ['a path', () => folder],
    ['an address', () => `${address}/tiny`],
    ['an IOHandler', () => tf.io.fromMemory({ ...artifacts })],
    ['a module', () => weightModule(artifacts)],
  ])('dispose leaves no tensor: %s', async (_, source) => {
    await expectNoLeak(async () => {
      const base = await expectNoLeak(() => loadBase(source()), 18);
      base.dispose();
      base.dispose();
    });
  });

  test('the name can be set', async () => {
    expect((await loadBase(folder, { name: 'my base' })).name).toBe('my base');
  });
});

describe('a model in memory', () => {
  test('stays untouched and usable, whatever happens to the base', async () => {
    const source = tinyModel();
    const before = source.getWeights().map((weight) => Array.from(weight.dataSync()));
    const trainable = source.layers.map((layer) => layer.trainable);
    const expected = Array.from((source.predict(input()) as tf.Tensor).dataSync());
    const base = await loadBase(source);
    const transfer = replaceHead(base, { labels: tinyLabels });
    await trainHead(transfer, tinySamples(4), { epochs: 1 });
    for (const weight of base.trunk.weights) weight.write(tf.zeros([...weight.shape]));
    transfer.dispose();
    expect(source.getWeights().map((weight) => Array.from(weight.dataSync()))).toEqual(before);
    expect(Array.from((source.predict(input()) as tf.Tensor).dataSync())).toEqual(expected);
    expect(source.layers.map((layer) => layer.trainable)).toEqual(trainable);
  });

  test('the base remains usable after dispose of the model', async () => {
    const source = tinyModel();
    const expected = reference(source, 'relu2', input());
    const base = await loadBase(source);
    source.dispose();
    expect(relativeError(base.trunk.run(input()), expected)).toBeLessThan(1e-6);
    await expectNoLeak(() => {
      base.dispose();
    }, -18);
  });

  test('a disposed one is refused', async () => {
    const source = tinyModel();
    source.dispose();
    await expectNoLeak(() => expect(loadBase(source)).rejects.toMatchObject({ code: 'DISPOSED' }));
    await expect(loadBase(source)).rejects.toThrow("expected a usable LayersModel, got 'tiny' after its dispose()");
  });
});

describe('cut', () => {
  test.each([
    ['pool', 13, [null, 4, 4, 8]],
    ['block_1_depthwise', 7, [null, 8, 8, 16]],
    ['gap', 18, [null, 12]],
    ['classifier', 20, [null, 5]],
    ['relu1', 5, [null, 8, 8, 8]],
  ])('at %s', async (cut, weights, shape) => {
    const base = await loadBase(folder, { cut });
    expect([base.cut, base.trunk.output.shape]).toEqual([cut, shape]);
    expect(base.trunk.weights.length).toBe(weights);
    expect(relativeError(base.trunk.run(input()), reference(tinyModel(), cut, input()))).toBeLessThan(1e-6);
  });

  test('at an unknown layer, the error lists the nearest names', async () => {
    await expectNoLeak(() =>
      expect(loadBase(folder, { cut: 'relu3' })).rejects.toMatchObject({ code: 'UNKNOWN_LAYER' }),
    );
    await expect(loadBase(folder, { cut: 'relu3' })).rejects.toThrow(
      "loadBase: expected cut to name a layer of 'tiny', got 'relu3'. Nearest: relu1, relu2, ",
    );
  });

  test('layers with slashes in their names, as in DenseNets', async () => {
    const source = sequential({
      name: 'dense',
      layers: [
        layers.conv2d({ name: 'conv1/conv', filters: 2, kernelSize: 1, inputShape: [4, 4, 3] }),
        layers.batchNormalization({ name: 'conv1/bn' }),
        layers.globalAveragePooling2d({ name: 'avg_pool' }),
        layers.dense({ name: 'fc1000', units: 4, activation: 'softmax' }),
      ],
    });
    setWeights(source);
    const base = await loadBase(source);
    expect(base.trunk.weights.map(({ name }) => name)).toEqual([
      'conv1/conv/kernel',
      'conv1/conv/bias',
      'conv1/bn/gamma',
      'conv1/bn/beta',
      'conv1/bn/moving_mean',
      'conv1/bn/moving_variance',
    ]);
    expect(base.trunk.weights.at(-1)?.kind).toBe('statistics');
    const x = wave([1, 4, 4, 3], 1, 0.2);
    expect(relativeError(base.trunk.run(x), reference(source, 'conv1/bn', x))).toBeLessThan(1e-6);
  });
});

describe('summary', () => {
  const lines = (base: Pick<Base, 'summary'>) => base.summary().split('\n');

  test('of layers: kinds, shapes, parameters by stages, the sums and the cut', async () => {
    const source = tinyLayers();
    const base = await loadBase(source);
    source.dispose();
    for (const weight of base.trunk.weights) if (weight.layer === 'bn1') weight.frozen = false;
    expect(lines(base)).toEqual([
      'pair: input [any, 8, 8, 3] float32, 7 layers in 2 stages',
      '',
      'stage  layer      kind                output shape    parameters',
      '0      conv1      Conv2D              [any, 8, 8, 6]         162',
      '0      bn1        BatchNormalization  [any, 8, 8, 6]          24',
      '0      relu1      ReLU                [any, 8, 8, 6]           0',
      '1      depthwise  DepthwiseConv2D     [any, 8, 8, 6]          60',
      '1      relu2      Activation          [any, 8, 8, 6]           0',
      '1      project    Conv2D              [any, 8, 8, 6]          42',
      '1      add        Add                 [any, 8, 8, 6]           0',
      '',
      'Parameters: 288; trainable 12, frozen 276.',
      "Cut: features are taken from 'add', [any, 8, 8, 6].",
    ]);
    base.dispose();
  });

  test('of a GraphModel: shapes where everything passes through one node', async () => {
    const base = await loadBase(tinyGraph());
    expect(lines(base)).toEqual([
      'graph_model: input [any, 8, 8, 3] float32, 11 nodes in 3 stages',
      '',
      'stage  layer                    kind                   output shape    parameters',
      '0      hub_input/Mul            Mul                    [any, 8, 8, 3]           0',
      '0      hub_input/Sub            Sub                    [any, 8, 8, 3]           0',
      '1      net/conv1                Conv2D                 [any, 8, 8, 6]         162',
      '1      net/bn1                  FusedBatchNormV3       [any, 8, 8, 6]          24',
      '1      net/relu1                Relu6                  [any, 8, 8, 6]           0',
      '2      net/depthwise/depthwise  DepthwiseConv2dNative                          54',
      '2      net/depthwise/BiasAdd    BiasAdd                                         6',
      '2      net/relu2                Relu                                            0',
      '2      net/project              _FusedConv2D                                   42',
      '2      net/add                  AddV2                  [any, 8, 8, 6]           0',
      '2      net/pool                 Mean                   [any, 6]                 0',
      '',
      'Parameters: 288; trainable 0, frozen 288. Constants that never train: 3.',
      "Cut: features are taken from 'net/pool', [any, 6].",
    ]);
    base.dispose();
  });

  test('of a preset, with thousands separators; of a custom trunk, the shapes of its stages', async () => {
    const base = await loadBase('mobilenet', { alpha: 0.25, weights: null, inputSize: 32, cut: 'conv_pw_3_relu' });
    expect(lines(base).at(-2)).toBe('Parameters: 2,960; trainable 0, frozen 2,960.');
    const other = createBase({ ...base, trunk: { ...base.trunk, describeLayer: () => ({ kind: '' }) } });
    const ends = lines(other)
      .slice(3, -3)
      .flatMap((line) => (line.includes('[any') ? line.split(/ +/)[1] : []));
    expect(ends).toEqual(base.trunk.stages.map(({ name }) => name));
    base.dispose();
  });
});

describe('inputSize', () => {
  test.each<[NonNullable<LoadBaseOptions['inputSize']>, number[], (number | null)[]]>([
    [32, [32, 32, 3], [null, 8, 8, 12]],
    [
      [24, 40],
      [24, 40, 3],
      [null, 6, 10, 12],
    ],
    [16, [16, 16, 3], [null, 4, 4, 12]],
  ])('%j gives other shapes and the same weights', async (inputSize, shape, output) => {
    const [base, saved] = [await loadBase(folder, { inputSize }), await loadBase(folder)];
    expect([base.trunk.input.shape, base.trunk.output.shape]).toEqual([[null, ...shape], output]);
    expect(base.trunk.run(wave([1, ...shape], 1, 0.2)).shape.slice(1)).toEqual(output.slice(1));
    const values = ({ trunk }: Base) =>
      trunk.weights.map(({ name, variable }) => [name, Array.from(variable.dataSync())]);
    expect(values(base)).toEqual(values(saved));
    expect(base.preprocessor.spec).toMatchObject({ shape });
  });

  test('determines the size of picture preprocessing', async () => {
    const base = await loadBase(folder, { inputSize: [24, 40], preprocess: 'unit' });
    expect(base.preprocessor.spec).toMatchObject({ kind: 'image', size: [24, 40], mode: 'unit' });
  });

  /** conv → flatten → dense: the dense kernel knows the size of the picture. */
  function flat(): LayersModel {
    const source = sequential({
      name: 'flat',
      layers: [
        layers.conv2d({ name: 'conv', filters: 2, kernelSize: 3, padding: 'same', inputShape: [8, 8, 3] }),
        layers.flatten({ name: 'flatten' }),
        layers.dense({ name: 'hidden', units: 6, activation: 'relu' }),
        layers.dense({ name: 'out', units: 3, activation: 'softmax' }),
      ],
    });
    setWeights(source);
    return source;
  }

  test('with a Flatten and a Dense before the cut raises, with advice', async () => {
    const warnings = vi.spyOn(console, 'warn');
    const source = flat();
    const loading = () => loadBase(source, { cut: 'hidden', inputSize: 16 });
    await expectNoLeak(() => expect(loading()).rejects.toMatchObject({ code: 'WEIGHTS_MISMATCH' }));
    await expect(loading()).rejects.toThrow(
      "expected weight 'hidden/kernel' of shape [512, 6], got [128, 6]. With another inputSize only fully convolutional " +
        'bases work: cut before the first Flatten or Dense layer.',
    );
    const base = await loadBase(source, { inputSize: 16 });
    expect([base.cut, base.trunk.output.shape]).toEqual(['conv', [null, 16, 16, 2]]);
    expect(warnings).not.toHaveBeenCalled();
    warnings.mockRestore();
  });

  test.each([0, -1, 1.5, NaN, [16], [16, 0], [16, 16.5], '16'])('%j is not a size', async (inputSize) => {
    const loading = () => loadBase(folder, { inputSize: inputSize as number });
    await expectNoLeak(() => expect(loading()).rejects.toMatchObject({ code: 'INVALID_OPTION' }));
    await expect(loading()).rejects.toThrow(
      'loadBase: expected inputSize to be one or two whole numbers above 0, got ',
    );
  });

  test('of a base without picture inputs raises', async () => {
    const source = sequential({ layers: [layers.dense({ units: 2, inputShape: [4] }), layers.dense({ units: 3 })] });
    await expect(loadBase(source, { inputSize: 8 })).rejects.toThrow(
      'loadBase: expected a base with pictures [height, width, channels] as input for inputSize, got [4].',
    );
  });

  test('image preprocessing of a base with a free size asks for it', async () => {
    const source = sequential({
      layers: [
        layers.conv2d({ filters: 2, kernelSize: 1, inputShape: [null, null, 3] }),
        layers.globalAveragePooling2d({}),
      ],
    });
    await expectNoLeak(() =>
      expect(loadBase(source, { preprocess: 'tf' })).rejects.toThrow('got input [any, any, 3]. Give inputSize.'),
    );
    expect((await loadBase(source, { preprocess: 'tf', inputSize: 8 })).trunk.input.shape).toEqual([null, 8, 8, 3]);
    expect((await loadBase(source)).trunk.input.shape).toEqual([null, null, null, 3]);
  });
});

describe('preprocess', () => {
  test('bases of one and of four channels take pictures, also after save and load', async () => {
    const coloured = await sharp({
      create: { width: 9, height: 9, channels: 4, background: { r: 200, g: 30, b: 90, alpha: 0.5 } },
    })
      .png()
      .toBuffer();
    for (const channels of [1, 4] as const) {
      const source = sequential({
        layers: [
          layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [8, 8, channels] }),
          layers.flatten(),
          layers.dense({ units: 3, activation: 'softmax' }),
        ],
      });
      for (const preprocess of ['unit', 'raw', 'tf', { mean: 0.1307, std: 0.3081 }] as const) {
        const target = replaceHead(await loadBase(source, { preprocess }), { labels: tinyLabels });
        expect(target.base.preprocessor.spec).toMatchObject({ kind: 'image', size: [8, 8], channels });
        const predicted = await expectNoLeak(() => predict(target, coloured));
        const saved = join(root, `channels-${String(channels)}`);
        await save(target, fileSystem(saved));
        const again = await load(saved);
        expect(again.base.preprocessor.spec).toEqual(target.base.preprocessor.spec);
        expect(await predict(again, coloured)).toEqual(predicted);
        target.dispose();
        again.dispose();
      }
      for (const preprocess of ['caffe', 'torch'] as const) {
        await expectNoLeak(() =>
          expect(loadBase(source, { preprocess })).rejects.toThrow(
            `'${preprocess}' holds statistics of three colours.`,
          ),
        );
      }
      await expect(loadBase(source, { preprocess: { mean: [0.5, 0.5, 0.5], std: 0.5 } })).rejects.toMatchObject({
        code: 'INVALID_OPTION',
      });
      source.dispose();
    }
  });

  test('pictures limits decoding, and is refused for bases without pictures', async () => {
    const png = await sharp({ create: { width: 6, height: 6, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const target = replaceHead(await loadBase(folder, { preprocess: 'unit', pictures: { maxPixels: 35 } }), {
      labels: tinyLabels,
    });
    await expectNoLeak(() => expect(predict(target, png)).rejects.toMatchObject({ code: 'UNREADABLE' }));
    await expect(predict(target, png)).rejects.toThrow('loadBase(source, { pictures: { maxPixels: 36 } })');
    await expectNoLeak(() =>
      expect(loadBase(folder, { pictures: { maxPixels: 36 } })).rejects.toThrow(
        "loadBase: expected image preprocessing for the option pictures, which limits what is decoded, got preprocessing of kind 'tensor'.",
      ),
    );
    await expectNoLeak(() =>
      expect(loadBase(folder, { preprocess: 'tf', pictures: { maxPixels: 0 } })).rejects.toThrow(
        'loadBase: expected pictures.maxPixels to be a whole number from 1, got 0.',
      ),
    );
  });

  test('if it is unknown, tensors are used unchanged, and a path raises with advice', async () => {
    const target = replaceHead(await loadBase(folder), { labels: tinyLabels });
    expect(await predict(target, new Float32Array(768))).toHaveLength(3);
    await expectNoLeak(() => expect(predict(target, 'cat.jpg')).rejects.toMatchObject({ code: 'WRONG_DTYPE' }));
    await expect(predict(target, 'cat.jpg')).rejects.toThrow(
      "expected a tensor or numbers of shape [16, 16, 3], got the text 'cat.jpg'. If the base takes pictures, tell it how " +
        "they are scaled: loadBase(source, { preprocess: 'tf' }).",
    );
  });

  const own = definePreprocessor({ name: 'own', apply: () => tf.zeros([16, 16, 3]) });
  test.each<[NonNullable<LoadBaseOptions['preprocess']>, object]>([
    ['caffe', { kind: 'image', mode: 'caffe', size: [16, 16], resize: 'antialias', fit: 'cover' }],
    [
      { mean: [0, 0, 0], std: [1, 1, 1] },
      { kind: 'image', mode: { mean: [0, 0, 0], std: [1, 1, 1] } },
    ],
    [
      { kind: 'image', mode: 'raw', resize: 'bilinear', fit: 'cover' },
      { kind: 'image', mode: 'raw', size: [16, 16], resize: 'bilinear', fit: 'cover' },
    ],
    [
      { kind: 'tensor', range: [-1, 1] },
      { kind: 'tensor', shape: [16, 16, 3], dtype: 'float32', range: [-1, 1] },
    ],
    [own, { kind: 'custom', name: 'own' }],
  ])('%j', async (preprocess, spec) => {
    expect((await loadBase(folder, { preprocess })).preprocessor.spec).toMatchObject(spec);
  });

  test.each<[unknown, RegExp]>([
    ['tff', /expected mode to be one of 'tf', .*, or \{ mean, std \}.*, got "tff"/],
    [{ mean: [0, 0], std: [1, 1, 1] }, /3 finite numbers each/],
    [{ kind: 'image', mode: 'tf', size: [0, 16] }, /expected size to be \[height, width\] in whole pixels above 0/],
    [{ kind: 'image', mode: 'tf', fit: 'crop' }, /expected fit to be one of 'cover'.*, got 'crop'/],
    [{ kind: 'tensor', range: [1, -1] }, /range, if given, \[smallest, largest\]/],
    ['tensor', /expected mode to be one of/],
  ])('%j is invalid', async (preprocess, text) => {
    const loading = () => loadBase(folder, { preprocess: preprocess as 'tf' });
    await expectNoLeak(() => expect(loading()).rejects.toMatchObject({ code: 'INVALID_OPTION' }));
    await expect(loading()).rejects.toThrow(text);
  });

  test('images for a base that takes none', async () => {
    const source = sequential({ layers: [layers.dense({ units: 2, inputShape: [4] }), layers.dense({ units: 3 })] });
    await expectNoLeak(() =>
      expect(loadBase(source, { preprocess: 'tf' })).rejects.toThrow(
        'expected a base with pictures [height, width, 1, 3 or 4] for image preprocessing, got input [4].',
      ),
    );
  });
});

describe('reading', () => {
  test('an aborted signal stops it, for paths and addresses', async () => {
    for (const source of [folder, `${address}/tiny`]) {
      const loading = () => loadBase(source, { signal: AbortSignal.abort() });
      await expectNoLeak(() => expect(loading()).rejects.toMatchObject({ code: 'ABORTED' }));
      await expect(loading()).rejects.toThrow(/reading .*model\.json was stopped by its signal\./);
    }
  });

  test('a signal stops a server that is slow', async () => {
    const loading = loadBase(`${address}/slow/`, { signal: AbortSignal.timeout(50) });
    await expect(loading).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('a fetch of the caller is used for everything, with the signal', async () => {
    const { signal } = new AbortController();
    const seen: [unknown, AbortSignal | null | undefined][] = [];
    const own: typeof fetch = (resource, init) => {
      seen.push([resource, init?.signal]);
      const path = String(resource).replace('https://models.invalid/', '');
      return Promise.resolve(new Response(readFileSync(join(root, path))));
    };
    const base = await loadBase('https://models.invalid/tiny', { fetch: own, signal });
    expect(base.cut).toBe('relu2');
    expect(seen.map(([resource]) => String(resource)).sort()).toEqual(
      ['group1-shard1of3.bin', 'group1-shard2of3.bin', 'group1-shard3of3.bin', 'model.json'].map(
        (file) => `https://models.invalid/tiny/${file}`,
      ),
    );
    expect(seen.every(([, each]) => each === signal)).toBe(true);
  });
});

describe('quantised weights', () => {
  const quantised = (dtype: 'uint8' | 'uint16' | 'float16'): tf.io.ModelArtifacts => {
    const parts: Uint8Array[] = [];
    let offset = 0;
    const values = new Float32Array(bytesOf(artifacts).buffer);
    const specs = (artifacts.weightSpecs ?? []).map((spec) => {
      const size = spec.shape.reduce((a, b) => a * b, 1);
      const own = values.subarray(offset, offset + size);
      offset += size;
      if (dtype === 'float16') {
        // 1.5 in half precision, for all: how bits become numbers is tfjs's to know.
        parts.push(new Uint8Array(new Uint16Array(size).fill(0x3e00).buffer));
        return { ...spec, quantization: { dtype } as const };
      }
      const [min, max] = [Math.min(...own), Math.max(...own)];
      const steps = dtype === 'uint8' ? 255 : 65535;
      const scale = max === min ? 1 : (max - min) / steps;
      const levels = Array.from(own, (value) => Math.round((value - min) / scale));
      parts.push(dtype === 'uint8' ? Uint8Array.from(levels) : new Uint8Array(Uint16Array.from(levels).buffer));
      return { ...spec, quantization: { dtype, scale, min } };
    });
    const weightData = new Uint8Array(Buffer.concat(parts)).buffer;
    return { ...artifacts, weightSpecs: specs, weightData };
  };

  test.each(['uint8', 'uint16', 'float16'] as const)('%s are read as tfjs reads them', async (dtype) => {
    const saved = quantised(dtype);
    const directory = join(root, dtype);
    writeFiles(directory, saved);
    const theirs = await loadLayersModel(tf.io.fromMemory({ ...saved }));
    const expected = new Map(
      theirs.weights.map((weight) => [weight.originalName, Array.from(weight.read().dataSync())]),
    );
    for (const source of [directory, tf.io.fromMemory({ ...saved }), weightModule(saved)]) {
      // Cut inside: the weights behind the cut are passed over.
      const base = await loadBase(source, { cut: 'pool' });
      expect(base.trunk.weights).toHaveLength(13);
      for (const { name, variable } of base.trunk.weights) {
        expect(Array.from(variable.dataSync()), name).toEqual(expected.get(name));
      }
    }
  });
});

describe('what is refused', () => {
  const handler = (fields: tf.io.ModelArtifacts): tf.io.IOHandler => ({ load: () => Promise.resolve(fields) });
  const twoInputs = () => {
    const inputs = [layers.input({ shape: [2], name: 'left' }), layers.input({ shape: [2], name: 'right' })];
    return model({ inputs, outputs: layers.add().apply(inputs) as SymbolicTensor });
  };

  test.each<[string, () => unknown, string, string | RegExp]>([
    [
      'another object',
      () => ({ a: 1, b: 2 }),
      'UNSUPPORTED_SOURCE',
      'loadBase: expected the path or address of a model, its bytes or a Blob of them, an IOHandler, a LayersModel, a GraphModel or a module that carries weights, got an object with a, b.',
    ],
    ['nothing', () => undefined, 'UNSUPPORTED_SOURCE', 'or a module that carries weights, got undefined.'],
    ['a number', () => 7, 'UNSUPPORTED_SOURCE', 'or a module that carries weights, got 7.'],
    [
      'a module with several models',
      () => ({ a: weightModule(artifacts), b: weightModule(artifacts) }),
      'UNSUPPORTED_SOURCE',
      'got an object with a, b.',
    ],
    [
      'an IOHandler that only saves',
      () => ({ save: () => undefined, load: undefined }),
      'UNSUPPORTED_SOURCE',
      /an IOHandler that can load, got one without load/,
    ],
    [
      'two inputs',
      twoInputs,
      'UNSUPPORTED_SOURCE',
      'loadBase: expected a model with one input, got 2 inputs (left, right).',
    ],
    [
      'masking',
      () => sequential({ layers: [layers.masking({ inputShape: [3, 2], name: 'mask' }), layers.flatten()] }),
      'UNSUPPORTED_LAYER',
      "loadBase: expected layers that transferkit can train, got 'mask' (Masking), which masks time steps.",
    ],
    [
      'an empty GraphModel',
      () => handler({ modelTopology: { node: [], library: {} } }),
      'UNSUPPORTED_SOURCE',
      'loadBase: expected a graph with one input, got none.',
    ],
    ['no topology', () => handler({}), 'NOT_A_MODEL', 'got no modelTopology.'],
    [
      'a layer that tfjs does not know',
      () =>
        handler({
          ...artifacts,
          modelTopology: JSON.parse(
            JSON.stringify(artifacts.modelTopology).replace('"DepthwiseConv2D"', '"Swirl"'),
          ) as object,
        }),
      'UNSUPPORTED_LAYER',
      "expected layers that tfjs or transferkit knows, got 'block_1_depthwise' of class 'Swirl'. Register a tfjs layer of your own under that name",
    ],
    [
      'weights that are not all there',
      () =>
        handler({
          ...artifacts,
          weightSpecs:
            artifacts.weightSpecs?.map((spec) => ({ ...spec, name: spec.name.replace('conv2/', 'conv_2/') })) ?? [],
        }),
      'WEIGHTS_MISMATCH',
      'expected weights for every layer, found none for conv2/kernel, conv2/bias (2 of 18 missing). Nearest to the first: ',
    ],
    [
      'weight data that is too short',
      () => handler({ ...artifacts, weightData: bytesOf(artifacts).slice(0, 100).buffer }),
      'WEIGHTS_DAMAGED',
      /expected \d+ bytes of weights for an IOHandler, got 100 in its weight data\. The file is truncated or belongs to another model/,
    ],
    [
      'an IOHandler that fails',
      () => ({ load: () => Promise.reject(new Error('no quota')) }),
      'NOT_FOUND',
      'expected a model in an IOHandler, could not load it: no quota',
    ],
    [
      'a module without model.json',
      () => ({ ...weightModule(artifacts), modelJson: () => Promise.resolve({ default: 3 }) }),
      'NOT_A_MODEL',
      "expected module 'TinyNet' to carry a model.json and base64 weight bundles, got no model.json.",
    ],
    [
      'a module with a bundle that is no text',
      () => ({ ...weightModule(artifacts), weightBundles: [() => Promise.resolve(3)] }),
      'NOT_A_MODEL',
      'got a weight bundle of type number.',
    ],
    [
      'a module with a bundle that is not base64',
      () => ({ ...weightModule(artifacts), weightBundles: [() => Promise.resolve('<html>')] }),
      'NOT_A_MODEL',
      'got a weight bundle that is not base64.',
    ],
    [
      'a module with a bundle missing',
      () => ({ ...weightModule(artifacts), weightBundles: weightModule(artifacts).weightBundles.slice(1) }),
      'WEIGHTS_DAMAGED',
      /expected \d+ bytes of weights for TinyNet, got \d+ in its shards/,
    ],
    [
      'a path with nothing there',
      () => join(root, 'none'),
      'NOT_FOUND',
      /expected a readable file at .*none.model\.json, but: ENOENT/,
    ],
    [
      'an address with nothing there',
      () => `${address}/none/`,
      'NOT_FOUND',
      /expected data at http:.*\/none\/model\.json, but the server answered 404 Not Found\. Check the address/,
    ],
    [
      'an address without a server',
      () => 'http://localhost:1/tiny',
      'NOT_FOUND',
      /expected data at http:\/\/localhost:1\/tiny\/model\.json, but fetch failed/,
    ],
  ])('%s', async (_, source, code, text) => {
    const made = source() as BaseSource;
    await expectNoLeak(() => expect(loadBase(made)).rejects.toMatchObject({ code }));
    await expect(loadBase(made)).rejects.toThrow(text);
  });

  test.each<[string, (directory: string) => void, string, RegExp]>([
    [
      'a truncated shard',
      (d) => {
        truncateSync(join(d, 'group1-shard2of3.bin'), 100);
      },
      'WEIGHTS_DAMAGED',
      /expected \d+ bytes of weights .*, got \d+ in .*truncated/,
    ],
    [
      'a missing shard',
      (d) => {
        rmSync(join(d, 'group1-shard3of3.bin'));
      },
      'WEIGHTS_DAMAGED',
      /expected the weight shard .*group1-shard3of3\.bin that model\.json names, found none/,
    ],
    [
      'a page instead of model.json',
      (d) => {
        writeFileSync(join(d, 'model.json'), '<html>');
      },
      'NOT_A_MODEL',
      /expected a tfjs model\.json at .*, got something that is not JSON/,
    ],
    [
      'another JSON',
      (d) => {
        writeFileSync(join(d, 'model.json'), '{"name": "x"}');
      },
      'NOT_A_MODEL',
      /got JSON without modelTopology/,
    ],
    [
      'metadata of a later version',
      (d) => {
        const path = join(d, 'model.json');
        writeFileSync(
          path,
          readFileSync(path, 'utf8').replace('{', '{"userDefinedMetadata":{"transferkit":{"version":2}},'),
        );
      },
      'NOT_A_MODEL',
      /expected metadata of transferkit in version 1 in .*, got version 2/,
    ],
  ])('%s, on a disk and on a server', async (name, spoil, code, text) => {
    const place = name.replaceAll(/\W+/g, '-');
    writeFiles(join(root, place), artifacts);
    spoil(join(root, place));
    for (const source of [join(root, place), `${address}/${place}`]) {
      await expectNoLeak(() => expect(loadBase(source)).rejects.toMatchObject({ code }));
      await expect(loadBase(source)).rejects.toThrow(text);
    }
  });

  test('our own IOHandler keeps its codes', async () => {
    const directory = join(root, 'own');
    writeFiles(directory, artifacts);
    truncateSync(join(directory, 'group1-shard1of3.bin'), 10);
    await expect(loadBase(fileSystem(directory))).rejects.toMatchObject({ code: 'WEIGHTS_DAMAGED' });
    await expect(loadBase(fileSystem(join(root, 'none')))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('cut at the input', () => {
  test('a base without layers is saved and loaded', async () => {
    const source = sequential({
      name: 'plain',
      layers: [layers.dense({ name: 'c', units: 3, activation: 'softmax', inputShape: [4] })],
    });
    const base = await loadBase(source);
    expect([base.cut, base.trunk.weights.length]).toEqual(['c_input', 0]);
    const transfer = replaceHead(base, { labels: tinyLabels });
    const directory = join(root, 'input-cut');
    await save(transfer, fileSystem(directory));
    const again = await load(directory);
    expect(await predict(again, [1, 2, 3, 4])).toEqual(await predict(transfer, [1, 2, 3, 4]));
    expect((await loadBase(source, { cut: 'c_input' })).trunk.output.shape).toEqual([null, 4]);
  });
});

describe('building that fails', () => {
  const config = (layer: object[]) => ({ class_name: 'Sequential', config: { name: 'odd', layers: layer } });
  const odd = config([
    { class_name: 'Dense', config: { name: 'a', units: 3, batch_input_shape: [null, 4] } },
    { class_name: 'Conv2D', config: { name: 'c', filters: 3, kernel_size: [3, 3] } },
  ]);

  test('frees the layers that were built', async () => {
    const loading = () => loadBase({ load: () => Promise.resolve({ modelTopology: odd }) });
    await expectNoLeak(() => expect(loading()).rejects.toMatchObject({ code: 'NOT_A_MODEL' }));
  });

  test('does not affect models that are built at the same time', async () => {
    const loading = [0, 1, 2, 3].map((i) =>
      i % 2 === 0 ? loadBase({ load: () => Promise.resolve({ modelTopology: odd }) }) : loadBase(folder),
    );
    const done = await expectNoLeak(() => Promise.allSettled(loading), 36);
    expect(done.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
    for (const each of done) {
      if (each.status === 'fulfilled') each.value.trunk.run(input()).dispose();
    }
  });
});

describe('a damaged weight list', () => {
  const topology = {
    class_name: 'Sequential',
    config: {
      name: 'one',
      layers: [{ class_name: 'Dense', config: { name: 'c', units: 2, batch_input_shape: [null, 4] } }],
    },
  };
  const kernel = { name: 'c/kernel', shape: [4, 2], dtype: 'float32' };
  const bias = { name: 'c/bias', shape: [2], dtype: 'float32' };

  test.each<[unknown, string]>([
    ['x', 'expected weightsManifest to be a list in'],
    [[null], 'expected weightsManifest[0] to be { paths, weights }, paths being file names in'],
    [[{ paths: [1], weights: [] }], 'expected weightsManifest[0] to be { paths, weights }'],
    [[{ paths: ['w'] }], 'expected weightsManifest[0].weights to be a list in'],
    [
      [{ paths: ['w'], weights: [null] }],
      'expected weightsManifest[0].weights[0] to be a weight { name, shape, dtype }',
    ],
    [
      [{ paths: ['w'], weights: [kernel, { name: 'c/bias', shape: [2] }] }],
      'expected weightsManifest[0].weights[1] to be a weight with a dtype that is one of float32, int32, bool, complex64 in',
    ],
    [[{ paths: ['w'], weights: [{ ...kernel, name: 3 }, bias] }], 'to be a weight with a name in'],
    [
      [{ paths: ['w'], weights: [{ ...kernel, shape: [4, -2] }, bias] }],
      'to be a weight with a shape of whole numbers from 0 in',
    ],
    [[{ paths: ['w'], weights: [{ ...kernel, shape: '4,2' }, bias] }], 'a shape of whole numbers from 0'],
    [[{ paths: ['w'], weights: [{ ...kernel, shape: [4, 1.5] }, bias] }], 'a shape of whole numbers from 0'],
    [[{ paths: ['w'], weights: [{ ...kernel, shape: [4, 1e300] }, bias] }], 'a shape of whole numbers from 0'],
    [[{ paths: ['w'], weights: [{ ...kernel, shape: [2 ** 40, 2 ** 40] }, bias] }], 'bytes of weights'],
    [[{ paths: ['w'], weights: [{ ...kernel, dtype: 'float8' }, bias] }], 'a dtype that is one of'],
    [
      [{ paths: ['w'], weights: [{ ...kernel, quantization: { dtype: 'uint8' } }, bias] }],
      'to be a weight with a quantization that is',
    ],
    [[{ paths: ['w'], weights: [bias, bias, kernel] }], 'expected each weight once in'],
  ])('%j', async (weightsManifest, text) => {
    const directory = join(root, 'damaged-list');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'model.json'), JSON.stringify({ modelTopology: topology, weightsManifest }));
    writeFileSync(join(directory, 'w'), new Uint8Array(text.includes('once') ? 48 : 40));
    const loading = () => loadBase(directory, { cut: 'c' });
    await expectNoLeak(() => expect(loading()).rejects.toMatchObject({ code: 'WEIGHTS_DAMAGED' }));
    await expect(loading()).rejects.toThrow(text);
  });

  test('of an IOHandler', async () => {
    const handler = { load: () => Promise.resolve({ modelTopology: topology, weightSpecs: [null as never] }) };
    await expect(loadBase(handler)).rejects.toThrow(
      'expected weightSpecs[0] to be a weight { name, shape, dtype } in an IOHandler, got null.',
    );
  });
});

describe('nested models', () => {
  /** Two parts whose only layers have the same name. */
  function twins(): LayersModel {
    const part = (name: string, units: number, inputShape: number[]) =>
      sequential({ name, layers: [layers.dense({ name: 'x', units, inputShape, activation: 'tanh' })] });
    const source = sequential({
      name: 'twins',
      layers: [part('A', 3, [4]), part('B', 5, [3]), layers.dense({ name: 'out', units: 2, activation: 'softmax' })],
    });
    setWeights(source);
    return source;
  }

  test('with equally named layers keep their own weights', async () => {
    const source = twins();
    const base = await expectNoLeak(() => loadBase(source, { cut: 'out' }), 6);
    expect(base.trunk.weights.map(({ name }) => name)).toEqual([
      'x/kernel',
      'x/bias',
      'B/x/kernel',
      'B/x/bias',
      'out/kernel',
      'out/bias',
    ]);
    const x = wave([2, 4], 1, 0.4);
    expect(relativeError(base.trunk.run(x), source.predict(x) as tf.Tensor)).toBeLessThan(1e-6);
  });

  test('a Sequential called in a functional model: its own call is the first', async () => {
    const part = sequential({ name: 'part', layers: [layers.dense({ name: 'inner', units: 3, inputShape: [4] })] });
    const input = layers.input({ shape: [4], name: 'given' });
    const outer = layers.dense({ name: 'outer', units: 2 }).apply(part.apply(input)) as SymbolicTensor;
    const source = model({ inputs: input, outputs: outer, name: 'whole' });
    setWeights(source);
    expect(JSON.stringify(source.toJSON(undefined, false))).toContain('["part",1,0,{}]');
    const base = await loadBase(source, { cut: 'outer' });
    const x = wave([2, 4], 1, 0.4);
    expect(relativeError(base.trunk.run(x), source.predict(x) as tf.Tensor)).toBeLessThan(1e-6);
  });

  test('are saved and loaded', async () => {
    const transfer = replaceHead(await loadBase(twins()), { labels: tinyLabels });
    const directory = join(root, 'twins');
    await save(transfer, fileSystem(directory));
    const again = await load(directory);
    expect(await predict(again, [1, 2, 3, 4])).toEqual(await predict(transfer, [1, 2, 3, 4]));
  });
});

describe('an inputSize that the network cannot take', () => {
  const wide = () => {
    const source = sequential({
      name: 'wide',
      layers: [
        layers.conv2d({ name: 'c1', filters: 2, kernelSize: 5, inputShape: [16, 16, 3] }),
        layers.conv2d({ name: 'c2', filters: 4, kernelSize: 5 }),
      ],
    });
    setWeights(source);
    return source;
  };

  test.each<[number | [number, number], string]>([
    [
      6,
      "loadBase: expected an inputSize that is large enough for the network, got [6, 6], with which layer 'c2' would give " +
        '[-2, -2, 4]. Give a larger inputSize, or cut before that layer.',
    ],
    [8, "with which layer 'c2' would give [0, 0, 4]"],
    [[16, 8], "got [16, 8], with which layer 'c2' would give [8, 0, 4]"],
  ])('%j is too small', async (inputSize, text) => {
    const source = wide();
    await expectNoLeak(() => expect(loadBase(source, { inputSize })).rejects.toMatchObject({ code: 'INVALID_OPTION' }));
    await expect(loadBase(source, { inputSize })).rejects.toThrow(text);
    expect((await loadBase(source, { inputSize: 9 })).trunk.output.shape).toEqual([null, 1, 1, 4]);
    expect((await loadBase(source, { inputSize: 6, cut: 'c1' })).trunk.output.shape).toEqual([null, 2, 2, 2]);
  });

  const reshaped = (targetShape: number[]) => {
    const source = sequential({
      name: 'reshaped',
      layers: [
        layers.conv2d({ name: 'c', filters: 4, kernelSize: 1, inputShape: [10, 10, 3] }),
        layers.reshape({ name: 'rows', targetShape }),
        layers.conv1d({ name: 'last', filters: 2, kernelSize: 3 }),
      ],
    });
    setWeights(source);
    return source;
  };

  test('a Reshape of another size raises, with advice', async () => {
    const source = reshaped([10, 40]);
    const loading = () => loadBase(source, { inputSize: 20 });
    await expectNoLeak(() => expect(loading()).rejects.toMatchObject({ code: 'INVALID_OPTION' }));
    await expect(loading()).rejects.toThrow(
      /expected an inputSize that the network can take, got \[20, 20\], with which layer 'rows' of shape \[20, 20, 4\] cannot be built: .*Give another inputSize, or cut before that layer\./,
    );
    expect((await loadBase(source, { inputSize: 10 })).cut).toBe('last');
  });

  test('a Reshape that accepts any size is kept', async () => {
    const base = await loadBase(reshaped([-1, 40]), { inputSize: 20 });
    expect(base.trunk.run(wave([1, 20, 20, 3], 1, 0.2)).shape).toEqual([1, 38, 2]);
  });

  test('branches of different sizes raise, with advice', async () => {
    const start = layers.input({ shape: [8, 8, 3] });
    const down = layers.maxPooling2d({ poolSize: 2 }).apply(start) as SymbolicTensor;
    const up = layers.upSampling2d({ name: 'up' }).apply(down) as SymbolicTensor;
    const joined = layers.concatenate({ name: 'joined' }).apply([start, up]) as SymbolicTensor;
    const source = model({ inputs: start, outputs: joined, name: 'branches' });
    const loading = () => loadBase(source, { inputSize: 9 });
    await expectNoLeak(() => expect(loading()).rejects.toMatchObject({ code: 'INVALID_OPTION' }));
    await expect(loading()).rejects.toThrow(
      /got \[9, 9\], with which 'branches' cannot be built: .*Give another inputSize/,
    );
    expect((await loadBase(source, { inputSize: 10 })).trunk.output.shape).toEqual([null, 10, 10, 6]);
  });

  test('no warning of tfjs about the shape of the first layer', async () => {
    const warnings = vi.spyOn(console, 'warn');
    await loadBase(wide(), { inputSize: 32 });
    const outer = sequential({ name: 'outer', layers: [wide(), layers.globalAveragePooling2d({ name: 'gap' })] });
    expect((await loadBase(outer, { inputSize: 32 })).trunk.output.shape).toEqual([null, 24, 24, 4]);
    expect(warnings).not.toHaveBeenCalled();
    warnings.mockRestore();
  });

  test('weights of another shape without inputSize: no advice about it', async () => {
    const specs = artifacts.weightSpecs?.map((spec) =>
      spec.name === 'conv2/kernel' ? { ...spec, shape: [3, 3, 12, 8] } : spec,
    );
    const loading = () => loadBase(tf.io.fromMemory({ ...artifacts, weightSpecs: specs ?? [] }));
    await expectNoLeak(() => expect(loading()).rejects.toMatchObject({ code: 'WEIGHTS_MISMATCH' }));
    await expect(loading()).rejects.toThrow(
      "expected weight 'conv2/kernel' of shape [3, 3, 8, 12], got [3, 3, 12, 8]. The weights belong to another model",
    );
  });
});

describe('a model that transferkit saved, as a base', () => {
  const directory = join(root, 'saved');
  let json: { modelTopology: unknown; userDefinedMetadata: { transferkit: SavedFields } };
  interface SavedFields {
    base: { name: string; cut: string };
    head: { logits: string; trained: boolean };
    labels: unknown;
  }
  beforeAll(async () => {
    const transfer = replaceHead(await loadBase(folder, { preprocess: { kind: 'tensor', range: [-2, 2] } }), {
      labels: tinyLabels,
    });
    await save(transfer, fileSystem(directory));
    json = JSON.parse(readFileSync(join(directory, 'model.json'), 'utf8')) as typeof json;
  });

  test('inputSize changes its tensor preprocessing', async () => {
    const base = await loadBase(directory, { inputSize: 24 });
    expect(base.preprocessor.spec).toEqual({ kind: 'tensor', shape: [24, 24, 3], dtype: 'float32', range: [-2, 2] });
    const transfer = replaceHead(base, { labels: tinyLabels });
    expect(await predict(transfer, new Float32Array(24 * 24 * 3))).toHaveLength(3);
    expect((await loadBase(directory)).preprocessor.spec).toMatchObject({ shape: [16, 16, 3] });
  });

  test.each<[string, (saved: SavedFields) => SavedFields, RegExp]>([
    [
      'logits that are not there',
      (saved) => ({ ...saved, head: { ...saved.head, logits: 'nope' } }),
      /expected metadata of transferkit that fits the model in .*, its head\.logits to name a layer of 'tiny', got 'nope'\. Save the model again\./,
    ],
    [
      'a cut that is not there',
      (saved) => ({ ...saved, base: { ...saved.base, cut: 'nope' } }),
      /its base\.cut to name a layer of 'tiny', got 'nope'/,
    ],
    [
      'logits in front of the cut',
      (saved) => ({ ...saved, head: { ...saved.head, logits: 'relu1' } }),
      /its head\.logits to name a layer after its base\.cut, got 'relu1' before 'relu2'/,
    ],
    [
      'a label too few',
      (saved) => ({ ...saved, labels: tinyLabels.slice(1) }),
      /one label for each logit, got 2 labels for 3 logits of task 'classes'/,
    ],
    ['labels that are no text', (saved) => ({ ...saved, labels: [1, 2, 3] }), /got a damaged field 'labels'/],
  ])('%s', async (_, change, text) => {
    const transferkit = change(json.userDefinedMetadata.transferkit);
    const changed = { ...json, userDefinedMetadata: { transferkit } };
    writeFileSync(join(directory, 'model.json'), JSON.stringify(changed));
    await expectNoLeak(() => expect(loadBase(directory)).rejects.toMatchObject({ code: 'NOT_A_MODEL' }));
    await expect(loadBase(directory)).rejects.toThrow(text);
    writeFileSync(join(directory, 'model.json'), JSON.stringify(json));
  });

  test.each<[unknown, string]>([
    [null, 'got null.'],
    [[], 'got a list.'],
    ['x', 'got a string.'],
  ])('modelTopology %j is described by its type', async (modelTopology, text) => {
    await expect(loadBase({ load: () => Promise.resolve({ modelTopology: modelTopology as object }) })).rejects.toThrow(
      text,
    );
  });
});

describe('a classifier with a 1 × 1 convolution before the pooling, as in SqueezeNet', () => {
  const squeeze = (behind: NonNullable<Parameters<typeof sequential>[0]>['layers'], kernelSize = 1) =>
    sequential({
      name: 'squeeze',
      layers: [
        layers.conv2d({ name: 'fire', filters: 6, kernelSize: 3, inputShape: [8, 8, 3] }),
        layers.activation({ name: 'fire_relu', activation: 'relu' }),
        layers.dropout({ name: 'drop9', rate: 0.5 }),
        layers.conv2d({ name: 'conv10', filters: 5, kernelSize }),
        layers.activation({ name: 'relu10', activation: 'relu' }),
        layers.globalAveragePooling2d({ name: 'pool10' }),
        ...(behind ?? []),
      ],
    });

  test.each<[string, () => LayersModel, string]>([
    ['softmax', () => squeeze([layers.activation({ name: 'loss', activation: 'softmax' })]), 'fire_relu'],
    ['a Softmax layer', () => squeeze([layers.softmax({ name: 'loss' })]), 'fire_relu'],
    ['a dense classifier', () => squeeze([layers.dense({ name: 'loss', units: 2, activation: 'softmax' })]), 'relu10'],
    ['nothing, which may be features', () => squeeze([]), 'relu10'],
    ['softmax, after a larger kernel', () => squeeze([layers.softmax({ name: 'loss' })], 3), 'relu10'],
  ])('after the pooling: %s', async (_, source, cut) => {
    expect((await loadBase(source())).cut).toBe(cut);
  });
});

describe('weights that are not finite', () => {
  const spoiled = (value: number) => {
    const source = tinyModel();
    const layer = source.getLayer('bn1');
    const values = layer.getWeights().map((weight, i) => (i === 2 ? tf.fill(weight.shape, value) : tf.clone(weight)));
    layer.setWeights(values);
    tf.dispose(values);
    return source;
  };

  test.each([NaN, Infinity, -Infinity])('%s: refused by name, nothing leaks', async (value) => {
    const source = spoiled(value);
    const error = await raisedBy(() => loadBase(source));
    expect(error).toMatchObject({ code: 'NOT_FINITE', details: { weights: ['bn1/moving_mean'] } });
    expect(String(error)).toContain("nonFiniteWeights: 'allow'");
    const labels = ['a', 'b', 'c', 'd', 'e'];
    expect(await raisedBy(() => load(source, { labels }))).toMatchObject({ code: 'NOT_FINITE' });
    source.dispose();
  });

  test('values whose sum overflows are finite', async () => {
    const source = spoiled(3e38);
    (await loadBase(source)).dispose();
    source.dispose();
  });

  test('allowed by option', async () => {
    const source = spoiled(NaN);
    (await loadBase(source, { nonFiniteWeights: 'allow' })).dispose();
    // A program without types may hand in anything.
    const wrong = { nonFiniteWeights: 'skip' } as unknown as { nonFiniteWeights: 'allow' };
    expect(await raisedBy(() => loadBase(source, wrong))).toMatchObject({ code: 'INVALID_OPTION' });
    source.dispose();
  });
});
