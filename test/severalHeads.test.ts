// A record of heads on one base: trained together as Keras trains them (golden/severalHeads.py), measured and predicted
// by name.
import * as tf from '@tensorflow/tfjs-core';
import { layers, model as layersModel, sequential, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  fineTune,
  freeze,
  fromArrays,
  isTransferKitError,
  loadBase,
  predict,
  replaceHead,
  trainHead,
  unfreeze,
  type AnyModel,
  type Base,
  type NamedHead,
  type Samples,
  type SeveralHeadsOptions,
  type TaskName,
  type TasksOf,
  type TransferModel,
} from '../src/index.ts';
import { sgd } from '../src/optimizers.ts';
import { randomGenerator } from '../src/core/random.ts';
import { sizeOf } from '../src/core/shapes.ts';
import golden from './golden/severalHeads.json' with { type: 'json' };
import { expectNoLeak } from './support/tensors.ts';
import { useTestBackend } from './support/testBackend.ts';
import { tinyModel } from './support/tinyModel.ts';
import { tinyLabels, tinyPicture } from './support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

const heads = {
  kind: { labels: tinyLabels },
  striped: { task: 'binary', labels: ['no', 'yes'] },
  tags: { task: 'multiLabel', labels: ['light', 'lines'] },
  light: { task: 'regression', outputs: ['mean'] },
} as const;

async function tinyBase(): Promise<Base> {
  const source = tinyModel();
  const base = await loadBase(source, { cut: 'relu2' });
  source.dispose();
  return base;
}

async function tinySeveral<Heads extends Readonly<Record<string, NamedHead>>>(
  options: SeveralHeadsOptions<Heads>,
): Promise<TransferModel<TasksOf<Heads>>> {
  return replaceHead(await tinyBase(), options);
}

interface Examples {
  readonly inputs: readonly Float32Array[];
  readonly targets: readonly { kind: string; striped: string; tags: string[]; light: number }[];
}

/** Pictures, and all that there is to say about each. */
function examples(each = 8, seed = 1): Examples {
  const random = randomGenerator(seed);
  const kinds = Array.from({ length: each * 3 }, (_, i) => tinyLabels[i % 3] ?? '');
  const inputs = kinds.map((kind) => {
    const lighter = random() < 0.5 ? 0.4 : 0;
    return tinyPicture(kind, random).map((value) => value + lighter);
  });
  const targets = inputs.map((picture, i) => {
    const light = picture.reduce((sum, value) => sum + value, 0) / picture.length;
    const striped = kinds[i] === 'plain' ? 'no' : 'yes';
    return {
      kind: kinds[i] ?? '',
      striped,
      tags: [...(light > 0 ? ['light'] : []), ...(striped === 'yes' ? ['lines'] : [])],
      light,
    };
  });
  return { inputs, targets };
}

type Name = keyof typeof heads;
const names = Object.keys(heads) as Name[];

/** Samples for a record of some heads. */
function records({ inputs, targets }: Examples, ...of: Name[]): Samples {
  const chosen = of.length === 0 ? names : of;
  return fromArrays({
    inputs,
    targets: targets.map((target) => Object.fromEntries(chosen.map((name) => [name, target[name]]))),
  });
}

/** Samples for one head alone. */
function only({ inputs, targets }: Examples, name: Name): Samples {
  return fromArrays({ inputs, targets: targets.map((target) => target[name]) });
}

function values({ base, head }: AnyModel): number[][] {
  return [...base.trunk.weights, ...head.trunk.weights].map(({ variable }) => Array.from(variable.dataSync()));
}

/** Gives a head the weights of another's layers of its name, and the base that of the other. */
function copyInto(single: AnyModel, name: string, several: AnyModel): void {
  const own = new Map(several.head.trunk.weights.map((weight) => [weight.name, weight]));
  for (const weight of single.head.trunk.weights) {
    const source = own.get(weight.name.replace('head_logits', `head_${name}_logits`)) ?? own.get(weight.name);
    if (source !== undefined) weight.write(source.variable);
  }
}

describe('a record of one head', () => {
  test.each(names)('%s is the same head alone, bit for bit', async (name) => {
    const head: NamedHead = heads[name];
    const shared = { hidden: [5], dropout: 0.3, seed: 4 };
    const alone: AnyModel = replaceHead(await tinyBase(), { ...head, ...shared });
    const named: AnyModel = await tinySeveral({ heads: { [name]: head }, ...shared });
    expect(values(named)).toEqual(values(alone));
    const [shown, held] = [examples(4), examples(2, 9)];
    const options = { epochs: 2, batchSize: 5 };
    const log = await fineTune(alone, only(shown, name), { ...options, validation: only(held, name) });
    const namedLog = await fineTune(named, records(shown, name), { ...options, validation: records(held, name) });
    expect(values(named)).toEqual(values(alone));
    const figures = ({ epochs }: typeof log) => epochs.map(({ seconds: _, heads: __, ...rest }) => rest);
    expect(figures(namedLog)).toEqual(figures(log));
    const { loss, validationLoss } = log.epochs[1]!;
    expect(namedLog.epochs[1]?.heads?.[name]?.validationLoss).toBe(validationLoss);
    expect(namedLog.epochs[1]?.heads?.[name]?.loss).toBeCloseTo(loss, 6);
    const input = tinyPicture('along', randomGenerator(5));
    expect(await predict(named, input)).toEqual({ [name]: await predict(alone, input) });
  });
});

describe('several heads', () => {
  test('have the sum of the losses of single heads, and their figures', async () => {
    const model = await tinySeveral({ heads });
    const shown = examples();
    const lossWeights = { kind: 0.5, light: 3 };
    const { heads: parts, loss, examples: count } = await evaluate(model, records(shown), { lossWeights });
    expect(count).toBe(24);
    expect(loss).toBeCloseTo(0.5 * parts.kind.loss + parts.striped.loss + parts.tags.loss + 3 * parts.light.loss, 6);
    for (const name of names) {
      const alone = replaceHead<TaskName>(await tinyBase(), heads[name]);
      copyInto(alone, name, model);
      // Warnings are those of the whole.
      const { warnings: _, ...figures } = await evaluate(alone, only(shown, name));
      expect(parts[name]).toEqual(figures);
    }
  });

  test('give gradients to the base that are the weighted sum of those of each alone', async () => {
    const lossWeights = { kind: 2, striped: 0.25, tags: 1, light: 0 };
    const step = {
      validation: false,
      epochs: 1,
      batchSize: 24,
      headEpochs: 0,
      learningRate: 0.1,
      unfreeze: 'base',
      optimizer: sgd(),
    } as const;
    const shown = examples();
    const model = await tinySeveral({ heads, dropout: 0 });
    const alone = await Promise.all(
      names.map(async (name) => {
        const single = replaceHead<TaskName>(await tinyBase(), { ...heads[name], dropout: 0 });
        copyInto(single, name, model);
        return { name, single };
      }),
    );
    const moved = async (each: AnyModel, own: Samples, options = {}) => {
      const before = each.base.trunk.weights.map(({ variable }) => variable.dataSync().slice());
      await fineTune(each, own, { ...step, ...options });
      return each.base.trunk.weights.map(({ variable }, i) =>
        Array.from(variable.dataSync(), (value, k) => value - (before[i]?.[k] ?? 0)),
      );
    };
    const together = await moved(model, records(shown), { lossWeights });
    const sums = together.map((weight) => weight.map(() => 0));
    for (const { name, single } of alone) {
      const own = await moved(single, only(shown, name));
      const factor = lossWeights[name];
      own.forEach((weight, i) => {
        weight.forEach((change, k) => {
          sums[i]![k]! += factor * change;
        });
      });
    }
    expect(Math.max(...together.flat().map(Math.abs))).toBeGreaterThan(1e-3);
    together.flat().forEach((change, i) => {
      expect(change).toBeCloseTo(sums.flat()[i] ?? NaN, 5);
    });
  });

  test('train as Keras trains them with a record of losses and their weights', async () => {
    const formula = (size: number, scale: number, phase: number) =>
      Float32Array.from({ length: size }, (_, i) => scale * Math.sin(phase + i * 1.7));
    const source = sequential({ layers: [layers.activation({ activation: 'linear', inputShape: [4], name: 'same' })] });
    const model = replaceHead(await loadBase(source, { cut: 'same' }), {
      heads: {
        kind: { labels: ['a', 'b', 'c'] },
        age: { task: 'regression' },
        tags: { task: 'multiLabel', labels: ['x', 'y'] },
      },
      hidden: [5],
      dropout: 0,
    });
    const layerNames = ['head_dense_1', 'head_kind_logits', 'head_age_logits', 'head_tags_logits'];
    for (const weight of model.head.trunk.weights) {
      const { layer, kind, shape } = weight;
      const values = formula(sizeOf(shape), kind === 'bias' ? 0.1 : 0.6, layerNames.indexOf(layer));
      tf.tidy(() => {
        weight.write(tf.tensor(values, [...shape]));
      });
    }
    const rows = Array.from({ length: 12 }, (_, i) => i);
    const inputs = rows.map((i) => Array.from(formula(48, 1, 0.3).slice(4 * i, 4 * i + 4)));
    const targets = rows.map((i) => ({
      kind: ['a', 'b', 'c'][i % 3] ?? '',
      age: i / 4 - 1,
      tags: [...(i % 2 === 1 ? ['x'] : []), ...(i % 4 === 0 ? ['y'] : [])],
    }));
    const log = await trainHead(model, fromArrays({ inputs, targets }), {
      epochs: 6,
      batchSize: 12,
      optimizer: sgd(),
      learningRate: 0.05,
      schedule: 'constant',
      lossWeights: { kind: 0.5, age: 2 },
    });
    log.epochs.forEach(({ loss, heads: each }, epoch) => {
      expect(loss).toBeCloseTo(golden.loss[epoch] ?? NaN, 5);
      for (const [name, losses] of Object.entries(golden.heads)) {
        expect(each?.[name]?.loss).toBeCloseTo(losses[epoch] ?? NaN, 5);
      }
    });
    const expected = Object.values(golden.weights);
    expect(expected).toHaveLength(model.head.trunk.weights.length);
    model.head.trunk.weights.forEach(({ variable }, i) => {
      variable.dataSync().forEach((value, k) => {
        expect(value).toBeCloseTo(expected[i]?.[k] ?? NaN, 5);
      });
    });
  });

  test('reach the known optimum of each head', async () => {
    const random = randomGenerator(3);
    const inputs = Array.from({ length: 60 }, () => [2 * random() - 1, 2 * random() - 1]);
    const targets = inputs.map(([a = 0, b = 0]) => ({
      side: a + b > 0 ? 'right' : 'left',
      sum: [2 * a - b + 0.5, a * 3],
      signs: [...(a > 0 ? ['a'] : []), ...(b > 0 ? ['b'] : [])],
    }));
    const source = sequential({ layers: [layers.activation({ activation: 'linear', inputShape: [2], name: 'same' })] });
    const model = replaceHead(await loadBase(source, { cut: 'same' }), {
      heads: {
        side: { labels: ['left', 'right'] },
        sum: { task: 'regression', outputs: ['first', 'second'] },
        signs: { task: 'multiLabel', labels: ['a', 'b'] },
      },
      dropout: 0,
    });
    const samples = fromArrays({ inputs, targets });
    const log = await trainHead(model, samples, { epochs: 60, batchSize: 20, learningRate: 0.1 });
    const { side, sum, signs } = (await evaluate(model, samples)).heads;
    expect(side.accuracy).toBeGreaterThan(0.95);
    expect(signs.accuracy).toBeGreaterThan(0.95);
    expect(sum.perOutput.map(({ output }) => output)).toEqual(['first', 'second']);
    expect(sum.meanSquaredError).toBeLessThan(1e-4);
    // The mean of the heads that decide.
    expect(log.epochs.at(-1)?.accuracy).toBeCloseTo((side.accuracy + signs.accuracy) / 2, 1);
    const kernel = model.head.trunk.weights.find(({ name }) => name === 'head_sum_logits/kernel');
    const expected = [2, 3, -1, 0];
    kernel?.variable.dataSync().forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? NaN, 1);
    });
  });

  test('have figures of their own in the log', async () => {
    const model = await tinySeveral({ heads });
    const lossWeights = { kind: 0.5, light: 3 };
    const validation = records(examples(4, 9));
    const { epochs } = await trainHead(model, records(examples()), {
      epochs: 3,
      batchSize: 7,
      lossWeights,
      validation,
    });
    for (const { loss, validationLoss, heads: each } of epochs) {
      const sum = (figure: 'loss' | 'validationLoss') =>
        names.reduce((total, name) => {
          const weight = { striped: 1, tags: 1, ...lossWeights }[name];
          return total + weight * (each?.[name]?.[figure] ?? NaN);
        }, 0);
      expect(loss).toBeCloseTo(sum('loss'), 5);
      expect(validationLoss).toBeCloseTo(sum('validationLoss'), 5);
    }
    const { heads: last, accuracy } = epochs.at(-1)!;
    const deciding = ['kind', 'striped', 'tags'].map((name) => last?.[name]?.accuracy ?? NaN);
    expect(accuracy).toBeCloseTo(deciding.reduce((a, b) => a + b) / 3, 6);
    expect(last?.light).not.toHaveProperty('accuracy');
    const measured = (await evaluate(model, validation)).heads;
    expect(last?.kind?.validationAccuracy).toBe(measured.kind.accuracy);
    expect(last?.light?.validationLoss).toBe(measured.light.loss);
  });

  test('may have hidden layers of their own and shared ones; layers are frozen by name', async () => {
    const model = await tinySeveral({
      heads: { kind: { labels: tinyLabels, hidden: [4] }, light: { task: 'regression' } },
      hidden: [6],
    });
    const own = [...new Set(model.head.trunk.weights.map(({ layer }) => layer))];
    expect(own).toEqual(['head_dense_1', 'head_kind_dense_1', 'head_kind_logits', 'head_light_logits']);
    const ofKind = 'head_kind_';
    freeze(model, /^head_kind_/);
    const before = new Map(model.head.trunk.weights.map(({ name, variable }) => [name, variable.dataSync().slice()]));
    await trainHead(model, records(examples(), 'kind', 'light'), { epochs: 1 });
    for (const { name, variable } of model.head.trunk.weights) {
      const stayed = variable.dataSync().every((value, i) => value === before.get(name)?.[i]);
      expect([name, stayed]).toEqual([name, name.startsWith(ofKind)]);
    }
    expect(unfreeze(model, 'head').trainableParameters).toBe(12 * 6 + 6 + 6 * 4 + 4 + 4 * 3 + 3 + 6 + 1);
  });

  test('may be a custom model with outputs named as the heads', async () => {
    const base = await tinyBase();
    const shape = base.trunk.output.shape.slice(1) as number[];
    const own = (): ReturnType<typeof layersModel> => {
      const x = layers.input({ shape });
      const flat = layers.globalAveragePooling2d({}).apply(x) as SymbolicTensor;
      const outputs = ['light', 'kind'].map((name, i) => layers.dense({ units: 1 + 2 * i, name }).apply(flat));
      return layersModel({ inputs: x, outputs: outputs as SymbolicTensor[] });
    };
    const asked = { kind: { labels: tinyLabels }, light: { task: 'regression' } } as const;
    expect(() => replaceHead(base, { heads: { ...asked, other: { task: 'regression' } }, model: own() })).toThrow(
      /outputs of layers named kind, light, other, got light, kind/,
    );
    const model = replaceHead(base, { heads: asked, model: own() });
    await trainHead(model, records(examples(), 'kind', 'light'), { epochs: 1 });
    const [{ kind: kinds, light: lights } = {}] = await predict(model, [tinyPicture('plain', randomGenerator(2))]);
    expect(kinds?.map(({ label }) => label).sort()).toEqual([...tinyLabels].sort());
    expect(lights?.map(({ output }) => output)).toEqual(['output']);
  });

  test('leak no tensor', async () => {
    const samples = records(examples(4));
    await expectNoLeak(async () => {
      const model = await tinySeveral({ heads, hidden: [4] });
      await fineTune(model, samples, { epochs: 1, validation: 0.25, batchSize: 7, labelSmoothing: 0.1 });
      await evaluate(model, samples);
      await predict(model, tinyPicture('along', randomGenerator(5)));
      model.dispose();
    });
  });
});

describe('types', () => {
  test('tasks, labels, predictions and figures are those of each head by its name', async () => {
    const model = await tinySeveral({ heads });
    const typed: TransferModel<{ kind: 'classes'; striped: 'binary'; tags: 'multiLabel'; light: 'regression' }> = model;
    expect(typed.head.task).toEqual({ kind: 'classes', striped: 'binary', tags: 'multiLabel', light: 'regression' });
    expect(model.labels).toEqual({
      kind: tinyLabels,
      striped: ['no', 'yes'],
      tags: ['light', 'lines'],
      light: ['mean'],
    });
    const input = tinyPicture('plain', randomGenerator(1));
    const { kind, light } = await predict(model, input, { topK: 1 });
    expect(kind.map(({ probability }) => probability > 0)).toEqual([true]);
    expect(light.map(({ output, value }) => [output, Number.isFinite(value)])).toEqual([['mean', true]]);
    const [first] = await predict(model, [input]);
    expect(first).toEqual(await predict(model, input));
    // @ts-expect-error -- no head has this name.
    expect(model.labels.other).toBeUndefined();
    // @ts-expect-error -- a regression has values, no probabilities.
    expect(light[0]?.probability).toBeUndefined();
    const { heads: figures } = await evaluate(model, records(examples(2)));
    expect(figures.light.meanSquaredError).toBeGreaterThan(0);
    // @ts-expect-error -- a regression has no accuracy.
    expect(figures.light.accuracy).toBeUndefined();
    // @ts-expect-error -- a model with several heads is no model of a single task.
    const single: TransferModel = model;
    expect(single.base.cut).toBe('relu2');
  });
});

describe('samples', () => {
  test('have the labels of each head, and are split by the first head with one label for each example', () => {
    const targets = Array.from({ length: 20 }, (_, i) => ({ age: i, kind: i % 4 === 0 ? 'rare' : 'usual', tags: [] }));
    const tagged = targets.map((target, i) => (i === 3 ? { ...target, tags: ['a'] } : target));
    const samples = fromArrays({ inputs: targets.map((_, i) => [i]), targets: tagged });
    expect([samples.labels, samples.classCounts]).toEqual([[], {}]);
    expect(samples.heads).toEqual({
      age: { labels: [], classCounts: {} },
      kind: { labels: ['rare', 'usual'], classCounts: { rare: 5, usual: 15 } },
      tags: { labels: ['a'], classCounts: { a: 1 } },
    });
    const { train, validation } = samples.split({ validation: 0.2, seed: 3 });
    expect(validation.heads?.kind?.classCounts).toEqual({ rare: 1, usual: 3 });
    expect(train.heads?.kind?.classCounts).toEqual({ rare: 4, usual: 12 });
    expect(train.heads?.tags?.labels).toEqual(['a']);
  });

  test('may name labels by head', () => {
    const given = { kind: ['dog', 'cat', 'cow'] };
    const samples = fromArrays({ inputs: [[1], [2]], targets: [{ kind: 'cat' }, { kind: 'dog' }], labels: given });
    expect(samples.heads?.kind).toEqual({ labels: given.kind, classCounts: { dog: 1, cat: 1, cow: 0 } });
  });

  test.each<[string, readonly unknown[], object, RegExp]>([
    ['an empty record', [{}], {}, /a target for each of one or more heads in example 0, got \{\}/],
    ['a head missing', [{ a: 'x', b: 1 }, { a: 'y' }], {}, /a target of head 'b' in example 1, got \{"a":"y"\}/],
    ['a head too many', [{ a: 'x' }, { a: 'y', b: 1 }], {}, /targets of the heads a alone in example 1/],
    ['null', [{ a: 'x' }, { a: null }], {}, /head 'a': expected the target of example 1 to be a label/],
    ['two kinds', [{ a: 'x' }, { a: 2 }], {}, /head 'a': expected the target of example 1 to be a label, as example 0/],
    ['no record', [{ a: 'x' }, 'y'], {}, /targets of the heads a in example 1, got y/],
    ['a record too many', ['y', { a: 'x' }], {}, /a target of the kind that the first example has in example 1/],
    [
      'a list of labels',
      [{ a: 'x' }],
      { labels: ['x'] },
      /labels by head, such as \{ a: \['a', 'b'\] \}, of a, got \["x"\]/,
    ],
    ['labels of another head', [{ a: 'x' }], { labels: { b: ['x'] } }, /labels by head/],
    ['labels by head', ['x'], { labels: { a: ['x'] } }, /a list of labels, got \{"a":\["x"\]\}/],
  ])('refuse %s', (_, targets, options, text) => {
    const given = targets as Parameters<typeof fromArrays>[0]['targets'];
    return expectError(() => fromArrays({ inputs: targets.map((__, i) => i), targets: given, ...options }), text);
  });
});

describe('what is refused', () => {
  const asked = { kind: { labels: tinyLabels }, light: { task: 'regression' } } as const;

  test.each<[string, object, RegExp]>([
    ['no heads', { heads: {} }, /heads to be a record of one or more, such as .* got \{\}/],
    ['heads that are no record', { heads: ['kind'] }, /heads to be a record/],
    ['a head that is no object', { heads: { kind: 'classes' } }, /an object for head 'kind', got "classes"/],
    [
      'a member of every object',
      { heads: { constructor: asked.kind } },
      /named otherwise than members .* got "constructor"/,
    ],
    ['a name of a layer of the base', { heads: { conv1: asked.kind } }, /named as no layer of the base.* got "conv1"/],
    [
      'a name that cannot be one',
      { heads: { 'a/b': asked.kind } },
      /names of letters, digits, _, - and \., got "a\/b"/,
    ],
    ['a head without labels', { heads: { kind: {} } }, /labels, such as .* of head 'kind', got nothing/],
    [
      'a task beside heads',
      { heads: asked, task: 'binary' },
      /task, labels and outputs inside each of heads, got "task"/,
    ],
    [
      'hidden layers that are none',
      { heads: { kind: { ...asked.kind, hidden: [0] } } },
      /hidden of head 'kind' to list/,
    ],
  ])('by replaceHead: %s', async (_, options, text) => {
    const base = await tinyBase();
    await expectError(() => replaceHead(base, options as unknown as SeveralHeadsOptions<typeof asked>), text);
    expect(base.trunk.disposed).toBe(false);
  });

  const good = [
    { kind: 'across', light: 1 },
    { kind: 'along', light: 2 },
    { kind: 'plain', light: 3 },
  ];
  test.each<[string, readonly unknown[], object, RegExp]>([
    [
      'targets of one head',
      ['across', 'along', 'plain'],
      {},
      /a record of targets for the heads kind, light for example 0, got "across"/,
    ],
    [
      'a head missing',
      good.map(({ kind }) => ({ kind })),
      {},
      /a target of head 'light' for example 0, got \{"kind":"across"\}/,
    ],
    [
      'another head',
      good.map((each) => ({ ...each, lights: 1 })),
      {},
      /got one of 'lights'\. Nearest: 'light', 'kind'/,
    ],
    [
      'the wrong kind',
      good.map((each) => ({ ...each, kind: 1.5 })),
      {},
      /head 'kind': expected .* as target of example 0, got 1.5/,
    ],
    [
      'a label without examples',
      good.map((each) => ({ ...each, kind: 'along' })),
      {},
      /head 'kind': expected examples of every label/,
    ],
    [
      'an unknown label',
      good.map((each, i) => (i > 0 ? each : { ...each, kind: 'odd' })),
      {},
      /head 'kind': expected the labels of the head/,
    ],
    ['class weights', good, { classWeights: 'balanced' }, /no classWeights for several heads/],
    [
      'a weight of no head',
      good,
      { lossWeights: { lights: 1 } },
      /names of the model's heads \(kind, light\), got 'lights'; the nearest is 'light'/,
    ],
    [
      'a weight below 0',
      good,
      { lossWeights: { light: -1 } },
      /the loss weight of head 'light' to be a finite number from 0, got -1/,
    ],
    [
      'a loss of another task',
      good,
      { loss: { light: 'hinge' } },
      /head 'light': expected a loss for task 'regression', got 'hinge'/,
    ],
  ])('by trainHead: %s', async (_, targets, options, text) => {
    const model = await tinySeveral({ heads: asked });
    const before = values(model);
    const inputs = targets.map((__, i) => tinyPicture('plain', randomGenerator(i)));
    const samples = fromArrays({ inputs, targets: targets as Parameters<typeof fromArrays>[0]['targets'] });
    await expectNoLeak(() => expectError(() => trainHead(model, samples, { epochs: 1, ...options }), text));
    expect(values(model)).toEqual(before);
    expect(model.history).toEqual([]);
  });

  test('custom samples without the labels of each head', async () => {
    const model = await tinySeveral({ heads: asked });
    const { heads: _, ...samples } = records(examples(2), 'kind', 'light');
    await expectError(() => evaluate(model, samples), /expected samples that list the labels of head 'kind' under/);
  });

  test('records for a model with one head, and head names without heads', async () => {
    const alone = replaceHead(await tinyBase(), { labels: tinyLabels });
    const shown = examples(2);
    await expectError(
      () => trainHead(alone, records(shown, 'kind', 'light')),
      /expected labels as target of the first/,
    );
    await expectError(
      () => trainHead(alone, only(shown, 'kind'), { lossWeights: { kind: 2 } }),
      /names of a model with a record of heads, got 'kind'/,
    );
    await expectError(() => trainHead(alone, only(shown, 'kind'), { loss: { kind: 'focal' } }), /loss to be a name or/);
  });
});

/** Asserts that something raises or rejects with an error of ours. */
async function expectError(run: () => unknown, text: RegExp): Promise<void> {
  const error: unknown = await Promise.resolve()
    .then(run)
    .then(
      () => undefined,
      (raised: unknown) => raised,
    );
  expect(isTransferKitError(error), String(error)).toBe(true);
  expect(String(error)).toMatch(text);
}

describe('factors of losses in the training of the head before fineTune', () => {
  test.each([{ hidden: [5] }, {}])('are those of fineTune: a head of factor 0 stays (%j)', async (more) => {
    const heads = { kind: { labels: tinyLabels }, light: { task: 'regression' } } as const;
    const model = await tinySeveral({ heads, ...more });
    const kernels = () => model.head.trunk.weights.filter(({ name }) => name.includes('logits'));
    const values = () => kernels().map(({ name, variable }) => [name, ...variable.dataSync()]);
    const before = values();
    const options = { lossWeights: { kind: 0 }, epochs: 1, learningRate: 1e-9 };
    await fineTune(model, records(examples(4), 'kind', 'light'), options);
    expect(model.history.map(({ phase }) => phase)).toEqual(['head', 'fineTune']);
    const stayed = values().map((own, i) => JSON.stringify(own) === JSON.stringify(before[i]));
    expect(kernels().map(({ name }, i) => [name.split('_')[1], stayed[i]])).toEqual([
      ['kind', true],
      ['kind', true],
      ['light', false],
      ['light', false],
    ]);
    model.dispose();
  });

  test('above 0 do not change the solution of linear heads', async () => {
    const heads = { kind: { labels: tinyLabels }, light: { task: 'regression' } } as const;
    const shown = records(examples(4), 'kind', 'light');
    const solved = async (lossWeights?: Record<string, number>) => {
      const model = await tinySeveral({ heads });
      const { method } = await trainHead(model, shown, lossWeights === undefined ? {} : { lossWeights });
      return { method, values: model.head.trunk.weights.map(({ variable }) => [...variable.dataSync()]) };
    };
    const weighted = await solved({ light: 0.2 });
    expect(weighted.method).toBe('lbfgs');
    expect(weighted).toEqual(await solved());
  });
});
