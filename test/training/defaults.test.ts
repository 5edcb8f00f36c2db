// An option that is given at its documented default changes nothing: not a bit of a weight.
import { beforeAll, describe, expect, test } from 'vitest';
import { fineTune, trainHead, type FineTuneOptions, type TrainHeadOptions } from '../../src/index.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinySamples, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

/** For each option its default; or why there is none that can be given. */
type Defaults<Options> = {
  readonly [Name in keyof Options]-?: { readonly value: Required<Options>[Name] } | { readonly none: string };
};

const none = (why: string) => ({ none: why });
const given = <const Value>(value: Value) => ({ value });

const shared = {
  augment: given('none'),
  batchNorm: given('inference'),
  batchSize: given(32),
  cache: given(true),
  checkpoint: none('nothing is written'),
  classWeights: given({}),
  clip: none('no limit'),
  cutMix: none('no rectangles'),
  earlyStopping: given(false),
  ema: given(false),
  gradientAccumulationSteps: given(1),
  initialEpoch: given(0),
  labelSmoothing: given(0),
  loss: given('crossEntropy'),
  lossWeights: given({}),
  maxSeconds: given(Infinity),
  mixup: none('no blending'),
  monitor: given('validationLoss'),
  onEpoch: given(() => undefined),
  onProgress: given(() => undefined),
  optimizer: given('adam'),
  restoreBest: given(true),
  resume: given(false),
  seed: given(0),
  signal: given(new AbortController().signal),
  validation: none('the samples of the test'),
  views: given('fresh'),
} as const;

const ofTrainHead: Defaults<TrainHeadOptions> = {
  ...shared,
  epochs: none('a number of epochs asks for gradient steps'),
  l2: none('chosen by validation'),
  learningRate: given(1e-3),
  schedule: given('cosine'),
  solver: given('lbfgs'),
};

const ofGradients: Defaults<TrainHeadOptions> = {
  ...ofTrainHead,
  epochs: given(10),
  l2: none('for solving alone'),
  solver: given('gradient'),
};

/** The rate of a run of fewer than 75 steps. */
const rate = 1e-3 * 0.05;
const ofFineTune: Defaults<FineTuneOptions> = {
  ...shared,
  augment: none('chosen together with views'),
  blend: given({ alpha: 0.5 }),
  effort: given('standard'),
  epochs: given(10),
  headEpochs: none('what trainHead does by itself'),
  layerDecay: given(1),
  learningRate: given({ head: rate / 10, base: [rate / 10, rate] }),
  restoreBest: given(false),
  schedule: given({ name: 'cosine', warmUp: { steps: 0.4, from: 0.01 } }),
  unfreeze: given({ lastStages: 2 }),
  views: none('chosen together with augment'),
};

type Rows = Readonly<Record<string, { readonly value: unknown } | { readonly none: string }>>;

/** The options that have a default, each by itself. */
function eachOf(defaults: Rows): [string, object][] {
  return Object.entries(defaults).flatMap(([name, row]) => ('value' in row ? [[name, { [name]: row.value }]] : []));
}

/** All of them together. */
function allOf(defaults: Rows): object {
  return Object.fromEntries(eachOf(defaults).flatMap(([, options]) => Object.entries(options)));
}

const samples = tinySamples();

describe('trainHead', () => {
  const after = async (options: TrainHeadOptions) => {
    const model = await tinyTransfer();
    const { method, reason, epochs } = await trainHead(model, samples, { validation: 0.25, ...options });
    return { weights: weightValues(model), method, reason, epochs: epochs.length };
  };

  test.each(eachOf(ofTrainHead))('with the solver: %s', async (_, options) => {
    const plain = await after({});
    expect(plain).toMatchObject({ method: 'lbfgs', reason: undefined, epochs: 1 });
    expect(await after(options)).toEqual(plain);
  });

  test('by gradients', async () => {
    const plain = await after({ solver: 'gradient' });
    expect(plain).toMatchObject({ method: 'gradient', epochs: 10 });
    expect(await after(allOf(ofGradients))).toEqual(plain);
  });
});

test('fineTune', async () => {
  const after = async (options: FineTuneOptions) => {
    const model = await tinyTransfer();
    await fineTune(model, samples, { validation: 0.25, ...options });
    return {
      weights: weightValues(model),
      history: model.history.map(({ method, epochs }) => [method, epochs.length]),
    };
  };
  const plain = await after({});
  expect(plain.history).toEqual([
    ['lbfgs', 1],
    ['gradient', 10],
  ]);
  expect(await after(allOf(ofFineTune))).toEqual(plain);
});
