// Edges of training, heads and saving that once went wrong.
import * as tf from '@tensorflow/tfjs-core';
import {
  layers,
  loadLayersModel,
  model as functional,
  regularizers,
  sequential,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  definePreprocessor,
  evaluate,
  fineTune,
  freeze,
  fromArrays,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  trainHead,
  unfreeze,
  type TransferModel,
} from '../../src/index.ts';
import { sgd } from '../../src/optimizers.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { graphArtifacts, node } from '../support/tinyGraph.ts';
import { setWeights, tinyModel, wave } from '../support/tinyModel.ts';
import { tinyLabels, tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

const picture = () => new Float32Array(768).fill(0.3);

/** Saves and gives back what tfjs and transferkit load, through a handler that copies as IndexedDB does. */
async function saved(model: TransferModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  const handler = tf.io.withSaveHandler((given) => {
    artifacts = structuredClone(given);
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
  });
  await save(model, handler);
  return artifacts ?? {};
}

/** A base with a layer between its convolutions that tfjs cannot differentiate. */
function centreCropped() {
  const convolution = { filters: 2, kernelSize: 3, activation: 'tanh' } as const;
  const source = sequential({
    layers: [
      layers.conv2d({ ...convolution, inputShape: [16, 16, 3] }),
      layers.centerCrop({ height: 10, width: 10, name: 'crop' }),
      layers.conv2d({ ...convolution, name: 'behind' }),
    ],
  });
  setWeights(source);
  return source;
}

/** The same as nodes, with a product in the place of the crop. */
function productGraph(): tf.io.IOHandler {
  const ones = { list: { i: ['1', '1', '1', '1'] } };
  const bytes = (value: string) => ({ s: Buffer.from(value).toString('base64') });
  const window = { padding: bytes('SAME'), data_format: bytes('NHWC'), strides: ones, dilations: ones };
  const dim = [-1, 16, 16, 3].map((size) => ({ size: String(size) }));
  const nodes = [
    node('x', 'Placeholder', [], { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim } } }),
    node('conv', 'Conv2D', ['x', 'k1'], window),
    node('product', 'Cumprod', ['conv', 'axis'], {}),
    node('behind', 'Conv2D', ['product', 'k2'], window),
    node('out', 'Mean', ['behind', 'axes'], { keep_dims: { b: false } }),
  ];
  const kernel = (name: string, channels: number) => {
    const shape = [3, 3, channels, 2];
    return { name, shape, dtype: 'float32', values: tf.tidy(() => wave(shape, 0.5, channels).dataSync()) } as const;
  };
  const artifacts = graphArtifacts(nodes, [
    kernel('k1', 3),
    kernel('k2', 2),
    { name: 'axis', shape: [], dtype: 'int32', values: [3] },
    { name: 'axes', shape: [2], dtype: 'int32', values: [1, 2] },
  ]);
  return { load: () => Promise.resolve(artifacts) };
}

async function tinyBase() {
  const source = tinyModel();
  return loadBase(source);
}

describe('custom heads', () => {
  const own = (...names: string[]) => {
    const inner = names.map((name) => layers.dense({ units: 3, name }));
    const head = sequential({
      layers: [layers.globalAveragePooling2d({ inputShape: [4, 4, 12], name: 'own_pool' }), ...inner],
    });
    setWeights(head);
    return head;
  };

  test.each([
    ['the base has as its input', ['picture']],
    ['the base and the head itself have', ['conv1', 'head_conv1']],
    ['the output of a saved model has', ['probabilities', 'head_probabilities']],
  ])('may use names that %s: the saved model gives the same values', async (_, names) => {
    const model = replaceHead(await tinyBase(), { labels: tinyLabels, model: own(...names) });
    const expected = await predict(model, picture());
    const artifacts = await saved(model);
    expect(await predict(await load(tf.io.fromMemory(artifacts)), picture())).toEqual(expected);
    const plain = await loadLayersModel(tf.io.fromMemory(artifacts));
    const values = Array.from((plain.predict(tf.tensor4d(picture(), [1, 16, 16, 3])) as tf.Tensor).dataSync());
    tinyLabels.forEach((label, i) => {
      expect(values[i]).toBeCloseTo(expected.find((each) => each.label === label)?.probability ?? NaN, 6);
    });
  });

  test('with two outputs are refused', async () => {
    const input = layers.input({ shape: [4, 4, 12] });
    const flat = layers.flatten().apply(input) as SymbolicTensor;
    const outputs = ['a', 'b'].map((name) => layers.dense({ units: 3, name }).apply(flat) as SymbolicTensor);
    const head = functional({ inputs: input, outputs });
    const base = await tinyBase();
    expect(() => replaceHead(base, { labels: tinyLabels, model: head })).toThrow(
      'expected a head with one output, got 2.',
    );
  });

  test('with dropout inside a recurrent layer are refused', async () => {
    const base = await tinyBase();
    const head = sequential({
      layers: [
        layers.reshape({ inputShape: [4, 4, 12], targetShape: [16, 12] }),
        layers.simpleRNN({ units: 3, dropout: 0.5, name: 'rnn', recurrentInitializer: 'zeros' }),
      ],
    });
    expect(() => replaceHead(base, { labels: tinyLabels, model: head })).toThrow(
      "got 'rnn' (SimpleRNN) with dropout of its own.",
    );
  });
});

describe('features and inputs', () => {
  test('examples of different sizes are refused with the cache, whatever the batch size', async () => {
    const source = sequential({
      layers: [
        layers.conv2d({ inputShape: [null, null, 3], filters: 2, kernelSize: 1, name: 'first' }),
        layers.conv2d({ filters: 2, kernelSize: 1, name: 'second' }),
      ],
    });
    const model = replaceHead(await loadBase(source), { labels: ['a', 'b'] });
    const inputs = [8, 4, 4, 8].map((size) => tf.zeros([size, size, 3]));
    const samples = fromArrays({ inputs, targets: ['a', 'b', 'a', 'b'] });
    await expectNoLeak(() =>
      expect(fineTune(model, samples, { unfreeze: 'second', batchSize: 1, headEpochs: 0 })).rejects.toThrow(
        'expected examples of one shape, got [8, 8, 2] and [4, 4, 2].',
      ),
    );
  });

  const withPreprocessor = async (apply: (input: tf.Tensor) => tf.Tensor) =>
    replaceHead(await loadBase(tinyModel(), { preprocess: definePreprocessor({ name: 'own', apply }) }), {
      labels: tinyLabels,
    });
  const ofTensors = () => fromArrays({ inputs: tinyLabels.map(() => tf.zeros([16, 16, 3])), targets: tinyLabels });

  test.each<[string, (input: tf.Tensor) => tf.Tensor, string]>([
    ['NaN', () => tf.fill([16, 16, 3], NaN), 'NOT_FINITE'],
    ['another type', () => tf.zeros([16, 16, 3], 'int32'), 'WRONG_DTYPE'],
    ['another shape', () => tf.zeros([8, 16, 3]), 'WRONG_SHAPE'],
  ])('a custom preprocessor that returns %s raises an error', async (_, apply, code) => {
    const model = await withPreprocessor(apply);
    const samples = ofTensors();
    await expectNoLeak(() => expect(trainHead(model, samples)).rejects.toMatchObject({ code }));
    await expectNoLeak(() => expect(predict(model, tf.zeros([1]))).rejects.toMatchObject({ code }), 1);
  });

  test('an input that a preprocessor returns unchanged still belongs to the caller', async () => {
    const model = await withPreprocessor((input) => input);
    const input = tf.zeros([16, 16, 3]);
    await expectNoLeak(() => predict(model, input));
    expect(input.isDisposed).toBe(false);
  });

  test('a list of numbers is one example', async () => {
    const source = sequential({
      layers: [
        layers.dense({ inputShape: [4], units: 3, name: 'hidden' }),
        layers.dense({ units: 2, activation: 'softmax' }),
      ],
    });
    const model = replaceHead(await loadBase(source), { labels: ['a', 'b'] });
    expect(await predict(model, [1, 2, 3, 4])).toEqual((await predict(model, [[1, 2, 3, 4]]))[0]);
  });

  test('a streamed run lists every unreadable example, like a cached one', async () => {
    const model = await tinyTransfer();
    const samples = {
      ...tinySamples(),
      read: (index: number) => (index % 8 === 0 ? Promise.reject(new Error('torn')) : tinySamples().read(index)),
    };
    for (const cache of [true, false]) {
      await expectNoLeak(() =>
        expect(trainHead(model, samples, { cache, batchSize: 4 })).rejects.toThrow('got 3 that are not'),
      );
      const log = await trainHead(model, { ...samples, onUnreadable: 'skip' }, { cache, batchSize: 4, epochs: 1 });
      expect([log.examples, log.skipped.length]).toEqual([21, 3]);
    }
  });
});

/** A layer whose operation has no gradient in tfjs. */
class Sorted extends layers.Layer {
  static readonly className = 'Sorted';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.topk(Array.isArray(inputs) ? inputs[0]! : inputs, 2).values;
  }
}
tf.serialization.registerClass(Sorted);

describe('the loop', () => {
  test('weights that the last update made infinite are restored', async () => {
    const model = await tinyTransfer({ task: 'regression' });
    const before = weightValues(model);
    const samples = fromArrays({ inputs: [picture(), picture()], targets: [3e18, 1e18] });
    const failing = trainHead(model, samples, { epochs: 1, optimizer: sgd(), learningRate: 1e30 });
    await expectNoLeak(() => expect(failing).rejects.toMatchObject({ code: 'LOSS_NOT_FINITE' }));
    expect(weightValues(model)).toEqual(before);
  });

  test('an epoch that fails in the middle restores the weights of its start', async () => {
    const model = await tinyTransfer();
    unfreeze(model);
    const before = weightValues(model);
    const samples = tinySamples();
    const torn = {
      ...samples,
      read: (index: number) => (index === 20 ? Promise.reject(new Error('torn')) : samples.read(index)),
    };
    await expectNoLeak(() =>
      expect(fineTune(model, torn, { headEpochs: 0, batchSize: 4 })).rejects.toMatchObject({ code: 'UNREADABLE' }),
    );
    expect(weightValues(model)).toEqual(before);
    expect([model.head.trained, model.history.length]).toEqual([false, 0]);
  });

  test("trainHead's loss has no penalty of a frozen base", async () => {
    const source = tinyModel();
    const heavy = sequential({
      layers: [
        layers.conv2d({
          inputShape: [16, 16, 3],
          filters: 4,
          kernelSize: 3,
          kernelRegularizer: regularizers.l2({ l2: 100 }),
          name: 'heavy',
        }),
      ],
    });
    source.dispose();
    const model = replaceHead(await loadBase(heavy), { labels: tinyLabels, dropout: 0 });
    unfreeze(model);
    const head = await trainHead(model, tinySamples(), { epochs: 1 });
    expect(head.epochs[0]?.loss).toBeLessThan(10);
    const tuned = await fineTune(model, tinySamples(), { epochs: 1 });
    expect(tuned.epochs[0]?.loss).toBeGreaterThan(50);
  });

  test('a layer without a gradient is named as the reason, and no tensor leaks', async () => {
    const source = sequential({
      layers: [
        layers.conv2d({ inputShape: [16, 16, 3], filters: 2, kernelSize: 3, name: 'conv' }),
        new Sorted({ name: 'sorted' }),
      ],
    });
    const model = replaceHead(await loadBase(source), { labels: tinyLabels });
    await trainHead(model, tinySamples(), { epochs: 1 });
    await expectNoLeak(() =>
      expect(fineTune(model, tinySamples(), { epochs: 1 })).rejects.toMatchObject({ code: 'UNSUPPORTED_LAYER' }),
    );
    await expect(fineTune(model, tinySamples(), { epochs: 1 })).rejects.toThrow(/TopK.*Freeze the layers up to it/s);
  });

  test.each([
    ['a layer', 'crop', 'CenterCrop', () => centreCropped()],
    ['a node', 'product', 'Cumprod', () => productGraph()],
  ])('%s without a gradient is named before the head is trained', async (_, name, kind, make) => {
    const model = replaceHead(await loadBase(make(), { cut: 'behind' }), { labels: tinyLabels });
    const before = model.head.trunk.weights.map(({ variable }) => [...variable.dataSync()]);
    await expectNoLeak(() =>
      expect(fineTune(model, tinySamples(), { epochs: 1, unfreeze: 'base' })).rejects.toMatchObject({
        code: 'UNSUPPORTED_LAYER',
        details: { name, kind },
        message: expect.stringMatching(`fineTune: .*got '${name}' \\(${kind}\\), which has none in tfjs`) as string,
      }),
    );
    expect(model.head.trained).toBe(false);
    expect(model.head.trunk.weights.map(({ variable }) => [...variable.dataSync()])).toEqual(before);
    expect(model.base.trunk.weights.every(({ frozen }) => frozen)).toBe(true);
    const log = await fineTune(model, tinySamples(), { epochs: 1, unfreeze: { lastStages: 1 } });
    expect(log.epochs).toHaveLength(1);
    model.dispose();
  });

  test('a head counts as trained from its first step on, and only then', async () => {
    const onlyBase = await tinyTransfer();
    freeze(onlyBase, 'head');
    unfreeze(onlyBase, 'conv2');
    await fineTune(onlyBase, tinySamples(), { epochs: 1 });
    expect(onlyBase.head.trained).toBe(false);
    const stopped = await tinyTransfer();
    const abort = new AbortController();
    await trainHead(stopped, tinySamples(), {
      solver: 'gradient',
      batchSize: 4,
      signal: abort.signal,
      onProgress: ({ phase, done }) => {
        if (phase === 'head' && done > 0) abort.abort();
      },
    });
    expect(stopped.head.trained).toBe(true);
  });

  test('a callback that throws stops the run, and no tensor leaks', async () => {
    const model = await tinyTransfer();
    const thrown = () => {
      throw new Error('mine');
    };
    await expectNoLeak(() => expect(trainHead(model, tinySamples(), { onEpoch: thrown })).rejects.toThrow('mine'));
    await expectNoLeak(() => expect(trainHead(model, tinySamples(), { onProgress: thrown })).rejects.toThrow('mine'));
    expect((await evaluate(model, tinySamples())).examples).toBe(24);
  });

  test('the rate follows the schedule', async () => {
    const rates = async (schedule: 'constant' | 'cosine' | ((step: number, total: number) => number)) => {
      const log = await trainHead(await tinyTransfer(), tinySamples(), {
        epochs: 4,
        batchSize: 24,
        learningRate: 1,
        schedule,
      });
      return log.epochs.map(({ learningRate }) => Number(learningRate?.head.toFixed(4)));
    };
    expect(await rates('constant')).toEqual([1, 1, 1, 1]);
    expect(await rates('cosine')).toEqual([1, 0.8536, 0.5, 0.1464]);
    expect(await rates((step, total) => 1 - step / total)).toEqual([1, 0.75, 0.5, 0.25]);
  });
});

test('weights count in the mean loss, not in the order of mistakes', async () => {
  const model = await tinyTransfer();
  const inputs = [0.1, 0.9, -0.5].map((value) => new Float32Array(768).fill(value));
  const targets = [...tinyLabels];
  const plain = await evaluate(model, fromArrays({ inputs, targets }));
  const weighted = await evaluate(model, fromArrays({ inputs, targets, weights: [3, 3, 3] }));
  expect(weighted.loss).toBeCloseTo(3 * plain.loss, 5);
  expect(weighted.worst).toEqual(plain.worst);
});

test('a fully fine-tuned model is saved with metadata that plain tfjs accepts', async () => {
  const model = await tinyTransfer();
  await fineTune(model, tinySamples(), { epochs: 1 });
  expect((await loadLayersModel(tf.io.fromMemory(await saved(model)))).layers.length).toBeGreaterThan(5);
});
