// Which heads trainHead solves for, what it logs, and what it refuses.
import { constraints, layers, regularizers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  fineTune,
  fromArrays,
  replaceHead,
  trainHead,
  unfreeze,
  type Pooling,
  type Samples,
  type Target,
  type TrainHeadOptions,
} from '../../src/index.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinyLabels, tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** The pictures of `tinySamples` with other targets. */
async function withTargets(targetOf: (label: string) => Target, labels?: readonly string[]): Promise<Samples> {
  const samples = tinySamples();
  const read = await Promise.all(Array.from({ length: samples.size }, async (_, i) => samples.read(i)));
  return fromArrays({
    inputs: read.map(({ input }) => input),
    targets: read.map(({ target }) => targetOf(String(target))),
    ...(labels === undefined ? {} : { labels }),
  });
}

describe('a head without hidden layers', () => {
  test('is solved, and the log reports it', async () => {
    const model = await tinyTransfer({ dropout: 0.5 });
    const logged: unknown[] = [];
    const log = await expectNoLeak(() =>
      trainHead(model, tinySamples(), { validation: tinySamples(4, 2), onEpoch: (epoch) => logged.push(epoch) }),
    );
    expect(log).toMatchObject({
      phase: 'head',
      stoppedBy: 'converged',
      method: 'lbfgs',
      solver: { converged: true },
      epochs: [{ epoch: 0, accuracy: 1, validationAccuracy: 1 }],
      cachedUpTo: 'head_pooling_average',
      examples: 24,
      parameters: { trained: 39 },
    });
    expect(log.epochs[0]).not.toHaveProperty('learningRate');
    expect(log.solver?.iterations).toBeGreaterThan(0);
    expect(logged).toEqual(log.epochs.map((epoch) => ({ ...epoch, phase: 'head' })));
    expect([model.history, model.head.trained]).toEqual([[log], true]);
    expect(JSON.parse(JSON.stringify(log))).toEqual(log);
    const { loss } = await evaluate(model, tinySamples(4, 2));
    expect(log.epochs[0]?.validationLoss).toBeCloseTo(loss, 6);
  });

  test('is the only part that changes, whatever is unfrozen', async () => {
    const model = await tinyTransfer();
    unfreeze(model);
    const before = weightValues(model);
    await trainHead(model, tinySamples());
    const after = weightValues(model);
    const moved = Object.keys(before).filter((name) => before[name]?.join() !== after[name]?.join());
    expect(moved).toEqual(['head_logits/kernel', 'head_logits/bias']);
  });

  test.each<Pooling>(['average', 'max', 'both', 'flatten'])('is solved after pooling %s', async (pooling) => {
    const model = await tinyTransfer({ pooling, dropout: 0.2 });
    const log = await trainHead(model, tinySamples());
    expect(log).toMatchObject({ stoppedBy: 'converged', epochs: [{ accuracy: 1 }] });
  });

  test('is the same without cached features', async () => {
    const [kept, streamed] = [await tinyTransfer(), await tinyTransfer()];
    await trainHead(kept, tinySamples(), { l2: 0.1 });
    await trainHead(streamed, tinySamples(), { l2: 0.1, cache: false });
    expect(weightValues(streamed)).toEqual(weightValues(kept));
  });

  test('is solved before fineTune', async () => {
    const model = await tinyTransfer();
    await fineTune(model, tinySamples(), { unfreeze: { lastStages: 1 }, epochs: 1 });
    expect(model.history.map(({ phase, method }) => [phase, method])).toEqual([
      ['head', 'lbfgs'],
      ['fineTune', 'gradient'],
    ]);
  });

  test('is solved for other tasks', async () => {
    const binary = await tinyTransfer({ task: 'binary', labels: ['plain', 'striped'] });
    const striped = await withTargets((label) => (label === 'plain' ? 'plain' : 'striped'));
    expect(await trainHead(binary, striped)).toMatchObject({ stoppedBy: 'converged', epochs: [{ accuracy: 1 }] });
    const tagged = await tinyTransfer({ task: 'multiLabel', labels: ['across', 'striped'] });
    const tags = await withTargets(
      (label) =>
        [['across', label === 'across'] as const, ['striped', label !== 'plain'] as const].flatMap(([tag, has]) =>
          has ? [tag] : [],
        ),
      ['across', 'striped'],
    );
    expect(await trainHead(tagged, tags)).toMatchObject({ stoppedBy: 'converged', epochs: [{ accuracy: 1 }] });
    const counting = await tinyTransfer({ task: 'regression', outputs: 1 });
    const numbers = await withTargets((label) => 10 * tinyLabels.indexOf(label));
    const { epochs, method } = await trainHead(counting, numbers);
    expect(method).toBe('ridge');
    expect(epochs[0]?.loss).toBeLessThan(5);
  });

  test('several heads are solved one by one', async () => {
    const { base } = await tinyTransfer();
    const model = replaceHead(base, {
      dropout: 0.2,
      heads: { kind: { labels: tinyLabels }, number: { task: 'regression', outputs: 1 } },
    });
    const samples = await withTargets((label) => ({ kind: label, number: 10 * tinyLabels.indexOf(label) }));
    const log = await expectNoLeak(() => trainHead(model, samples));
    expect([log.method, log.stoppedBy]).toEqual(['lbfgs', 'converged']);
    expect(Object.keys(log.solver?.l2 ?? {})).toEqual(['kind', 'number']);
    expect(log.epochs[0]?.heads).toMatchObject({ kind: { accuracy: 1 } });
    // As the first one alone.
    const alone = replaceHead(base, { labels: tinyLabels });
    await trainHead(alone, tinySamples());
    const [ours, its] = [model, alone].map(({ head }) => Array.from(head.trunk.weights[0]?.variable.dataSync() ?? []));
    ours?.forEach((value, i) => {
      expect(value).toBeCloseTo(its?.[i] ?? NaN, 3);
    });
  });
});

describe('when it is stopped, the weights are unchanged', () => {
  test.each([
    ['at once', () => true],
    ['while features are computed', (phase: string) => phase === 'features'],
    ['before a strength is judged', (phase: string) => phase === 'head'],
    ['between two strengths', (phase: string, done: number) => phase === 'head' && done === 2],
  ])('%s', async (_, isTime) => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    const abort = new AbortController();
    if (isTime('', 0)) abort.abort();
    const log = await expectNoLeak(() =>
      trainHead(model, tinySamples(), {
        batchSize: 4,
        signal: abort.signal,
        onProgress: ({ phase, done }) => {
          if (isTime(phase, done)) abort.abort();
        },
      }),
    );
    expect(log).toMatchObject({ stoppedBy: 'signal', epochs: [] });
    expect([weightValues(model), model.head.trained]).toEqual([before, false]);
  });

  test('by a timer: other tasks can run', async () => {
    const model = await tinyTransfer({ pooling: 'flatten' });
    const abort = new AbortController();
    const log = await trainHead(model, tinySamples(300), {
      signal: abort.signal,
      onProgress: ({ phase, done }) => {
        if (phase === 'head' && done === 0)
          setTimeout(() => {
            abort.abort();
          }, 1);
      },
    });
    expect(log.stoppedBy).toBe('signal');
  });

  test('by a callback that raises', async () => {
    const model = await tinyTransfer();
    const before = weightValues(model);
    const onProgress: TrainHeadOptions['onProgress'] = ({ phase, done }) => {
      if (phase === 'head' && done > 1) throw new Error('mine');
    };
    await expectNoLeak(() => expect(trainHead(model, tinySamples(), { onProgress })).rejects.toThrow('mine'));
    expect(weightValues(model)).toEqual(before);
  });
});

test('a loss that is not finite is an error, and the weights are unchanged', async () => {
  const model = await tinyTransfer({ task: 'regression' });
  const before = weightValues(model);
  const sizes: Readonly<Record<string, number>> = { across: 1e30, along: 1e37, plain: 3e38 };
  const samples = await withTargets((label) => sizes[label] ?? 0);
  await expectNoLeak(async () => {
    await expect(trainHead(model, samples)).rejects.toMatchObject({
      code: 'LOSS_NOT_FINITE',
      message: expect.stringMatching(
        /trainHead: expected a finite loss, got \w+\. The weights are those of before/,
      ) as string,
    });
  });
  expect([weightValues(model), model.head.trained, model.history]).toEqual([before, false, []]);
});

describe('a head is trained by gradient steps', () => {
  const options: Readonly<Record<string, TrainHeadOptions>> = {
    augment: { augment: 'light' },
    clip: { clip: { norm: 1 } },
    cutMix: { cutMix: 1 },
    earlyStopping: { earlyStopping: 1, validation: 0.25 },
    ema: { ema: true },
    epochs: { epochs: 1 },
    gradientAccumulationSteps: { gradientAccumulationSteps: 2 },
    initialEpoch: { initialEpoch: 1 },
    labelSmoothing: { labelSmoothing: 0.1 },
    learningRate: { learningRate: 2e-3 },
    loss: { loss: 'hinge' },
    maxSeconds: { maxSeconds: 60 },
    mixup: { mixup: 0.2 },
    monitor: { monitor: 'loss' },
    optimizer: { optimizer: 'sgd' },
    restoreBest: { restoreBest: false },
    schedule: { schedule: 'constant' },
  };

  test.each(Object.entries(options))('with %s, and refuses the solver', async (name, given) => {
    // Blending rectangles takes maps.
    const model = await tinyTransfer({ dropout: name === 'cutMix' ? 0.1 : 0 }, name === 'cutMix' ? 'pool' : 'relu2');
    const text = `expected solver 'lbfgs' for a linear head and without options of training by steps, got ${name} too`;
    await expect(trainHead(model, tinySamples(), { ...given, solver: 'lbfgs' })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(text) as string,
    });
    expect(model.history).toEqual([]);
    if (name === 'cutMix') return;
    const log = await trainHead(model, tinySamples(4), given);
    expect([log.solver, log.method, log.stoppedBy]).toEqual([undefined, 'gradient', 'epochs']);
    expect(log.reason).toMatch(new RegExp(`^${name}(: \\S+)? needs gradient steps$`));
  });

  test('with a value in its log', async () => {
    const log = await trainHead(await tinyTransfer(), tinySamples(4), { labelSmoothing: 0.1 });
    expect(log.reason).toBe('labelSmoothing: 0.1 needs gradient steps');
  });

  test('with another loss than that of its task', async () => {
    const { base } = await tinyTransfer();
    const heads = { kind: { labels: tinyLabels }, number: { task: 'regression' } } as const;
    const samples = await withTargets((label) => ({ kind: label, number: tinyLabels.indexOf(label) }));
    const methodBy = async (loss: NonNullable<TrainHeadOptions['loss']>) => {
      const log = await trainHead(replaceHead(base, { heads }), samples, { loss });
      return log.reason === undefined ? log.method : [log.method, log.reason];
    };
    expect(await methodBy({ kind: 'crossEntropy', number: 'meanSquaredError' })).toBe('lbfgs');
    expect(await methodBy({ number: 'huber' })).toEqual(['gradient', 'loss needs gradient steps']);
  });

  test("with solver 'gradient'", async () => {
    const log = await trainHead(await tinyTransfer(), tinySamples(), { solver: 'gradient' });
    expect([log.solver, log.method, log.epochs.length]).toEqual([undefined, 'gradient', 10]);
    expect(log.reason).toBe("solver: 'gradient'");
  });

  /** A head of one's own: logits of the tiny labels from [12]. */
  function ownHead(...parts: layers.Layer[]): LayersModel {
    const built = sequential();
    built.add(
      layers.globalAveragePooling2d({ inputShape: [4, 4, 12], name: 'own_pooling', dataFormat: 'channelsLast' }),
    );
    for (const part of parts) built.add(part);
    return built;
  }
  const dense = (config: Partial<Parameters<typeof layers.dense>[0]> = {}) =>
    layers.dense({ units: 3, name: 'own', ...config });

  test.each([
    ['has no bias', () => [dense({ useBias: false })], "'own' has no bias"],
    ['has an activation', () => [dense({ activation: 'relu' })], "'own' has an activation (relu)"],
    ['has a penalty', () => [dense({ kernelRegularizer: regularizers.l2() })], "'own' has a kernel regularizer"],
    ['has a constraint', () => [dense({ biasConstraint: constraints.nonNeg() })], "'own' has a bias constraint"],
    [
      'has layers in front',
      () => [layers.dense({ units: 5, name: 'first' }), dense()],
      "'first/kernel' is to be trained",
    ],
    ['normalises', () => [layers.batchNormalization({ name: 'norm' }), dense()], "'norm/gamma' is to be trained too"],
    ['does not end in it', () => [dense(), layers.reLU({ name: 'end' })], "ends in 'end' (ReLU), not in a dense layer"],
  ])('that %s', async (_, parts, text) => {
    const { base } = await tinyTransfer();
    const model = replaceHead(base, { labels: tinyLabels, model: ownHead(...parts()) });
    await expect(trainHead(model, tinySamples(), { solver: 'lbfgs' })).rejects.toThrow(text);
    const log = await trainHead(model, tinySamples(4));
    expect([log.method, log.reason]).toEqual(['gradient', undefined]);
  });

  test("a linear head of one's own, and one whose other layers are frozen, are solved for", async () => {
    const { base } = await tinyTransfer();
    const own = replaceHead(base, { labels: tinyLabels, model: ownHead(layers.dropout({ rate: 0.2 }), dense()) });
    expect(await trainHead(own, tinySamples())).toMatchObject({ stoppedBy: 'converged', epochs: [{ accuracy: 1 }] });
    const hidden = await tinyTransfer({ hidden: [8] });
    for (const weight of hidden.head.trunk.weights) weight.frozen = weight.layer !== 'head_logits';
    const before = weightValues(hidden)['head_dense_1/kernel'];
    expect((await trainHead(hidden, tinySamples())).method).toBe('lbfgs');
    expect(weightValues(hidden)['head_dense_1/kernel']).toEqual(before);
  });

  test('if a part of it is frozen', async () => {
    const model = await tinyTransfer();
    for (const weight of model.head.trunk.weights) weight.frozen = weight.kind === 'bias';
    await expect(trainHead(model, tinySamples(), { solver: 'lbfgs' })).rejects.toThrow("'head_logits/bias' is frozen");
    expect((await trainHead(model, tinySamples(4))).solver).toBeUndefined();
  });
});

test.each([true, false])('names an example whose features are not finite, with cache %s', async (cache) => {
  const { base } = await tinyTransfer({}, 'conv1');
  const model = replaceHead(base, { labels: tinyLabels });
  const before = weightValues(model);
  const inputs = Array.from({ length: 9 }, (_, i) => new Float32Array(768).fill(i === 4 ? 3e38 : i));
  const samples = fromArrays({
    inputs,
    targets: inputs.map((_, i) => tinyLabels[i % 3] ?? ''),
    ids: inputs.map((_, i) => `picture ${String(i)}`),
  });
  await expectNoLeak(() =>
    expect(trainHead(model, samples, { cache })).rejects.toMatchObject({
      code: 'NOT_FINITE',
      message: expect.stringContaining('picture 4') as string,
    }),
  );
  expect([weightValues(model), model.history]).toEqual([before, []]);
});

test.each([
  [{ solver: 'newton' as 'lbfgs' }, "expected solver to be 'lbfgs' or 'gradient', got 'newton'"],
  [{ l2: 0 }, 'expected l2 to be a finite number above 0, got 0'],
  [{ l2: 0.1, solver: 'gradient' as const }, "expected l2 with solver 'lbfgs' only"],
  [
    { l2: 0.1, epochs: 3 },
    "expected l2, which is for solver 'lbfgs', for a linear head and without options of training by steps, got epochs too",
  ],
])('refuses %j', async (options, text) => {
  const model = await tinyTransfer();
  await expectNoLeak(() =>
    expect(trainHead(model, tinySamples(), options)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(text) as string,
    }),
  );
});
