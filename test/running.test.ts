// While a verb runs: nobody else changes its model, its callbacks are waited for, and its model may be disposed of.
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  calibrate,
  compare,
  evaluate,
  exportModel,
  findLearningRate,
  fineTune,
  freeze,
  fromArrays,
  isTransferKitError,
  knn,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  suggestCut,
  toGraphModel,
  trainHead,
  tuneThresholds,
  unfreeze,
  useBackend,
  type Base,
  type Samples,
  type TransferModel,
} from '../src/index.ts';
import { expectNoLeak } from './support/tensors.ts';
import { tinyGraph, tinyLayers } from './support/tinyGraph.ts';

const labels = ['a', 'b'];
const inputs = Array.from({ length: 16 }, (_, i) => [i % 2, (i * 7) % 5, 1, (i * 3) % 4].map((value) => value / 4));
const samples: Samples = fromArrays({ inputs, targets: inputs.map((_, i) => labels[i % 2] ?? '') });
const brief = { epochs: 2, batchSize: 8 } as const;

beforeAll(async () => {
  await useBackend('cpu');
});

async function newBase(): Promise<Base> {
  const drawn = { kernelInitializer: initializers.glorotUniform({ seed: 1 }) };
  const network = sequential({
    layers: [
      layers.dense({ ...drawn, units: 6, activation: 'relu', inputShape: [4], name: 'first' }),
      layers.dense({ ...drawn, units: 5, activation: 'relu', name: 'second' }),
      layers.dense({ units: 2, name: 'old' }),
    ],
  });
  const base = await loadBase(network);
  network.dispose();
  return base;
}

async function newModel(): Promise<TransferModel> {
  return replaceHead(await newBase(), { labels });
}

/** A binary model, whose thresholds and temperature can be found. */
async function newBinary(): Promise<TransferModel> {
  return replaceHead(await newBase(), { task: 'binary', labels });
}

function valuesOf({ base, head }: TransferModel): number[][] {
  return [...base.trunk.weights, ...head.trunk.weights].map(({ variable }) => Array.from(variable.dataSync()));
}

/** What a promise rejects with. */
async function reasonOf(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    () => {
      throw new Error('expected an error, got none');
    },
    (reason: unknown) => reason,
  );
}

function coded(code: string, text: string): object {
  return expect.objectContaining({ code, message: expect.stringContaining(text) as string }) as object;
}

type Verb = (model: TransferModel) => Promise<unknown>;

/** Verbs that change a model. */
const changing: Record<string, Verb> = {
  trainHead: (model) => trainHead(model, samples, brief),
  'trainHead by its solver': (model) => trainHead(model, samples),
  fineTune: (model) => fineTune(model, samples, brief),
  findLearningRate: (model) => findLearningRate(model, samples, { steps: 10, batchSize: 8 }),
  calibrate: (model) => calibrate(model, samples),
  tuneThresholds: (model) => tuneThresholds(model, samples),
  compare: (model) => compare({ model }, samples, { epochs: 1 }),
};

const kept = Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const } });
/** An IOHandler that keeps nothing. */
const nowhere: tf.io.IOHandler = { save: () => kept };

/** Verbs that read it. */
const reading: Record<string, Verb> = {
  predict: (model) => predict(model, inputs),
  evaluate: (model) => evaluate(model, samples),
  'evaluate with baselines': (model) => evaluate(model, samples, { baselines: samples }),
  save: (model) => save(model, nowhere),
};

describe('one verb at a time changes a model', () => {
  test.each(Object.entries(changing))('during fineTune %s is refused', async (name, verb) => {
    const model = await newBinary();
    const running = fineTune(model, samples, brief);
    expect(await reasonOf(verb(model))).toEqual(
      coded(
        'BUSY',
        `${name.split(' ')[0] ?? ''}: expected a model that no other verb is changing, got 'sequential`.slice(0, 70),
      ),
    );
    expect((await running).epochs).toHaveLength(2);
    await fineTune(model, samples, brief);
    model.dispose();
  });

  test.each(Object.entries(changing))('during %s fineTune, freeze and a new head are refused', async (_, verb) => {
    const model = await newBinary();
    const running = verb(model).catch(() => undefined);
    expect(await reasonOf(fineTune(model, samples))).toEqual(coded('BUSY', 'fineTune: '));
    expect(() => freeze(model)).toThrow('freeze: expected a model that no other verb is changing');
    expect(() => unfreeze(model)).toThrow(
      /unfreeze: .* while \w+ runs on it\. Wait for that to end, or stop it with its/,
    );
    expect(() => replaceHead(model.base, { labels })).toThrow(
      'replaceHead: expected a base that no other verb is chang',
    );
    await running;
    freeze(model);
    model.dispose();
  });

  test('refused calls change nothing, and reading verbs run', async () => {
    const alone = await newModel();
    await fineTune(alone, samples, brief);
    const model = await newModel();
    const running = fineTune(model, samples, brief);
    const refused = Object.values(changing).map((verb) => reasonOf(verb(model)));
    const beside = await Promise.all(Object.values(reading).map((verb) => verb(model)));
    expect(beside).toHaveLength(4);
    await Promise.all([running, ...refused]);
    expect(valuesOf(model)).toEqual(valuesOf(alone));
    alone.dispose();
    model.dispose();
  });

  test('an error or a signal ends the restriction', async () => {
    const model = await newModel();
    const stop = new AbortController();
    const stopping = fineTune(model, samples, { ...brief, signal: stop.signal });
    stop.abort();
    await stopping;
    await reasonOf(fineTune(model, samples, { epochs: -1 }));
    await reasonOf(trainHead(model, fromArrays({ inputs, targets: inputs.map(() => 'c') })));
    expect((await trainHead(model, samples)).epochs).toHaveLength(1);
    model.dispose();
  });

  test('a verb on a shared base blocks both models', async () => {
    const first = await newModel();
    const second = replaceHead(first.base, { labels });
    const running = trainHead(first, samples, brief);
    expect(await reasonOf(trainHead(second, samples))).toEqual(coded('BUSY', "got 'sequential"));
    expect(await predict(second, inputs)).toHaveLength(16);
    await running;
    await trainHead(second, samples);
    first.dispose();
    second.dispose();
  });
});

describe('callbacks', () => {
  const mine = new Error('mine');
  const ways = { throws: () => { throw mine; }, rejects: () => Promise.reject(mine) }; // prettier-ignore
  type Callback = () => unknown;
  const takers: Record<string, (model: TransferModel, callback: Callback) => Promise<unknown>> = {
    'trainHead onEpoch': (model, onEpoch) => trainHead(model, samples, { ...brief, onEpoch }),
    'trainHead onProgress': (model, onProgress) => trainHead(model, samples, { ...brief, onProgress }),
    'solver onEpoch': (model, onEpoch) => trainHead(model, samples, { onEpoch }),
    'solver onProgress': (model, onProgress) => trainHead(model, samples, { onProgress }),
    'fineTune onEpoch': (model, onEpoch) => fineTune(model, samples, { ...brief, onEpoch }),
    'fineTune onProgress': (model, onProgress) => fineTune(model, samples, { ...brief, cache: false, onProgress }),
    'fineTune augment': (model, apply) =>
      fineTune(model, samples, { ...brief, headEpochs: 0, augment: { apply: apply as () => Promise<tf.Tensor> } }),
    'fineTune schedule': (model, schedule) =>
      fineTune(model, samples, { ...brief, headEpochs: 0, schedule: schedule as () => number }),
    'evaluate onProgress': (model, onProgress) => evaluate(model, samples, { onProgress }),
    'baselines onProgress': (model, onProgress) => evaluate(model, samples, { baselines: samples, onProgress }),
    'calibrate onProgress': (model, onProgress) => calibrate(model, samples, { onProgress }),
    'tuneThresholds onProgress': (model, onProgress) => tuneThresholds(model, samples, { onProgress }),
    'findLearningRate onProgress': (model, onProgress) => findLearningRate(model, samples, { steps: 10, onProgress }),
    'compare onEpoch': (model, onEpoch) => compare({ model }, samples, { epochs: 1, onEpoch }),
    "compare a model's onEpoch": (model, onEpoch) => compare({ model: { model, options: { onEpoch } } }, samples, { epochs: 1 }),
    'suggestCut onProgress': ({ base }, onProgress) => suggestCut(base, samples, { folds: 2, onProgress }),
    'addAll onProgress': async ({ base }, onProgress) => {
      const classifier = await knn(base);
      await classifier.addAll(samples, { onProgress }).finally(() => {
        classifier.dispose();
      });
    },
  }; // prettier-ignore
  const cases = Object.entries(takers).flatMap(([name, take]) =>
    Object.entries(ways)
      .filter(([way]) => way === 'throws' || !name.includes('schedule'))
      .map(([way, callback]) => [name, way, take, callback] as const),
  );

  test.each(cases)('%s: a callback that %s rejects with the same error', async (_, __, take, callback) => {
    const model = await newBinary();
    await expectNoLeak(async () => {
      expect(await reasonOf(take(model, callback))).toBe(mine);
    });
    // It can be used and trained.
    expect(await predict(model, inputs[0])).toHaveLength(2);
    await trainHead(model, samples);
    model.dispose();
  });

  test.each(Object.entries(takers).filter(([name]) => /onEpoch|onProgress/.test(name)))(
    '%s is awaited',
    async (_, take) => {
      const model = await newBinary();
      let running = 0;
      let most = 0;
      const callback = async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 0));
        running--;
      };
      await take(model, callback).catch((error: unknown) => {
        if (!isTransferKitError(error)) throw error;
      });
      expect([running, most]).toEqual([0, 1]);
      model.dispose();
    },
  );

  test('the weights of the last whole epoch are kept', async () => {
    const whole = await newModel();
    await fineTune(whole, samples, { ...brief, epochs: 2, schedule: 'constant', headEpochs: 0 });
    const model = await newModel();
    const onEpoch = ({ epoch }: { epoch: number }) => (epoch === 1 ? Promise.reject(mine) : undefined);
    await reasonOf(fineTune(model, samples, { ...brief, epochs: 4, schedule: 'constant', headEpochs: 0, onEpoch }));
    expect(valuesOf(model)).toEqual(valuesOf(whole));
    expect(model.head.trained).toBe(true);
    whole.dispose();
    model.dispose();
  });

  test('may call verbs that read the model, not those that change it', async () => {
    const model = await newModel();
    const log = await fineTune(model, samples, {
      ...brief,
      onEpoch: async () => {
        await save(model, nowhere);
        await evaluate(model, samples);
      },
    });
    expect(log.epochs).toHaveLength(2);
    const training = fineTune(model, samples, { ...brief, onEpoch: () => trainHead(model, samples) });
    expect(await reasonOf(training)).toEqual(coded('BUSY', 'trainHead: '));
    model.dispose();
  });
});

describe('dispose()', () => {
  const verbs: Record<string, Verb> = {
    ...changing,
    ...reading,
    toGraphModel: (model) => toGraphModel(model),
    exportModel: (model) => exportModel(model, { write: () => undefined }, { format: 'keras' }),
    suggestCut: ({ base }) => suggestCut(base, samples, { folds: 2 }),
    knn: ({ base }) => knn(base),
  };
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  const later: Record<string, (model: TransferModel) => Promise<void>> = {
    'at once': () => Promise.resolve(),
    'a little later': async () => {
      for (let i = 0; i < 3; i++) await Promise.resolve();
    },
    'after a turn': async () => {
      await turn();
    },
  };
  const cases = Object.entries(verbs).flatMap(([name, verb]) =>
    Object.entries(later).map(([when, wait]) => [name, when, verb, wait] as const),
  );

  test.each(cases)('during %s, %s: DISPOSED or finished, and nothing leaks', async (name, when, verb, wait) => {
    await expectNoLeak(async () => {
      const model = await newBinary();
      const running = verb(model).then(
        (made) => ({ made }),
        (error: unknown) => ({ error }),
      );
      await wait(model);
      model.dispose();
      const ended = await running;
      if ('error' in ended) expect(ended.error).toMatchObject({ code: 'DISPOSED' });
      else {
        expect(when).not.toBe('at once');
        if (name === 'toGraphModel' || name === 'knn') (ended.made as { dispose(): void }).dispose();
      }
      expect(model.base.trunk.disposed && model.head.trunk.disposed).toBe(true);
    });
  });

  test.each(['onEpoch', 'onProgress'])('in %s', async (callback) => {
    for (const verb of [trainHead, fineTune]) {
      await expectNoLeak(async () => {
        const model = await newModel();
        const dispose = () => {
          model.dispose();
        };
        const running = verb(model, samples, { ...brief, [callback]: dispose });
        expect(await reasonOf(running)).toEqual(coded('DISPOSED', 'after its dispose()'));
      });
    }
  });

  test('while a GraphModel trains', async () => {
    await expectNoLeak(async () => {
      const model = replaceHead(await loadBase(tinyGraph()), { labels });
      const examples = fromArrays({ inputs: labels.map((_, i) => new Float32Array(192).fill(i)), targets: labels });
      const running = fineTune(model, examples, { epochs: 2, batchNorm: 'train' });
      await turn();
      model.dispose();
      expect(await reasonOf(running)).toMatchObject({ code: 'DISPOSED' });
    });
  });

  test('of the base alone', async () => {
    await expectNoLeak(async () => {
      const model = await newModel();
      const onEpoch = () => {
        model.base.dispose();
      };
      expect(await reasonOf(trainHead(model, samples, { ...brief, onEpoch }))).toEqual(
        coded('DISPOSED', "trainHead: expected a usable model, got 'sequential".slice(0, 50)),
      );
      model.dispose();
    });
  });

  test('of a classifier that stores examples', async () => {
    const base = await newBase();
    await expectNoLeak(async () => {
      for (const act of ['addAll', 'add', 'predict'] as const) {
        const classifier = await knn(base);
        await classifier.addAll(samples);
        const running = {
          add: () => classifier.add(inputs[0], 'a'),
          addAll: () => classifier.addAll(samples),
          predict: () => classifier.predict(inputs),
        }[act]();
        classifier.dispose();
        expect(await reasonOf(running)).toMatchObject({ code: 'DISPOSED' });
      }
    });
    base.dispose();
  });

  test('of a network in memory while loadBase reads it', async () => {
    await expectNoLeak(async () => {
      const network = sequential({ layers: [layers.dense({ units: 6, inputShape: [4] }), layers.dense({ units: 2 })] });
      const running = loadBase(network).then(
        (base) => {
          base.dispose();
        },
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'DISPOSED' });
        },
      );
      network.dispose();
      await running;
    });
  });
});

describe('heads that share a base', () => {
  test('are independent while it is frozen', async () => {
    await expectNoLeak(async () => {
      const base = await newBase();
      const first = replaceHead(base, { labels });
      const second = replaceHead(base, { labels, seed: 1 });
      await trainHead(first, samples);
      const before = await predict(first, inputs);
      await trainHead(second, samples, brief);
      await fineTune(second, samples, { ...brief, unfreeze: 'head' });
      expect(await predict(first, inputs)).toEqual(before);
      second.dispose();
      second.dispose();
      expect(await predict(first, inputs)).toEqual(before);
      expect(await reasonOf(predict(second, inputs))).toEqual(coded('DISPOSED', 'predict: expected a usable model'));
      first.dispose();
      expect(base.trunk.disposed).toBe(true);
    });
  });

  test('do not unfreeze it', async () => {
    const base = await newBase();
    const [first, second] = [replaceHead(base, { labels }), replaceHead(base, { labels })];
    const before = valuesOf(first);
    const text =
      /unfreeze: expected a base that belongs to one model for its weights to move, got 'sequential_\d+', which 2 /;
    for (const selection of ['base', 'all', 'second', { lastStages: 1 }] as const) {
      expect(() => unfreeze(second, selection)).toThrow(text);
      expect(await reasonOf(fineTune(second, samples, { ...brief, unfreeze: selection }))).toEqual(
        coded('BASE_SHARED', 'dispose of the other models (the base stays until the last)'),
      );
    }
    expect(await reasonOf(fineTune(first, samples, brief))).toEqual(coded('BASE_SHARED', 'Train the head alone'));
    expect(await reasonOf(findLearningRate(first, samples, { unfreeze: 'all', steps: 10 }))).toEqual(
      coded('BASE_SHARED', ''),
    );
    const steps = [
      { epoch: 0, layers: 'head' as const },
      { epoch: 1, lastStages: 1 },
    ];
    expect(await reasonOf(fineTune(first, samples, { ...brief, unfreeze: steps }))).toEqual(coded('BASE_SHARED', ''));
    expect(valuesOf(first)).toEqual(before);
    expect(base.trunk.weights.every(({ frozen }) => frozen)).toBe(true);
    unfreeze(second, 'head');
    // Not by their flags either.
    for (const weight of base.trunk.weights) weight.frozen = false;
    expect(await reasonOf(fineTune(second, samples, { ...brief, headEpochs: 0, batchNorm: 'train' }))).toEqual(
      coded('BASE_SHARED', 'fineTune: expected a base that belongs to one model'),
    );
    first.dispose();
    unfreeze(second, 'base');
    await fineTune(second, samples, brief);
    expect(second.base.trunk.disposed).toBe(false);
    second.dispose();
    expect(base.trunk.disposed).toBe(true);
  });

  test('need a frozen base', async () => {
    const first = await newModel();
    unfreeze(first, 'second');
    expect(() => replaceHead(first.base, { labels })).toThrow(
      /replaceHead: expected a base that is frozen, as another model has it too, got 'sequential_\d+' with unfrozen layers\. /,
    );
    expect(first.base.trunk.weights.filter(({ frozen }) => !frozen)).toHaveLength(2);
    freeze(first);
    const second = replaceHead(first.base, { labels });
    first.dispose();
    await fineTune(second, samples, brief);
    second.dispose();
  });

  test('are all disposed with the base', async () => {
    await expectNoLeak(async () => {
      const base = await newBase();
      const models = [replaceHead(base, { labels }), replaceHead(base, { labels })];
      base.dispose();
      for (const model of models) {
        expect(await reasonOf(predict(model, inputs))).toMatchObject({ code: 'DISPOSED' });
        model.dispose();
      }
    });
  });

  test('a custom head belongs to one model', async () => {
    const base = await newBase();
    const own = () => sequential({ layers: [layers.dense({ units: 2, inputShape: [5] })] });
    const head = own();
    const first = replaceHead(base, { labels, model: head });
    expect(() => replaceHead(base, { labels, model: head })).toThrow(
      /replaceHead: expected a head that is not in use, got '.*', which is the head of another model\. Build it again\./,
    );
    first.dispose();
  });
});

describe('an open scope of the engine', () => {
  /** What ends with the scope is gone; what a verb made is not. */
  async function inScope<T>(make: () => T | Promise<T>): Promise<T> {
    tf.engine().startScope();
    try {
      return await make();
    } finally {
      tf.engine().endScope();
    }
  }

  test.each(['layers', 'graph'])(
    'frees no tensor of a base of %s, its model and objects made from them',
    async (format) => {
      const shape = [8, 8, 3];
      const zeros = new Float32Array(8 * 8 * 3);
      const examples = fromArrays({ inputs: labels.map((_, i) => zeros.map(() => i)), targets: labels });
      await expectNoLeak(async () => {
        const network = tinyLayers();
        const source = format === 'graph' ? tinyGraph() : network;
        const base = await inScope(() => loadBase(source));
        network.dispose();
        const model = await inScope(() => replaceHead(base, { labels }));
        await inScope(() => fineTune(model, examples, { epochs: 1, batchNorm: 'train' }));
        const classifier = await inScope(async () => {
          const made = await knn(base);
          await made.addAll(examples);
          return made;
        });
        const graphModel = await inScope(() => toGraphModel(model));
        await inScope(() => evaluate(model, examples, { baselines: examples }));
        let saved: tf.io.ModelArtifacts = {};
        await inScope(() =>
          save(model, {
            save: (artifacts) => {
              saved = artifacts;
              return kept;
            },
          }),
        );
        const again = await inScope(() => load({ load: () => Promise.resolve(saved) }));
        expect(await predict(again, zeros)).toEqual(await predict(model, zeros));
        expect(await classifier.predict(zeros)).toHaveLength(2);
        const probabilities = graphModel.predict(tf.zeros([1, ...shape])) as tf.Tensor;
        expect(probabilities.shape).toEqual([1, 2]);
        probabilities.dispose();
        await fineTune(again, examples, { epochs: 1 });
        for (const each of [classifier, graphModel, again, model]) each.dispose();
      }, 1);
    },
  );
});
