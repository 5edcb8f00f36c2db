// Traps of plain tfjs 4.22: each test shows what tfjs does, and that transferkit does not.
import * as tf from '@tensorflow/tfjs-core';
import {
  callbacks,
  initializers,
  layers,
  model as functional,
  sequential,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  fineTune,
  freeze,
  fromArrays,
  imagePreprocessor,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  trainHead,
  unfreeze,
} from '../src/index.ts';
import { sgd } from '../src/optimizers.ts';
import { randomGenerator } from '../src/core/random.ts';
import { useTestBackend } from './support/testBackend.ts';
import { tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** Features of mean 5, as T1 was found with. */
const rows = Array.from({ length: 32 }, (_, i) => Float32Array.from({ length: 4 }, (_, j) => 5 + Math.sin(i + 2 * j)));
const answers = rows.map((_, i) => (i % 2 === 0 ? 'even' : 'odd'));
const x = () =>
  tf.tensor2d(
    rows.flatMap((row) => Array.from(row)),
    [32, 4],
  );
const y = () =>
  tf.tensor2d(
    answers.map((answer) => [answer === 'even' ? 1 : 0]),
    [32, 1],
  );

/** Dense, then BatchNorm, then one logit. */
function withBatchNorm(options: { scale?: boolean; dropout?: boolean } = {}): LayersModel {
  return sequential({
    name: 'dense_norm',
    layers: [
      layers.dense({
        inputShape: [4],
        units: 3,
        name: 'dense',
        kernelInitializer: initializers.glorotUniform({ seed: 1 }),
      }),
      layers.batchNormalization({ name: 'norm', scale: options.scale ?? true }),
      ...(options.dropout === true ? [layers.dropout({ rate: 0.5, name: 'drop' })] : []),
      layers.dense({ units: 1, name: 'logit', kernelInitializer: initializers.glorotUniform({ seed: 2 }) }),
    ],
  });
}

async function transferOf(source: LayersModel, cut: string) {
  return replaceHead(await loadBase(source, { cut }), { labels: ['even', 'odd'], dropout: 0 });
}

const samples = () => fromArrays({ inputs: rows, targets: answers });
const movingMean = (source: LayersModel) => Array.from(source.getLayer('norm').getWeights().at(-2)?.dataSync() ?? []);

describe('T1 and T2: a frozen BatchNorm still learns in fit', () => {
  test('tfjs: the moving mean of a frozen layer moves, whatever training flag it was applied with', async () => {
    const plain = withBatchNorm();
    plain.getLayer('norm').trainable = false;
    plain.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const before = movingMean(plain);
    await plain.fit(x(), y(), { epochs: 3 });
    expect(movingMean(plain)).not.toEqual(before);

    const input = layers.input({ shape: [4] });
    const norm = layers.batchNormalization({ name: 'norm' });
    const flagged = functional({
      inputs: input,
      outputs: layers.dense({ units: 1 }).apply(norm.apply(input, { training: false })) as SymbolicTensor,
    });
    norm.trainable = false;
    flagged.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await flagged.fit(x(), y(), { epochs: 1 });
    expect(movingMean(flagged)).not.toEqual([0, 0, 0, 0]);
  });

  test('transferkit: it never changes, frozen or not', async () => {
    const model = await transferOf(withBatchNorm(), 'norm');
    const before = weightValues(model);
    await trainHead(model, samples(), { epochs: 3 });
    await fineTune(model, samples(), { unfreeze: 'dense', epochs: 3, learningRate: 0.01 });
    const after = weightValues(model);
    expect(after['dense/kernel']).not.toEqual(before['dense/kernel']);
    for (const name of ['norm/gamma', 'norm/beta', 'norm/moving_mean', 'norm/moving_variance'])
      expect(after[name]).toEqual(before[name]);
  });
});

describe('T3: optimizer state by position', () => {
  test('tfjs: an optimizer that goes on after a layer was unfrozen fails on shapes', async () => {
    const plain = withBatchNorm();
    plain.getLayer('dense').trainable = false;
    const optimizer = tf.train.adam(0.01);
    plain.compile({ optimizer, loss: 'meanSquaredError' });
    await plain.fit(x(), y(), { epochs: 1 });
    plain.getLayer('dense').trainable = true;
    plain.compile({ optimizer, loss: 'meanSquaredError' });
    await expect(plain.fit(x(), y(), { epochs: 1 })).rejects.toThrow();
  });

  test('transferkit: phases may have different unfrozen layers', async () => {
    const model = await transferOf(withBatchNorm(), 'norm');
    await fineTune(model, samples(), { unfreeze: 'norm', epochs: 1 });
    const log = await fineTune(model, samples(), { unfreeze: 'dense', epochs: 1 });
    expect(log.parameters.trained).toBe(4 * 3 + 3 + 3 + 3 + 3 * 2 + 2);
  });
});

describe('T4: the order of weights follows the freezing', () => {
  test('tfjs: setWeights(getWeights()) fails after a layer was frozen', () => {
    const plain = withBatchNorm();
    const weights = plain.getWeights();
    plain.getLayer('dense').trainable = false;
    expect(() => {
      plain.setWeights(weights);
    }).toThrow();
  });

  test('transferkit: names and order do not change', async () => {
    const model = await transferOf(withBatchNorm(), 'norm');
    const names = () => model.base.trunk.weights.map(({ name }) => name);
    const before = names();
    unfreeze(model, 'dense');
    freeze(model, 'dense');
    expect(names()).toEqual(before);
  });
});

describe('T5 and T6: freezing of nested models', () => {
  const nested = () => nestedParts().outer;
  const nestedParts = () => {
    const inner = sequential({
      name: 'inner',
      layers: [layers.dense({ inputShape: [4], units: 3, name: 'first' }), layers.dense({ units: 3, name: 'second' })],
    });
    const outer = sequential({ name: 'outer', layers: [inner, layers.dense({ units: 1, name: 'logit' })] });
    return { inner, outer };
  };

  test('tfjs: a child of a frozen nested base cannot be unfrozen, and saving forgets the freeze', async () => {
    const { inner, outer: plain } = nestedParts();
    inner.trainable = false;
    inner.getLayer('second').trainable = true;
    expect(plain.trainableWeights).toHaveLength(2);
    let saved: tf.io.ModelArtifacts | undefined;
    await plain.save(
      tf.io.withSaveHandler((artifacts) => {
        saved = artifacts;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
      }),
    );
    const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
    const again = await loadLayersModel(tf.io.fromMemory(saved ?? {}));
    expect(again.layers[0]?.trainable).toBe(true);
  });

  test('transferkit: a single layer of a nested base trains, and saving keeps the freeze', async () => {
    const model = await transferOf(nested(), 'second');
    unfreeze(model, 'second');
    const before = weightValues(model);
    await fineTune(model, samples(), { epochs: 1, validation: false });
    expect(weightValues(model)['first/kernel']).toEqual(before['first/kernel']);
    expect(weightValues(model)['second/kernel']).not.toEqual(before['second/kernel']);
    let saved: tf.io.ModelArtifacts | undefined;
    await save(
      model,
      tf.io.withSaveHandler((artifacts) => {
        saved = artifacts;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
      }),
    );
    const again = await load(tf.io.fromMemory(saved ?? {}));
    expect(again.base.trunk.weights.filter(({ frozen }) => !frozen).map(({ name }) => name)).toEqual([
      'second/kernel',
      'second/bias',
    ]);
  });
});

describe('T7: BatchNorm without gamma', () => {
  test('tfjs: fit fails', async () => {
    const plain = withBatchNorm({ scale: false });
    plain.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expect(plain.fit(x(), y(), { epochs: 1 })).rejects.toThrow(TypeError);
  });

  test('transferkit: it trains its beta', async () => {
    const model = await transferOf(withBatchNorm({ scale: false }), 'norm');
    const before = weightValues(model);
    await fineTune(model, samples(), { epochs: 1, validation: false });
    expect(weightValues(model)['norm/beta']).not.toEqual(before['norm/beta']);
  });
});

describe('T8: dropout inside the frozen part', () => {
  test('tfjs: it drops in fit, so that the loss of a frozen network changes by chance', async () => {
    const plain = withBatchNorm({ dropout: true });
    for (const layer of plain.layers.slice(0, -1)) layer.trainable = false;
    plain.compile({ optimizer: tf.train.sgd(1e-30), loss: 'meanSquaredError' });
    const { history } = await plain.fit(x(), y(), { epochs: 4, batchSize: 32 });
    expect(new Set(history.loss?.map(Number)).size).toBeGreaterThan(1);
  });

  test('transferkit: the base runs in inference mode', async () => {
    const source = withBatchNorm({ dropout: true });
    const model = await transferOf(source, 'drop');
    const log = await trainHead(model, samples(), { epochs: 3, batchSize: 32, learningRate: 1e-30 });
    // Dropout would change it in the first digits; the order of the rows does in the last.
    const losses = log.epochs.map(({ loss }) => loss);
    expect(Math.max(...losses) - Math.min(...losses)).toBeLessThan(1e-5);
  });
});

describe('T9: accuracy of one logit', () => {
  test('tfjs: the logit is compared with one half', async () => {
    const plain = sequential({
      layers: [layers.dense({ inputShape: [1], units: 1, useBias: false, kernelInitializer: 'ones' })],
    });
    plain.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['accuracy'] });
    // Logit 0.3 means a probability of 0.57: right for target 1.
    const [, accuracy] = plain.evaluate(tf.tensor2d([[0.3]]), tf.tensor2d([[1]])) as tf.Scalar[];
    expect(accuracy?.dataSync()[0]).toBe(0);
  });

  test('transferkit: the probability is', async () => {
    const model = replaceHead(await loadBase(withBatchNorm(), { cut: 'norm' }), {
      task: 'binary',
      labels: ['odd', 'even'],
      dropout: 0,
    });
    const [kernel, bias] = model.head.trunk.weights;
    kernel?.write(tf.zeros([3, 1]));
    bias?.write(tf.tensor1d([0.3]));
    const even = fromArrays({ inputs: rows.slice(0, 1), targets: ['even'], labels: ['even', 'odd'] });
    expect((await evaluate(model, even)).accuracy).toBe(1);
    expect((await predict(model, rows[0]))[0]).toMatchObject({ label: 'even' });
  });
});

describe('T10: restoring the best weights', () => {
  test('tfjs: earlyStopping refuses restoreBestWeights', () => {
    expect(() => callbacks.earlyStopping({ restoreBestWeights: true })).toThrow(
      'restoreBestWeights = True is not implemented',
    );
  });

  test('transferkit: weights are stored by name, and the last finite ones are restored', async () => {
    const model = await transferOf(withBatchNorm(), 'norm');
    const failing = trainHead(model, samples(), { epochs: 50, optimizer: 'sgd', learningRate: 1e37 });
    await expect(failing).rejects.toMatchObject({ code: 'LOSS_NOT_FINITE' });
    expect(Object.values(weightValues(model)).flat().every(Number.isFinite)).toBe(true);
  });
});

describe('T11: weights of single samples', () => {
  test('tfjs: fit refuses sampleWeight', async () => {
    const plain = withBatchNorm();
    plain.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expect(plain.fit(x(), y(), { sampleWeight: tf.ones([32]) })).rejects.toThrow(
      'sample weight is not supported',
    );
  });

  test('transferkit: examples of weight 2 change the head like twice the learning rate', async () => {
    const trained = async (weight: number, learningRate: number) => {
      const model = await transferOf(withBatchNorm(), 'norm');
      const weighted = fromArrays({ inputs: rows, targets: answers, weights: rows.map(() => weight) });
      await trainHead(model, weighted, { epochs: 2, optimizer: sgd(), learningRate });
      return weightValues(model)['head_logits/kernel'] ?? [];
    };
    const [doubled, faster, plain] = [await trained(2, 0.01), await trained(1, 0.02), await trained(1, 0.01)];
    doubled.forEach((value, i) => {
      expect(value).toBeCloseTo(faster[i] ?? NaN, 5);
    });
    expect(doubled).not.toEqual(plain);
  });
});

describe('T15: tensors of optimizers', () => {
  const leak = async (run: () => Promise<void>) => {
    const before = tf.memory().numTensors;
    await run();
    return tf.memory().numTensors - before;
  };

  test('tfjs: build, fit with an own Adam, dispose leaves tensors', async () => {
    const [inputs, targets] = [x(), y()];
    const left = await leak(async () => {
      const plain = withBatchNorm();
      plain.compile({ optimizer: tf.train.adam(), loss: 'meanSquaredError' });
      await plain.fit(inputs, targets, { epochs: 1 });
      plain.dispose();
    });
    expect(left).toBeGreaterThan(0);
  });

  test('transferkit: none', async () => {
    const left = await leak(async () => {
      const model = await tinyTransfer();
      await fineTune(model, tinySamples(), { epochs: 1 });
      model.dispose();
    });
    expect(left).toBe(0);
  });
});

describe('T16: validation on the last rows', () => {
  test('tfjs: of data sorted by class, validationSplit takes one class', async () => {
    const plain = sequential({
      layers: [layers.dense({ inputShape: [1], units: 1, useBias: false, kernelInitializer: 'ones' })],
    });
    plain.compile({ optimizer: tf.train.sgd(1e-30), loss: 'meanSquaredError' });
    const sorted = tf.tensor2d([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], [10, 1]);
    // The network gives its input: against zeros the loss is 0 for the first class and 1 for the second.
    const { history } = await plain.fit(sorted, tf.zeros([10, 1]), { validationSplit: 0.4, epochs: 1 });
    expect(Number(history.val_loss?.[0])).toBe(1);
  });

  test('transferkit: a share of every class', () => {
    const random = randomGenerator(1);
    const targets = ['a', 'a', 'a', 'a', 'a', 'a', 'b', 'b', 'b', 'b'];
    const { train, validation } = fromArrays({ inputs: targets.map(() => random()), targets }).split({
      validation: 0.5,
    });
    expect(train.classCounts).toEqual({ a: 3, b: 2 });
    expect(validation.classCounts).toEqual({ a: 3, b: 2 });
  });
});

describe('T18: three answers for one resize', () => {
  const ramp = () =>
    tf.tensor3d(
      Array.from({ length: 16 }, (_, i) => i),
      [4, 4, 1],
    );

  test('tfjs: by default not the one of Keras', () => {
    const resized = tf.image.resizeBilinear(ramp(), [2, 2]);
    expect(Array.from(resized.dataSync())).toEqual([0, 2, 8, 10]);
  });

  test('transferkit: half-pixel centres, as tf.image.resize', async () => {
    const halfPixel = imagePreprocessor({ size: [2, 2], mode: 'raw', resize: 'bilinear' });
    const resized = await halfPixel.apply(tf.cast(tf.tile(ramp(), [1, 1, 3]), 'int32'));
    expect(Array.from(tf.slice(resized, [0, 0, 0], [2, 2, 1]).dataSync())).toEqual([2.5, 4.5, 10.5, 12.5]);
  });
});
