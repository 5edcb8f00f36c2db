// exportModel: the same numbers in plain tfjs and after load, in all precisions; labels and names of any characters; what
// cannot be written. Keras itself opens the files in test/acceptance/export.js.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel, type GraphModel } from '@tensorflow/tfjs-converter';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  exportModel,
  fineTune,
  fromArrays,
  load,
  loadBase,
  replaceHead,
  toGraphModel,
  trainHead,
  unfreeze,
  useBackend,
  type AnyModel,
  type ExportOptions,
  type TransferModel,
} from '../src/index.ts';
import { fileSystem } from '../src/node.ts';
import { inputMeans } from '../src/export/inputMeans.ts';
import { kernelsIn } from '../src/networks/write/channelScales.ts';
import { packWeights } from '../src/networks/write/packWeights.ts';
import { quantizeNodes } from '../src/networks/write/quantizeNodes.ts';
import { foldModel } from '../src/networks/fold/foldModel.ts';
import { writeNodes } from '../src/networks/graphs/nodeGraph.ts';
import { expectNoLeak, relativeError } from './support/tensors.ts';
import { tinyGraph } from './support/tinyGraph.ts';
import { tinyLabels, tinySamples, tinyTransfer } from './support/tinyTask.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-export-'));
let places = 0;
const place = (ending = '') => join(root, `model-${String(places++)}${ending}`);

beforeAll(async () => {
  await useBackend('wasm');
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const odd = ['line\nbreak', '"quotes" \\', '😀 é', 'NUL \0 \u2028', 'a'];

function batchOf({ base }: Pick<AnyModel, 'base'>, seed = 1): tf.Tensor {
  return tf.randomUniform([3, ...(base.trunk.input.shape.slice(1) as number[])], -1, 1, 'float32', seed);
}

/** Logits of base and head. */
function logitsOf({ base, head }: AnyModel, input: tf.Tensor): tf.Tensor {
  return tf.tidy(() => head.trunk.run(base.trunk.run(input)));
}

function answersOf(graphModel: GraphModel, input: tf.Tensor): tf.Tensor {
  return graphModel.predict(input) as tf.Tensor;
}

describe("'graphModel'", () => {
  const onLayers = () => tinyTransfer();
  const onNodes = async () => replaceHead(await loadBase(tinyGraph()), { labels: tinyLabels });

  test.each([
    ['layers', onLayers],
    ['nodes', onNodes],
  ])('on a base of %s: what toGraphModel gives, in tfjs alone', async (_, make) => {
    const model = await make();
    const input = batchOf(model);
    const graphModel = await toGraphModel(model);
    const folder = place();
    const report = await expectNoLeak(() => exportModel(model, folder, { format: 'graphModel' }));
    const plain = await loadGraphModel(fileSystem(folder));
    expect(await answersOf(plain, input).data()).toEqual(await answersOf(graphModel, input).data());
    expect(plain.metadata).toEqual(graphModel.metadata);
    expect(plain.metadata).toMatchObject({ labels: tinyLabels, task: 'classes' });
    expect(report).toEqual({ format: 'graphModel', parameters: report.parameters, weightBytes: 4 * report.parameters });
    for (const each of [plain, graphModel, model]) each.dispose();
  });

  test.each([
    ['float16', 0.52, 1e-3],
    ['uint8', 0.4, 2e-2],
  ] as const)('in %s: fewer bytes, and the same answers nearly', async (quantize, share, most) => {
    for (const make of [onLayers, onNodes]) {
      const model = await make();
      const input = batchOf(model);
      const archive = place('.zip');
      const single = await exportModel(model, place(), { format: 'graphModel' });
      const report = await expectNoLeak(() => exportModel(model, archive, { format: 'graphModel', quantize }));
      expect(report.parameters).toBe(single.parameters);
      expect(report.weightBytes).toBeLessThan(share * single.weightBytes);
      const again = await load(archive, { preprocess: model.base.preprocessor.spec as never });
      const error = relativeError(logitsOf(again, input), logitsOf(model, input));
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(most);
      again.dispose();
      model.dispose();
    }
  });

  test('a file target gets a ZIP archive', async () => {
    using model = await tinyTransfer();
    const files: Blob[] = [];
    await exportModel(model, { write: (file) => files.push(file) }, { format: 'graphModel' });
    using again = await load(files[0] ?? new Blob());
    expect(again.labels).toEqual(tinyLabels);
  });

  test('figures before are those of evaluate; figures after, of what is in the file', async () => {
    using model = await tinyTransfer();
    await trainHead(model, tinySamples(), { epochs: 3, seed: 1 });
    const samples = tinySamples(8, 2);
    const folder = place();
    const report = await expectNoLeak(() =>
      exportModel(model, folder, { format: 'graphModel', quantize: 'uint8', samples, batchSize: 5 }),
    );
    const { before, after } = report.figures ?? {};
    const { loss, accuracy } = await evaluate(model, samples);
    expect(before?.accuracy).toBe(accuracy);
    expect(before?.loss).toBeCloseTo(loss, 5);
    using again = await load(folder, { preprocess: model.base.preprocessor.spec as never });
    const read = await evaluate(again as TransferModel<'classes'>, samples);
    expect(after?.accuracy).toBe(read.accuracy);
    expect(after?.loss).toBeCloseTo(read.loss, 5);
    expect(after?.loss).not.toBe(before?.loss);
    const unchanged = await exportModel(model, place(), { format: 'graphModel', samples });
    expect(unchanged.figures?.after).toEqual(before);
  });

  test('figures of several heads, one without decisions', async () => {
    const base = await loadBase(tinyGraph());
    using model = replaceHead(base, {
      heads: { kind: { labels: ['a', 'b'] }, size: { task: 'regression', outputs: ['x'] } },
    });
    const samples = fromArrays({
      inputs: [1, 2, 3].map((seed) => Float32Array.from({ length: 192 }, (_, i) => Math.sin(seed * i))),
      targets: [1, 2, 3].map((seed) => ({ kind: seed > 1 ? 'a' : 'b', size: seed })),
    });
    const { figures } = await exportModel(model, place(), { format: 'graphModel', quantize: 'float16', samples });
    expect(figures?.before.heads).toEqual({
      kind: { loss: expect.any(Number) as number, accuracy: expect.any(Number) as number },
      size: { loss: expect.any(Number) as number },
    });
  });

  test('uint8 keeps the channels that one scale for a folded depthwise kernel loses', async () => {
    const made = sequential({
      layers: [
        layers.conv2d({ inputShape: [8, 8, 6], filters: 6, kernelSize: 1, name: 'spread' }),
        layers.depthwiseConv2d({ kernelSize: 3, useBias: false, name: 'deep' }),
        layers.batchNormalization({ name: 'norm' }),
        layers.flatten(),
        layers.dense({ units: 2, activation: 'softmax' }),
      ],
    });
    // As in MobileNets: channels of different sizes, which BatchNorm evens out after the depthwise kernel.
    const sizes = tf.tensor1d([1e-3, 1e-2, 0.1, 1, 10, 100]);
    const [kernel, bias] = made.getLayer('spread').getWeights() as [tf.Tensor, tf.Tensor];
    made.getLayer('spread').setWeights([tf.mul(kernel, sizes), bias]);
    made.getLayer('norm').setWeights([tf.ones([6]), tf.zeros([6]), tf.zeros([6]), tf.square(sizes)]);
    const base = await loadBase(made, { cut: 'norm' });
    using model = replaceHead(base, { labels: ['a', 'b'], pooling: 'flatten' });
    const input = batchOf(model);
    const expected = logitsOf(model, input);
    const folder = place();
    await exportModel(model, folder, { format: 'graphModel', quantize: 'uint8' });
    using kept = await load(folder, { preprocess: model.base.preprocessor.spec as never });
    expect(relativeError(logitsOf(kept as never, input), expected)).toBeLessThan(0.03);

    const { graph, constants } = foldModel(model, 'logits');
    const folded = [...constants].filter(([, { rank }]) => rank > 1).map(([name]) => [name, 'range'] as const);
    const packed = await packWeights(Object.fromEntries(constants), new Map(folded));
    const artifacts = { modelTopology: writeNodes(graph), format: 'graph-model', ...packed };
    const lost = await loadGraphModel({ load: () => Promise.resolve(artifacts) });
    expect(relativeError(answersOf(lost, input), expected)).toBeGreaterThan(0.2);
    lost.dispose();
    tf.dispose([...constants.values()]);
    made.dispose();
  });
});

test('rounding keeps the mean of each output: biases make up for it', async () => {
  const base = await loadBase(tinyGraph(), { preprocess: 'unit' });
  using model = replaceHead(base, { labels: tinyLabels });
  const folded = foldModel(model, 'logits');
  const { graph, constants } = folded;
  const means = await expectNoLeak(
    () => inputMeans(folded, base.trunk.input, base.preprocessor.spec),
    new Set([...kernelsIn(graph, constants).keys()].map(({ inputs }) => inputs[0])).size,
  );
  const pictures = tf.tidy(() =>
    tf.concat(
      [3, 7, 11].map((n) =>
        tf.image.resizeBilinear(tf.randomUniform<tf.Rank.R4>([4, n, n, 3], 0, 1, 'float32', n), [8, 8]),
      ),
    ),
  );
  /** Mean of the change of each logit. */
  const shifts = async (known: typeof means): Promise<number> => {
    const rounded = quantizeNodes(graph, constants, { byChannel: ['convolution', 'product'], means: known });
    const outputs: tf.Tensor[] = [];
    for (const nodes of [{ graph, constants }, rounded]) {
      const packed = await packWeights(Object.fromEntries(nodes.constants), undefined);
      const artifacts = { modelTopology: writeNodes(nodes.graph), format: 'graph-model', ...packed };
      const plain = await loadGraphModel({ load: () => Promise.resolve(artifacts) });
      outputs.push(answersOf(plain, pictures));
      plain.dispose();
    }
    tf.dispose([...rounded.constants.values()]);
    const [before, after] = outputs as [tf.Tensor, tf.Tensor];
    return tf.tidy(() => tf.sum(tf.abs(tf.mean(tf.sub(after, before), 0))).dataSync()[0] ?? NaN);
  };
  expect(await shifts(means)).toBeLessThan(0.5 * (await shifts(new Map())));
  expect((await inputMeans(folded, base.trunk.input, { kind: 'custom', name: 'mine' })).size).toBe(0);
  tf.dispose([pictures, ...means.values(), ...constants.values()]);
});

describe("'keras'", () => {
  test('the whole model comes back: answers, labels, frozen weights, history', async () => {
    const model = await tinyTransfer({ hidden: [5], dropout: 0.5 });
    await fineTune(model, tinySamples(2), { epochs: 1, unfreeze: 'head', seed: 1 });
    unfreeze(model, { lastStages: 1 });
    const file = place('.keras');
    const report = await expectNoLeak(() => exportModel(model, file, { format: 'keras' }));
    const weights = [...model.base.trunk.weights, ...model.head.trunk.weights];
    const numbers = weights.reduce((sum, { variable }) => sum + variable.size, 0);
    expect(report).toEqual({ format: 'keras', parameters: numbers, weightBytes: 4 * numbers });
    using again = await load(file);
    const input = batchOf(model);
    expect(await logitsOf(again, input).data()).toEqual(await logitsOf(model, input).data());
    expect([again.labels, again.task, again.base.cut]).toEqual([tinyLabels, 'classes', model.base.cut]);
    expect([again.head.trained, again.history]).toEqual([true, JSON.parse(JSON.stringify(model.history))]);
    const frozen = ({ base, head }: AnyModel) =>
      [...base.trunk.weights, ...head.trunk.weights].map(({ name, frozen: is }) => [name, is]);
    expect(frozen(again)).toEqual(frozen(model));
    using base = await loadBase(file);
    expect([base.cut, base.preprocessor.spec]).toEqual([model.base.cut, model.base.preprocessor.spec]);
    model.dispose();
  });

  test('the archive is that of Keras; the same model gives the same bytes', async () => {
    using model = await tinyTransfer();
    const [one, two] = [place('.keras'), place('.keras')];
    await exportModel(model, one, { format: 'keras' });
    await exportModel(model, two, { format: 'keras' });
    const bytes = readFileSync(one);
    expect(bytes.equals(readFileSync(two))).toBe(true);
    const files = unzipSync(new Uint8Array(bytes));
    expect(Object.keys(files)).toEqual(['metadata.json', 'config.json', 'model.weights.h5']);
    const config = JSON.parse(new TextDecoder().decode(files['config.json'])) as {
      readonly class_name: string;
      readonly config: { readonly layers: readonly { name: string; class_name: string; config: object }[] };
    };
    expect(config.class_name).toBe('Functional');
    const trainable = config.config.layers.filter(
      ({ config: { trainable } }: { config: { trainable?: boolean } }) => trainable === false,
    );
    // All layers of the base that have weights.
    expect(new Set(trainable.map(({ name }) => name))).toEqual(
      new Set(model.base.trunk.weights.map(({ layer }) => layer)),
    );
    expect(config.config.layers.at(-1)).toMatchObject({ class_name: 'Activation', config: { activation: 'softmax' } });
  });

  test('labels and names of any characters, and names with slashes', async () => {
    const source = sequential({
      name: 'any/name 😀',
      layers: [
        layers.conv2d({ inputShape: [4, 4, 2], filters: 3, kernelSize: 1, name: 'Conv/BatchNorm' }),
        layers.conv2d({ filters: 3, kernelSize: 1, name: 'Conv_BatchNorm' }),
        layers.flatten(),
        layers.dense({ units: 2, activation: 'softmax' }),
      ],
    });
    using model = replaceHead(await loadBase(source, { cut: 'Conv/BatchNorm' }), {
      heads: { kind: { labels: odd }, plain: { task: 'regression', outputs: ['m²'] } },
    });
    const file = place('.keras');
    await exportModel(model, file, { format: 'keras' });
    using again = await load(file);
    expect(again.labels).toEqual(model.labels);
    const input = batchOf(model);
    expect(await logitsOf(again, input).data()).toEqual(await logitsOf(model, input).data());
    expect([...again.base.trunk.names].filter((name) => !/^[\w.-]+$/.test(name))).toEqual([]);
    source.dispose();
  });

  test('a base of nodes is refused, and the other formats are named', async () => {
    using model = replaceHead(await loadBase(tinyGraph()), { labels: tinyLabels });
    await expectRefusal(model, place('.keras'), { format: 'keras' }, 'UNSUPPORTED_SOURCE', /'graphModel' or 'onnx'/);
  });

  test('layers that Keras lacks are named', async () => {
    const head = sequential({
      layers: [
        layers.dense({ inputShape: [4, 4, 12], units: 3, activation: 'hardSigmoid', name: 'bent' }),
        layers.thresholdedReLU({ theta: 0.1, name: 'cut_off' }),
        layers.globalAveragePooling2d({}),
        layers.dense({ units: 3 }),
      ],
    });
    using model = await tinyTransfer({ model: head });
    const found = /'bent' \(Dense, activation 'hard_?[sS]igmoid'\), 'cut_off' \(ThresholdedReLU\)/;
    await expectRefusal(model, place('.keras'), { format: 'keras' }, 'UNSUPPORTED_LAYER', found);
  });
});

async function expectRefusal(model: AnyModel, target: string, options: ExportOptions, code: string, text: RegExp) {
  await expectNoLeak(async () => {
    await expect(exportModel(model, target, options)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(text) as unknown,
    });
  });
  expect(existsSync(target)).toBe(false);
}

describe('bad input', () => {
  const keras = { format: 'keras' } as const;

  test('options that cannot be', async () => {
    using model = await tinyTransfer();
    const file = place('.keras');
    const refused = (options: object, text: RegExp, target = file) =>
      expectRefusal(model, target, options as ExportOptions, 'INVALID_OPTION', text);
    await refused({}, /format to be 'onnx', 'graphModel' or 'keras'/);
    await refused({ format: 'tflite' }, /got 'tflite'/);
    await refused({ format: 'graphModel', quantize: 'int4' }, /quantize to be 'float16' or 'uint8'/);
    await refused({ ...keras, quantize: 'uint8' }, /got 'uint8' with 'keras'/);
    await refused({ ...keras, samples: tinySamples(1) }, /evaluate\(model, samples\)/);
    await refused({ format: 'graphModel', batchSize: 0 }, /batchSize/);
    await refused(keras, /a file that ends in \.keras/, place('.h5'));
    await refused(keras, /the path of a file/, 'indexeddb://model');
    await refused(keras, /the path of a file/, 'downloads://model');
    await expect(exportModel(model, fileSystem(place()), keras)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    const others = fromArrays({ inputs: [new Float32Array(768)], targets: ['another'] });
    await expect(exportModel(model, place(), { format: 'graphModel', samples: others })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
    });
  });

  test('a target that cannot be written: nothing is left, and what was there stays', async () => {
    using model = await tinyTransfer();
    const blocking = place();
    writeFileSync(blocking, 'in the way');
    const folder = place('.keras');
    mkdirSync(folder);
    for (const target of [join(blocking, 'below', 'model.keras'), folder]) {
      await expect(exportModel(model, target, keras)).rejects.toMatchObject({ code: 'SAVE_FAILED' });
    }
    await expect(exportModel(model, join(blocking, 'below'), { format: 'graphModel' })).rejects.toMatchObject({
      code: 'SAVE_FAILED',
    });
    expect(readFileSync(blocking, 'utf8')).toBe('in the way');
    expect(readdirSync(folder)).toEqual([]);
    expect(readdirSync(root).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const full = { write: () => Promise.reject(new Error('no room')) };
    for (const options of [keras, { format: 'graphModel' } as const]) {
      await expect(exportModel(model, full, options)).rejects.toMatchObject({
        code: 'SAVE_FAILED',
        details: { reason: 'no room' },
      });
    }
  });

  test('NaN in a weight, by its name; a disposed model', async () => {
    const model = await tinyTransfer();
    const [weight] = model.head.trunk.weights;
    tf.tidy(() => weight?.variable.assign(tf.fill(weight.variable.shape, NaN)));
    await expectRefusal(model, place('.keras'), keras, 'NOT_FINITE', new RegExp(weight?.name ?? 'none'));
    await expectRefusal(model, place(), { format: 'graphModel' }, 'NOT_FINITE', /NaN in/);
    const running = exportModel(model, place('.keras'), keras);
    model.dispose();
    await expect(running).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(exportModel(model, place('.keras'), keras)).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  test('a model in training is written as it is then', async () => {
    using model = await tinyTransfer();
    const written: Promise<unknown>[] = [];
    const files = Array.from({ length: 3 }, () => place('.keras'));
    await trainHead(model, tinySamples(), {
      epochs: 3,
      cache: false,
      onEpoch: ({ epoch }) => {
        written.push(exportModel(model, files[epoch] ?? '', keras));
      },
    });
    await Promise.all(written);
    const found: Float32Array[] = [];
    for (const file of files) {
      using again = await load(file);
      found.push(logitsOf(again, batchOf(again)).dataSync() as Float32Array);
    }
    expect(found[0]).not.toEqual(found[2]);
    expect(found.every((each) => each.every(Number.isFinite))).toBe(true);
  });
});
