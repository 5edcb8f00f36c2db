// Every function of the doors, called with what it cannot take: an error of this package, and nothing left behind.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as augmentDoor from '../src/augment.ts';
import * as main from '../src/index.ts';
import { nameErrors } from '../src/core/edge.ts';
import { isTransferKitError, useBackend } from '../src/index.ts';
import * as layersDoor from '../src/layers.ts';
import * as nodeDoor from '../src/node.ts';
import * as optimizersDoor from '../src/optimizers.ts';
import * as schedulesDoor from '../src/schedules.ts';

const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'transferkit-misuse-'));

beforeAll(async () => {
  // A text may be a path: what save writes goes here.
  process.chdir(folder);
  await useBackend('cpu');
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const doors = {
  main,
  node: nodeDoor,
  augment: augmentDoor,
  schedules: schedulesDoor,
  optimizers: optimizersDoor,
  layers: layersDoor,
};

/** What JavaScript lets through: nothing, texts, numbers, objects of another kind. */
const junk: readonly (readonly unknown[])[] = [
  [],
  [null],
  [42],
  ['text'],
  [{}],
  [[]],
  [() => 1],
  [Symbol('s')],
  [null, null],
  [{}, {}],
  [[], []],
  [1, 1, 1],
  [{}, null, null],
  [{}, 'text', 'text'],
];

const functions = Object.entries(doors).flatMap(([door, names]) =>
  Object.entries(names).flatMap(([name, value]): [string, (...given: readonly unknown[]) => unknown][] =>
    typeof value === 'function' && !/^[A-Z]/.test(name) ? [[`${door} ${name}`, value as never]] : [],
  ),
);

/** A call, and the function that its errors name. */
interface Call {
  readonly name: string;
  readonly given: string;
  readonly act: () => unknown;
}

/** Whether an error is one of this package that names one of these functions in its field, its text and its stack. */
function isFrom(names: readonly string[], error: unknown): boolean {
  if (!isTransferKitError(error) || error.code === 'INTERNAL') return false;
  const { raisedBy = '', message, stack = '' } = error;
  const begin = `[transferkit] ${raisedBy}: expected `;
  return names.includes(raisedBy) && message.startsWith(begin) && stack.replace(/^\w+: /, '').startsWith(begin);
}

describe('raises nothing raw, and names the function in field, text and stack', () => {
  test.each(functions)('%s', async (door, call) => {
    const name = door.split(' ')[1] ?? '';
    const others: string[] = [];
    const before = tf.memory().numTensors;
    for (const given of junk) {
      try {
        await call(...given);
      } catch (error) {
        // A path is what `load` takes.
        const names = name === 'serveModel' ? [name, 'load'] : [name];
        if (!isFrom(names, error)) others.push(`${name}(${given.map(label).join(', ')}): ${String(error)}`);
      }
    }
    expect(others).toEqual([]);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('beside a real model, raises nothing raw, names the function and leaves the model as it was', () => {
  const { loadBase, replaceHead, fromArrays, knn, nearestCentroid } = main;
  const verbs: Readonly<Record<string, (...given: never[]) => unknown>> = {
    ...{ trainHead: main.trainHead, fineTune: main.fineTune, evaluate: main.evaluate, predict: main.predict },
    ...{ freeze: main.freeze, unfreeze: main.unfreeze, calibrate: main.calibrate, save: main.save },
    ...{
      blend: main.blend,
      tuneThresholds: main.tuneThresholds,
      findLearningRate: main.findLearningRate,
      compare: main.compare,
    },
    ...{
      previewAugmentation: main.previewAugmentation,
      toGraphModel: main.toGraphModel,
      exportModel: main.exportModel,
    },
  };
  // prettier-ignore
  const samples = () => fromArrays({ inputs: [[0, 1], [1, 0], [0, 2], [2, 0]], targets: ['a', 'b', 'a', 'b'] });
  const wrong = [null, 42, 'text', {}, [], () => 1, Symbol('s'), [null], { size: 3 }];

  /** The errors of calls that are not of this package, or name neither the function nor the base's preprocessor. */
  async function otherErrors(calls: readonly Call[]): Promise<string[]> {
    const others: string[] = [];
    for (const { name, given, act } of calls) {
      try {
        const made = await act();
        if (typeof made === 'object' && made !== null && 'dispose' in made) (made as { dispose(): void }).dispose();
      } catch (error) {
        if (!isFrom([name, 'tensorPreprocessor'], error)) others.push(`${name}${given}: ${String(error)}`);
      }
    }
    return others;
  }

  async function tinyModel() {
    const base = await loadBase(network());
    return { base, model: replaceHead(base, { labels: ['a', 'b'] }) };
  }

  test.each(Object.entries(verbs))('%s', async (name, verb) => {
    const { model } = await tinyModel();
    const call = verb as (...given: readonly unknown[]) => unknown;
    const weights = () =>
      [...model.base.trunk.weights, ...model.head.trunk.weights].map(({ variable }) => [...variable.dataSync()]);
    const before = { weights: weights(), tensors: tf.memory().numTensors };
    const calls = wrong.flatMap((each): (readonly [string, () => unknown])[] => [
      [`(model, ${label(each)})`, () => call(model, each)],
      [`(model, ${label(each)}, {})`, () => call(model, each, {})],
      [`(model.base, ${label(each)})`, () => call(model.base, each)],
      ...(name === 'save' || name.endsWith('freeze') || name === 'toGraphModel'
        ? []
        : [[`(model, samples, ${label(each)})`, () => call(model, samples(), each)] as const]),
    ]);
    expect(await otherErrors(calls.map(([given, act]) => ({ name, given, act })))).toEqual([]);
    // A text is a path for save, and options may be left out: such calls succeed.
    if (!/^(trainHead|fineTune)$/.test(name)) expect(weights()).toEqual(before.weights);
    expect(tf.memory().numTensors).toBe(before.tensors);
    model.dispose();
  });

  test('methods of samples, trunks and classifiers', async () => {
    const { base, model } = await tinyModel();
    const neighbours = await knn(base);
    const centroids = await nearestCentroid(base);
    const owners = { samples: samples(), trunk: base.trunk, knn: neighbours, nearestCentroid: centroids };
    const learning = ['add', 'addAll', 'predict', 'remove'];
    const methods: readonly (readonly [keyof typeof owners, readonly string[]])[] = [
      ['samples', ['split', 'read', 'target']],
      ['trunk', ['run', 'fold']],
      ['knn', learning],
      ['nearestCentroid', learning],
    ];
    const before = tf.memory().numTensors;
    const calls = methods.flatMap(([owner, names]) =>
      names.flatMap((method) =>
        [[], ...wrong.map((each) => [each]), ...wrong.map((each) => [each, each])].map((given): Call => {
          const own = Reflect.get(owners[owner], method) as (...given: readonly unknown[]) => unknown;
          // All verbs call the methods of trunks: whichever of them did so names the error.
          const name = owner === 'trunk' ? 'a verb' : `${owner}.${method}`;
          const act = () => Reflect.apply(own, owners[owner], given);
          return {
            name,
            given: `(${given.map(label).join(', ')})`,
            act: owner === 'trunk' ? () => nameErrors(name, act) : act,
          };
        }),
      ),
    );
    expect(calls.length).toBeGreaterThan(100);
    expect(await otherErrors(calls)).toEqual([]);
    expect(tf.memory().numTensors).toBe(before);
    neighbours.dispose();
    centroids.dispose();
    model.dispose();
  });
});

const label = (each: unknown): string =>
  typeof each === 'symbol' || typeof each === 'function' ? typeof each : JSON.stringify(each);
const network = () => sequential({ layers: [layers.dense({ units: 3, activation: 'relu', inputShape: [2] })] });
