// Keras files against what Keras computes with them: every layout, every way of naming, and what is refused.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { LayerGraph } from '../../src/core/graphs.ts';
import { buildFrom } from '../../src/bases/makeBase.ts';
import { noWeights, type WeightSource } from '../../src/core/weightSource.ts';
import { buildTrunk } from '../../src/networks/read/buildLayers.ts';
import { parseTopology } from '../../src/networks/read/topology.ts';
import { readKerasFile } from '../../src/formats/keras/kerasFile.ts';
import { kerasArtefact, matchKerasWeights } from '../../src/formats/keras/kerasWeights.ts';
import { expectNoLeak, relativeError } from '../support/tensors.ts';
import { wave } from '../support/tinyModel.ts';

const folder = fileURLToPath(new URL('../golden/keras/', import.meta.url));
const bytesOf = (name: string) => new Uint8Array(readFileSync(folder + name));
const read = (name: string) => readKerasFile(bytesOf(name), name);

interface Golden {
  readonly functional: number[][];
  readonly frozen: number[][];
  readonly sequential: number[][];
}

function isGolden(value: unknown): value is Golden {
  return typeof value === 'object' && value !== null && 'functional' in value && 'sequential' in value;
}

function golden(): Golden {
  const value: unknown = JSON.parse(readFileSync(`${folder}keras.json`, 'utf8'));
  if (isGolden(value)) return value;
  throw new TypeError('keras.json');
}

interface Computed {
  readonly shape: readonly number[];
  readonly output: number[][];
}

function isKeras1(value: unknown): value is Record<string, Computed> {
  return typeof value === 'object' && value !== null && 'merged' in value;
}

function keras1(): Record<string, Computed> {
  const value: unknown = JSON.parse(readFileSync(`${folder}../keras1.json`, 'utf8'));
  if (isKeras1(value)) return value;
  throw new TypeError('keras1.json');
}

beforeAll(async () => {
  tf.env().set('PROD', true);
  await tf.setBackend('cpu');
});

/** The network of kerasFiles.py, as Keras wrote its topology. */
function functional(): LayerGraph {
  return parseTopology(read('functional.keras').topology);
}

function line(names: readonly [string, string, string] = ['conv2d', 'conv2d_1', 'dense']): LayersModel {
  return sequential({
    name: 'line',
    layers: [
      layers.conv2d({
        filters: 3,
        kernelSize: 3,
        strides: 2,
        activation: 'relu',
        name: names[0],
        inputShape: [6, 6, 4],
      }),
      layers.conv2d({ filters: 2, kernelSize: 1, name: names[1] }),
      layers.flatten({ name: 'flatten' }),
      layers.dense({ units: 2, name: names[2] }),
    ],
  });
}

function graphOf(source: LayersModel): LayerGraph {
  const graph = parseTopology(source.toJSON(undefined, false));
  source.dispose();
  return graph;
}

async function expectOutput(graph: LayerGraph, weights: WeightSource, expected: number[][]): Promise<void> {
  const trunk = await buildTrunk(graph, weights);
  const [x, y] = [wave([2, 6, 6, 4], 1, 0.2), tf.tensor2d(expected)];
  const output = trunk.run(x);
  expect(relativeError(output, y)).toBeLessThan(2e-6);
  tf.dispose([x, y, output]);
  trunk.dispose();
}

describe('weights files', () => {
  test.each(['functional_weights.h5', 'functional.h5', 'functional.weights.h5', 'functional.keras'])(
    '%s loads the weights: the output is that of Keras',
    async (name) => {
      const graph = functional();
      await expectNoLeak(async () => {
        const { source, report } = matchKerasWeights(read(name), graph);
        expect(report).toMatchObject({ missing: [], unexpected: [], wrongShape: [] });
        expect(report.assigned).toHaveLength(17);
        await expectOutput(graph, source, golden().functional);
      });
    },
  );

  test.each(['frozen_weights.h5', 'frozen.h5'])('%s: a frozen nested model has another order', async (name) => {
    const graph = functional();
    await expectOutput(graph, matchKerasWeights(read(name), graph).source, golden().frozen);
  });

  test.each(['sequential.h5', 'sequential.weights.h5', 'sequential.keras', 'keras1.h5', 'renamed.h5'])(
    '%s: a Sequential, names of Keras 1 and 2, names that are others',
    async (name) => {
      const graph = graphOf(line());
      await expectOutput(graph, matchKerasWeights(read(name), graph).source, golden().sequential);
    },
  );

  test('the first files of Keras 3 have no names: the k-th layer of a class is the k-th in the file', async () => {
    const graph = graphOf(line(['x', 'y', 'z']));
    await expectOutput(graph, matchKerasWeights(read('unnamed.weights.h5'), graph).source, golden().sequential);
  });

  test('a base needs no classifier weights, and those of a file are not reported as unexpected', async () => {
    const whole = functional();
    const needed = new Set([...whole.layers.keys()].filter((name) => name !== 'predictions'));
    const file = read('functional.weights.h5');
    const withoutTop = { ...file, layers: file.layers.filter(({ path }) => path !== 'predictions') };
    expect(matchKerasWeights(file, whole, { needed }).report.unexpected).toEqual([]);
    expect(matchKerasWeights(withoutTop, whole, { needed }).report.missing).toEqual([]);
    expect(() => matchKerasWeights(withoutTop, whole)).toThrow(/2 missing.*predictions\/kernel missing/);
  });

  test('the error lists at most ten misfits; partial loads the others', async () => {
    const graph = functional();
    const file = read('sequential.h5');
    expect(() => matchKerasWeights(file, graph)).toThrow(
      expect.objectContaining({
        code: 'WEIGHTS_MISMATCH',
        message: expect.stringMatching(/17 missing.*6 unexpected: ([^;]+; ){10}…/) as string,
      }),
    );
    expect(() => matchKerasWeights(file, graph, { partial: true })).toThrow(/0 that fit/);
    const wider = functional();
    const dense = wider.layers.get('predictions');
    if (dense === undefined) throw new RangeError('predictions');
    const other = {
      ...wider,
      layers: new Map(wider.layers).set('predictions', { ...dense, config: { ...dense.config, units: 5 } }),
    };
    const stored = read('functional_weights.h5');
    expect(() => matchKerasWeights(stored, other)).toThrow(/predictions\/kernel \[4, 3\] instead of \[4, 5\]/);
    const { source, report } = matchKerasWeights(stored, other, { partial: true });
    expect(report.wrongShape.map(({ name }) => name)).toEqual(['predictions/kernel', 'predictions/bias']);
    expect(source.names).toHaveLength(15);
    (await buildTrunk(other, source, { seed: 1 })).dispose();
    await expect(buildTrunk(other, source)).rejects.toMatchObject({ code: 'WEIGHTS_MISMATCH' });
  });
});

describe('whole models', () => {
  test.each([
    ['functional.h5', 'functional'],
    ['functional.keras', 'functional'],
    ['frozen.h5', 'frozen'],
    ['sequential.h5', 'sequential'],
    ['sequential.keras', 'sequential'],
  ] as const)('%s builds itself', async (name, key) => {
    await expectNoLeak(async () => {
      const artefact = kerasArtefact(read(name));
      const graph = parseTopology(artefact.topology);
      const trunk = await buildFrom(artefact, graph);
      const [x, y] = [wave([2, 6, 6, 4], 1, 0.2), tf.tensor2d(golden()[key])];
      const output = trunk.run(x);
      expect(relativeError(output, y)).toBeLessThan(2e-6);
      tf.dispose([x, y, output]);
      trunk.dispose();
    });
  });

  test.each(['pictures', 'series', 'merged'])(
    'of Keras 1 (%s) compute what the same network does in Keras 3',
    async (name) => {
      const { shape, output } = keras1()[name] ?? { shape: [], output: [] };
      const file = readKerasFile(new Uint8Array(readFileSync(`${folder}../keras1/${name}.h5`)), name);
      await expectNoLeak(async () => {
        const artefact = kerasArtefact(file);
        const trunk = await buildFrom(artefact, parseTopology(artefact.topology));
        const [x, y] = [wave([...shape], 1, 0.2), tf.tensor2d(output)];
        const received = trunk.run(x);
        expect(relativeError(received, y)).toBeLessThan(2e-6);
        tf.dispose([x, y, received]);
        trunk.dispose();
      });
    },
  );

  test.each([
    ['MaxoutDense', { output_dim: 2 }, /MaxoutDense 'it' that Keras 2 has no converter for/],
    ['LSTM', { output_dim: 2 }, /LSTM 'it' that Keras 2 has no converter for/],
    ['Convolution2D', { dim_ordering: 'th' }, /'it' with dim_ordering 'th', channels first/],
    ['Convolution2D', { border_mode: 'full' }, /'it' with border_mode "full"/],
    ['BatchNormalization', { mode: 2 }, /'it' with mode 2, which Keras 2 does not have/],
    ['Merge', { mode: 'dot' }, /Merge 'it' with mode "dot"/],
    ['Merge', { mode: 'sum', mode_type: 'lambda' }, /Merge 'it' with mode "sum"/],
    ['Merge', { mode: 'sum', layers: [] }, /Merge 'it' as the beginning of a Sequential/],
    [
      'Deconvolution2D',
      { border_mode: 'same', subsample: [2, 2], nb_row: 3, nb_col: 3, output_shape: [null, 8, 7, 2] },
      /'it' with an output_shape that Keras 2 does not give/,
    ],
  ])('of Keras 1 are refused where Keras 2 has no such layer: %s %j', (className, options, message) => {
    const layer = { class_name: className, config: { name: 'it', ...options } };
    const first = { class_name: 'Dense', config: { name: 'd', output_dim: 2 } };
    const nested = { class_name: 'Sequential', config: [first, { class_name: 'Sequential', config: [layer] }] };
    const file = { ...read('keras1.h5'), topology: nested };
    expect(() => kerasArtefact(file)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_SOURCE', message: expect.stringMatching(message) as string }),
    );
  });

  test('paddings of Keras 1 become those of Keras 2; models of Keras 2 stay as they are', () => {
    const topologyOf = (...layers: object[]) =>
      kerasArtefact({ ...read('keras1.h5'), topology: { class_name: 'Sequential', config: layers } }).topology;
    const padding = (sides: unknown) => ({
      class_name: 'ZeroPadding2D',
      config: { padding: sides, dim_ordering: 'tf' },
    });
    const sides = { top_pad: 1, bottom_pad: 2, left_pad: 3, right_pad: 4 };
    expect(topologyOf(padding([1, 2]), padding([1, 2, 3, 4]), padding(sides))).toMatchObject({
      config: [
        [
          [1, 1],
          [2, 2],
        ],
        ...Array.from({ length: 2 }, () => [
          [1, 2],
          [3, 4],
        ]),
      ].map((expected) => ({ config: { padding: expected, data_format: 'channels_last' } })),
    });
    const embedding = { class_name: 'Embedding', config: { name: 'e', output_dim: 2, input_dim: 3 } };
    expect(topologyOf(embedding)).toEqual({ class_name: 'Sequential', config: [embedding] });
  });

  test('weights alone are not a model', async () => {
    const file = read('functional.weights.h5');
    expect(() => kerasArtefact(file)).toThrow(/whole model in functional.weights.h5, got weights alone/);
  });
});

describe('what is refused', () => {
  const text = (content: string) => new TextEncoder().encode(content);
  test.each<[string, Uint8Array, string, RegExp]>([
    ['an empty file', new Uint8Array(0), 'UNSUPPORTED_SOURCE', /empty file/],
    ['noise', Uint8Array.from({ length: 100 }, (_, i) => 200 - i), 'NOT_A_MODEL', /100 bytes that begins with c8 c7/],
    ['a web page', text('<!doctype html><p>404'), 'UNSUPPORTED_SOURCE', /web page/],
    ['an LFS pointer', text('version https://git-lfs.github.com/spec/v1\noid'), 'UNSUPPORTED_SOURCE', /git lfs pull/],
    ['JSON', text(' {"modelTopology": {}}'), 'NOT_A_MODEL', /got JSON/],
    ['TFLite', text('\x1c\0\0\0TFL3\0\0\0\0'), 'UNSUPPORTED_SOURCE', /TFLite/],
    ['SavedModel', Uint8Array.of(8, 1, 0x12, 200, 1), 'UNSUPPORTED_SOURCE', /SavedModel.*tensorflowjs_converter/],
    ['ONNX', Uint8Array.of(8, 8, 0x12, 7, 112, 121), 'UNSUPPORTED_SOURCE', /ONNX/],
    ['a pickle', Uint8Array.of(0x80, 2, 0x8a, 10), 'UNSUPPORTED_SOURCE', /PyTorch/],
    ['safetensors', Uint8Array.of(80, 0, 0, 0, 0, 0, 0, 0, 0x7b, 34), 'UNSUPPORTED_SOURCE', /safetensors/],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8), 'UNSUPPORTED_SOURCE', /gzip/],
    ['a truncated file', bytesOf('functional.h5').subarray(0, 30000), 'WEIGHTS_DAMAGED', /30000 of \d+ bytes/],
    [
      'a truncated archive',
      bytesOf('functional.keras').subarray(0, 30000),
      'WEIGHTS_DAMAGED',
      /ZIP archive.*without its end/,
    ],
    ['the state of an optimizer', bytesOf('optimizer.h5'), 'NOT_A_MODEL', /optimizer alone/],
    ['another HDF5 file', bytesOf('other.h5'), 'NOT_A_MODEL', /HDF5 file with table/],
    ['an absurd shape', bytesOf('absurd.h5'), 'WEIGHTS_DAMAGED', /4000000000000 bytes, more than the file/],
    [
      'texts as weights',
      bytesOf('text.h5'),
      'UNSUPPORTED_SOURCE',
      /values of type 'text' instead of integers or floats/,
    ],
  ])('%s', (_, bytes, code, message) => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    expect(() => readKerasFile(bytes, 'the file')).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
    expect(error).not.toHaveBeenCalled();
    error.mockRestore();
  });
});

test('an empty source is named', () => {
  expect(() => noWeights.read('a')).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});
