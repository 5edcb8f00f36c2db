// GraphModels as trunks: found weights, cuts, gradients, training, saving, and the graphs that are refused.
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fineTune,
  fromArrays,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  trainHead,
  unfreeze,
  useBackend,
  type HeadOptions,
  type Samples,
  type TransferModel,
  type Trunk,
} from '../../src/index.ts';
import { checkTrunk } from '../../src/testing.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { expectNoLeak, relativeError } from '../support/tensors.ts';
import { graphArtifacts, node, tinyConstants, tinyGraph, tinyLayers, tinyNodes } from '../support/tinyGraph.ts';
import { weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useBackend('wasm');
});

const labels = ['bright', 'dark'];

function samples(): Samples {
  const random = randomGenerator(5);
  const targets = Array.from({ length: 16 }, (_, i) => labels[i % 2] ?? '');
  const inputs = targets.map((label) =>
    Float32Array.from({ length: 192 }, () => 0.5 * random() + (label === 'bright' ? 0.5 : 0)),
  );
  return fromArrays({ inputs, targets });
}

async function tinyTransfer(options: object = {}): Promise<TransferModel> {
  return replaceHead(await loadBase(tinyGraph()), { labels, ...options });
}

const stageNames = ({ stages }: Trunk) => stages.map(({ name }) => name);

/** Keeps what is saved in memory. */
function keeper() {
  const kept: tf.io.ModelArtifacts[] = [];
  const handler: tf.io.IOHandler = {
    save: (artifacts) => {
      kept.push(artifacts);
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    },
    load: () => Promise.resolve(kept.at(-1) ?? {}),
  };
  return handler;
}

describe('a GraphModel as a base', () => {
  test('is cut before its classifier; stages end where all values pass through one tensor', async () => {
    const base = await loadBase(tinyGraph());
    expect(base.cut).toBe('net/pool');
    expect(stageNames(base.trunk)).toEqual(['hub_input/Sub', 'net/relu1', 'net/pool']);
    expect(base.trunk.input.shape).toEqual([null, 8, 8, 3]);
    expect(base.trunk.output.shape).toEqual([null, 6]);
    base.dispose();
    const earlier = await loadBase(tinyGraph(), { cut: 'net/relu1' });
    expect(earlier.trunk.output.shape).toEqual([null, 8, 8, 6]);
    earlier.dispose();
  });

  test('divides constants into weights and settings, with reasons', async () => {
    const base = await loadBase(tinyGraph());
    const { trunk } = base;
    expect(trunk.weights.map(({ name, kind }) => [name, kind])).toEqual([
      ['conv1/kernel', 'kernel'],
      ['bn1/gamma', 'gamma'],
      ['bn1/beta', 'beta'],
      ['depthwise/depthwise_kernel', 'kernel'],
      ['depthwise/bias', 'bias'],
      ['project/kernel', 'kernel'],
      ['project/bias', 'bias'],
      ['bn1/moving_mean', 'statistics'],
      ['bn1/moving_variance', 'statistics'],
    ]);
    expect(trunk.fixed).toEqual([
      { name: 'hub_input/Mul/y', reason: 'it is preprocessing, in front of the first kernel' },
      { name: 'hub_input/Sub/y', reason: 'it is preprocessing, in front of the first kernel' },
      { name: 'net/pool/axes', reason: 'its values are int32' },
    ]);
    base.dispose();
  });

  test('fulfils the contract of trunks', async () => {
    const { trunk } = await loadBase(tinyGraph());
    const input = tf.randomUniform([2, 8, 8, 3], 0, 1, 'float32', 1);
    expect((await checkTrunk(trunk, input)).failed).toEqual([]);
    input.dispose();
  });

  test('gives the values and the gradients of the same network as a LayersModel', async () => {
    const source = tinyLayers();
    const layered = await loadBase(source, { cut: 'pool' });
    const graph = await loadBase(tinyGraph());
    const input = tf.randomUniform([2, 8, 8, 3], 0, 1, 'float32', 3);
    const scaled = tf.sub(tf.mul(input, 2), 1);
    const gradientsOf = (trunk: Trunk, x: tf.Tensor) => {
      const moving = trunk.weights.filter(({ kind }) => kind !== 'statistics');
      for (const { variable } of moving) variable.trainable = true;
      const { value, grads } = tf.variableGrads(
        () => tf.tidy(() => tf.sum<tf.Scalar>(tf.square(trunk.run(x)))),
        moving.map(({ variable }) => variable),
      );
      value.dispose();
      return new Map(moving.map(({ name, variable }) => [name, grads[variable.name]]));
    };
    const expected = gradientsOf(layered.trunk, scaled);
    const found = gradientsOf(graph.trunk, input);
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, gradient] of found) {
      const other = expected.get(name);
      if (gradient === undefined || other === undefined) throw new Error(`no gradient of ${name}`);
      expect(relativeError(gradient, other), name).toBeLessThan(1e-4);
    }
    source.dispose();
  });

  test('a GraphModel in memory stays unchanged', async () => {
    const artifacts = graphArtifacts(tinyNodes(), tinyConstants(tinyLayers()));
    const loaded = await loadGraphModel({ load: () => Promise.resolve(artifacts) });
    const before = Array.from(loaded.weights['project/kernel']?.[0]?.dataSync() ?? []);
    const model = replaceHead(await loadBase(loaded), { labels });
    await fineTune(model, samples(), { epochs: 1, learningRate: 0.1 });
    expect(weightValues(model)['project/kernel']).not.toEqual(before);
    model.dispose();
    expect(Array.from(loaded.weights['project/kernel']?.[0]?.dataSync() ?? [])).toEqual(before);
    loaded.dispose();
    await expect(loadBase(loaded)).rejects.toThrow(/after its dispose/);
  });

  test('quantised weights are dequantised once', async () => {
    const source = tinyLayers();
    const { weightSpecs = [], weightData, ...rest } = graphArtifacts(tinyNodes(), tinyConstants(source));
    const bytes = new Uint8Array(weightData as ArrayBuffer);
    const parts: Uint8Array[] = [];
    let offset = 0;
    const specs = weightSpecs.map((spec) => {
      const length = 4 * spec.shape.reduce((a, b) => a * b, 1);
      const part = bytes.slice(offset, offset + length);
      offset += length;
      parts.push(spec.name === 'project/kernel' ? Uint8Array.from({ length: length / 4 }, (_, i) => i) : part);
      const quantization = { dtype: 'uint8' as const, scale: 0.5, min: -4 };
      return spec.name === 'project/kernel' ? { ...spec, quantization } : spec;
    });
    const data = Uint8Array.from(Buffer.concat(parts)).buffer;
    const base = await loadBase({ load: () => Promise.resolve({ ...rest, weightSpecs: specs, weightData: data }) });
    const kernel = base.trunk.weights.find(({ name }) => name === 'project/kernel');
    expect(Array.from(kernel?.variable.dataSync().slice(0, 3) ?? [])).toEqual([-4, -3.5, -3]);
    base.dispose();
    source.dispose();
  });
});

describe('training on a GraphModel', () => {
  test('trainHead changes only the head; fineTune changes only unfrozen weights', async () => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    const log = await trainHead(model, samples(), { epochs: 3 });
    expect(log.cachedUpTo).toBe('net/pool');
    const trained = weightValues(model);
    for (const { name } of model.base.trunk.weights) expect(trained[name], name).toEqual(before[name]);
    expect(trained['head_logits/kernel']).not.toEqual(before['head_logits/kernel']);

    const report = unfreeze(model, { lastStages: 1 });
    expect(report.fixed.map(({ name }) => name)).toContain('net/pool/axes');
    await fineTune(model, samples(), { epochs: 2, learningRate: 0.01 });
    const tuned = weightValues(model);
    for (const name of ['conv1/kernel', 'bn1/gamma', 'bn1/moving_mean'])
      expect(tuned[name], name).toEqual(before[name]);
    for (const name of ['depthwise/depthwise_kernel', 'project/bias'])
      expect(tuned[name], name).not.toEqual(before[name]);
    model.dispose();
  });

  test('weights that are read through Identity nodes train, and are saved', async () => {
    const read = [node('once', 'Identity', ['project/kernel']), node('kernel/read', 'Identity', ['once'])];
    const nodes = JSON.parse(
      JSON.stringify(tinyNodes()).replace('"net/relu2","project/kernel"', '"net/relu2","kernel/read"'),
    ) as object[];
    const artifacts = graphArtifacts([...read, ...nodes], tinyConstants(tinyLayers()));
    const model = replaceHead(await loadBase({ load: () => Promise.resolve(artifacts) }), { labels });
    const before = weightValues(model)['project/kernel'];
    unfreeze(model, 'net/project');
    await fineTune(model, samples(), { epochs: 1, learningRate: 0.01 });
    const after = weightValues(model)['project/kernel'];
    expect(before).toBeDefined();
    expect(after).not.toEqual(before);
    const handler = keeper();
    await save(model, handler);
    const plain = await loadGraphModel(handler);
    expect(Array.from(plain.weights['project/kernel']?.[0]?.dataSync() ?? [])).toEqual(Array.from(after ?? []));
    plain.dispose();
    model.dispose();
  });

  test('layers are selected by the prefix of a node name', async () => {
    const model = await tinyTransfer();
    const { layers } = unfreeze(model, 'net/depthwise');
    const open = layers.filter(({ part, state }) => part === 'base' && state === 'trainable').map(({ name }) => name);
    expect(open).toEqual(['net/depthwise/depthwise', 'net/depthwise/BiasAdd']);
    model.dispose();
  });

  test('leaks no tensor', async () => {
    await expectNoLeak(async () => {
      const model = await tinyTransfer();
      await trainHead(model, samples(), { epochs: 1 });
      await fineTune(model, samples(), { epochs: 1 });
      await save(model, keeper());
      model.dispose();
    });
  });
});

describe('saving on a GraphModel', () => {
  test.each<[string, { readonly cut?: string; readonly task?: string; readonly [option: string]: unknown }]>([
    ['a linear head', {}],
    ['hidden layers', { hidden: [4] }],
    ['one logit', { task: 'binary' }],
    ['numbers', { task: 'regression', labels: undefined, outputs: 3 }],
    ['maps pooled both ways', { cut: 'net/add', pooling: 'both' }],
    ['maps as they are', { cut: 'net/add', pooling: 'flatten' }],
  ])('tf.loadGraphModel gives the same numbers: %s', async (_, { cut, ...head }) => {
    const base = await loadBase(tinyGraph(), cut === undefined ? {} : { cut });
    const model = replaceHead(base, { labels, ...head } as HeadOptions<'classes'> & { outputs?: never });
    const handler = keeper();
    await save(model, handler);
    const plain = await loadGraphModel(handler);
    const input = tf.randomUniform([3, 8, 8, 3], 0, 1, 'float32', 4);
    const features = model.base.trunk.run(input);
    const expected = model.head.trunk.run(features);
    const found = plain.execute(input);
    const [logits, probabilities] = Array.isArray(found) ? found : [found];
    if (logits === undefined) throw new Error('no output');
    expect(relativeError(logits, expected)).toBeLessThan(1e-6);
    if (head.task === 'regression') expect(probabilities).toBeUndefined();
    else {
      const wanted = head.task === 'binary' ? tf.sigmoid(expected) : tf.softmax(expected);
      expect(probabilities && relativeError(probabilities, wanted)).toBeLessThan(1e-6);
    }
    model.dispose();
  });

  test('load restores a custom head, with the weights of its BatchNorm', async () => {
    const own = sequential({
      layers: [
        layers.conv2d({ inputShape: [8, 8, 6], filters: 4, kernelSize: 2, activation: 'relu' }),
        layers.batchNormalization({ scale: false }),
        layers.dropout({ rate: 0.5 }),
        layers.globalAveragePooling2d({}),
        layers.dense({ units: 2 }),
      ],
    });
    const model = replaceHead(await loadBase(tinyGraph(), { cut: 'net/add' }), { labels, model: own });
    await fineTune(model, samples(), { epochs: 1 });
    const handler = keeper();
    await save(model, handler);
    const again = await load(handler, { task: 'classes' });
    expect(weightValues(again)).toEqual(weightValues(model));
    const plain = await loadGraphModel(handler);
    const input = tf.randomUniform([3, 8, 8, 3], 0, 1, 'float32', 4);
    const expected = model.head.trunk.run(model.base.trunk.run(input));
    const [logits] = plain.execute(input) as tf.Tensor[];
    expect(relativeError(logits!, expected)).toBeLessThan(1e-5);
    again.dispose();
    model.dispose();
  });

  test.each([
    ['pooling', () => [layers.globalAveragePooling2d({ inputShape: [8, 8, 6], dataFormat: 'channelsFirst' })]],
    ['Flatten', () => [layers.flatten({ inputShape: [8, 8, 6], dataFormat: 'channelsFirst' })]],
    [
      'transposed convolution',
      () => [layers.conv2dTranspose({ inputShape: [8, 8, 6], filters: 2, kernelSize: 2 }), layers.flatten()],
    ],
    ['Dense on maps', () => [layers.dense({ inputShape: [8, 8, 6], units: 2 }), layers.flatten()]],
  ])('a head that cannot be written as nodes is refused, and nothing leaks: %s', async (_, first) => {
    const own = sequential({ layers: [...first(), layers.dense({ units: 2 })] });
    const model = replaceHead(await loadBase(tinyGraph(), { cut: 'net/add' }), { labels, model: own });
    await expectNoLeak(async () => {
      await expect(save(model, keeper())).rejects.toMatchObject({ code: 'UNSUPPORTED_LAYER' });
    });
    model.dispose();
  });

  test('load restores the model: weights, freeze state, labels', async () => {
    const model = await tinyTransfer({ hidden: [4] });
    unfreeze(model, 'net/project');
    await trainHead(model, samples(), { epochs: 1 });
    const handler = keeper();
    await save(model, handler);
    const again = await load(handler, { task: 'classes' });
    expect(weightValues(again)).toEqual(weightValues(model));
    expect(again.labels).toEqual(labels);
    expect(again.base.cut).toBe('net/pool');
    const open = ({ base }: TransferModel) =>
      base.trunk.weights.filter(({ frozen }) => !frozen).map(({ name }) => name);
    expect(open(again)).toEqual(['project/kernel', 'project/bias']);
    const picture = new Float32Array(192).fill(0.3);
    expect(await predict(again, picture)).toEqual(await predict(model, picture));
    await fineTune(again, samples(), { epochs: 1 });
    const other = await loadBase(handler);
    expect(other.cut).toBe('net/pool');
  });
});

describe('graphs that are refused', () => {
  const source = () => tinyConstants(tinyLayers());
  const from = (nodes: object[], constants = source()) => {
    const artifacts = graphArtifacts(nodes, constants);
    return { load: () => Promise.resolve(artifacts) };
  };
  const refusal = async (handler: tf.io.IOHandler, options = {}) => {
    const error: unknown = await expectNoLeak(() => loadBase(handler, options).catch((each: unknown) => each));
    return error;
  };

  test('an unknown cut names the nearest nodes', async () => {
    expect(await refusal(tinyGraph(), { cut: 'net/rellu1' })).toMatchObject({
      code: 'UNKNOWN_LAYER',
      message: expect.stringContaining('net/relu1') as string,
    });
  });

  test('control flow before the cut, not after it', async () => {
    const nodes = [...tinyNodes(), node('loop', 'StatelessWhile', ['net/classifier/Softmax'])];
    expect(await refusal(from(nodes), { cut: 'loop' })).toMatchObject({
      code: 'UNSUPPORTED_SOURCE',
      message: expect.stringContaining("'loop' (StatelessWhile)") as string,
    });
    const base = await loadBase(from(nodes), { cut: 'net/pool' });
    base.dispose();
  });

  test('several inputs, several outputs without a cut', async () => {
    const second = node('more', 'Placeholder', [], {});
    expect(await refusal(from([...tinyNodes(), second]))).toMatchObject({ code: 'UNSUPPORTED_SOURCE' });
    const twice = node('also', 'Relu', ['net/pool']);
    expect(await refusal(from([...tinyNodes(), twice]))).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('also') as string,
    });
  });

  test('a missing constant, a missing node', async () => {
    const missing = node('projected', 'BiasAdd', ['net/project', 'gone/bias']);
    const constant = node('gone/bias', 'Const', [], { dtype: { type: 'DT_FLOAT' } });
    expect(await refusal(from([...tinyNodes(), missing, constant]), { cut: 'projected' })).toMatchObject({
      code: 'WEIGHTS_MISMATCH',
      message: expect.stringContaining('gone/bias') as string,
    });
    expect(await refusal(from([...tinyNodes(), missing]))).toMatchObject({ code: 'NOT_A_MODEL' });
  });

  test('an input without a size', async () => {
    expect(await refusal(from(tinyNodes([-1, -1, -1, 3])))).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('Give inputSize') as string,
    });
    const base = await loadBase(from(tinyNodes([-1, -1, -1, 3])), { inputSize: 8 });
    expect(base.trunk.input.shape).toEqual([null, 8, 8, 3]);
    base.dispose();
  });

  test('a fixed batch size', async () => {
    const shape = { name: 'one', shape: [4], dtype: 'int32' as const, values: [1, 8, 8, 6] };
    const fixed = node('fixed', 'Reshape', ['net/add', 'one']);
    expect(await refusal(from([...tinyNodes(), fixed], [...source(), shape]), { cut: 'fixed' })).toMatchObject({
      code: 'UNSUPPORTED_SOURCE',
    });
  });

  test('an operation that tfjs does not know', async () => {
    const strange = node('strange', 'FlexSomething', ['net/add']);
    expect(await refusal(from([...tinyNodes(), strange]), { cut: 'strange' })).toMatchObject({
      code: 'UNSUPPORTED_SOURCE',
      message: expect.stringContaining('FlexSomething') as string,
    });
  });
});
