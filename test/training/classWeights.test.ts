// How much examples of each label count: balanced as scikit-learn does (golden/losses.py), given, and in training.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fromArrays,
  trainHead,
  type Samples,
  type Target,
  type TaskName,
  type TrainHeadOptions,
  type TransferModel,
} from '../../src/index.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { settleClassWeights } from '../../src/training/run/classWeights.ts';
import golden from '../golden/losses.json' with { type: 'json' };
import { useTestBackend } from '../support/testBackend.ts';
import { tinyLabels, tinyPicture, tinyTransfer, weightValues } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useTestBackend();
});

async function withModel<Result>(
  { task, labels }: { task: TaskName; labels: string[] },
  use: (model: TransferModel) => Result,
): Promise<Awaited<Result>> {
  const model = await tinyTransfer(task === 'regression' ? { task, outputs: labels } : { task, labels });
  try {
    return await use(model);
  } finally {
    model.dispose();
  }
}

const samplesOf = (targets: readonly Target[], labels?: readonly string[]): Samples =>
  fromArrays({ inputs: targets.map((_, i) => i), targets, ...(labels === undefined ? {} : { labels }) });

/** The weights of one example of each label. */
function weightsOf(task: TaskName, labels: string[], samples: Samples, option: TrainHeadOptions['classWeights']) {
  return withModel({ task, labels }, (model) => {
    const weigh = settleClassWeights(model, samples, option ?? 'balanced');
    if (task === 'binary') return [weigh(Float32Array.of(0)), weigh(Float32Array.of(1))];
    return labels.map((_, own) => weigh(Float32Array.from(labels, (_, label) => Number(label === own))));
  });
}

const expectClose = (found: readonly number[], expected: readonly number[]) => {
  expect(found.map((weight) => weight.toFixed(6))).toEqual(expected.map((weight) => weight.toFixed(6)));
};

describe('balanced', () => {
  const counted = ['a', 'a', 'a', 'a', 'a', 'b', 'b', 'c', 'c', 'c'];

  test('gives the weights of scikit-learn, for labels, indexes and shares', async () => {
    const abc = ['a', 'b', 'c'];
    const indexes = counted.map((label) => abc.indexOf(label));
    const shares = indexes.map((own) => abc.map((_, label) => Number(label === own)));
    for (const targets of [counted, indexes, shares]) {
      expectClose(await weightsOf('classes', abc, samplesOf(targets), 'balanced'), golden.balanced);
    }
  });

  test('of two labels with one logit', async () => {
    const expected = [8 / (2 * 5), 8 / (2 * 3)];
    const targets = counted.filter((label) => label !== 'b');
    expectClose(await weightsOf('binary', ['a', 'c'], samplesOf(targets), 'balanced'), expected);
  });

  test('of several labels an example counts once for each', async () => {
    const samples = samplesOf([['a', 'b'], ['a'], ['a'], []]);
    // Four labels are given, three a and one b.
    expectClose(await weightsOf('multiLabel', ['a', 'b'], samples, 'balanced'), [4 / (2 * 3), 4 / (2 * 1)]);
  });
});

describe('given', () => {
  test('labels that are not named count 1', async () => {
    const samples = samplesOf(['a', 'b', 'c']);
    expectClose(await weightsOf('classes', ['a', 'b', 'c'], samples, { b: 3, c: 0 }), [1, 3, 0]);
    expectClose(await weightsOf('binary', ['a', 'b'], samplesOf(['a', 'b']), { b: 3 }), [1, 3]);
  });

  test('shares weigh the mean of their labels, several labels too, none 1', async () => {
    const labels = ['a', 'b', 'c'];
    const weigh = (task: TaskName, target: number[]) =>
      withModel({ task, labels }, (model) => {
        const samples = samplesOf(['a', 'b', 'c']);
        return settleClassWeights(model, samples, { a: 2, b: 5 })(Float32Array.from(target));
      });
    expectClose([await weigh('classes', [0.5, 0.25, 0.25])], [0.5 * 2 + 0.25 * 5 + 0.25]);
    expectClose([await weigh('multiLabel', [1, 1, 0])], [3.5]);
    expectClose([await weigh('multiLabel', [0, 0, 0])], [1]);
  });

  const refused: [string, TaskName, unknown, string, RegExp][] = [
    [
      'an unknown label',
      'classes',
      { a: 1, d: 2 },
      'UNKNOWN_LABEL',
      /classWeights of labels of the head, got 'd'\. Nearest:/,
    ],
    [
      'a negative weight',
      'classes',
      { a: -1 },
      'INVALID_OPTION',
      /class weight of 'a' to be a finite number from 0, got -1/,
    ],
    ['no number', 'classes', { a: '2' }, 'INVALID_OPTION', /class weight of 'a' to be a finite number from 0, got '2'/],
    [
      'another word',
      'classes',
      'balance',
      'INVALID_OPTION',
      /'balanced' or a weight by label, such as \{ cat: 2 \}, got 'balance'/,
    ],
    [
      'nothing that counts',
      'classes',
      { a: 0, b: 0, c: 0 },
      'INVALID_OPTION',
      /of some label to be above 0, got \{"a":0/,
    ],
    ['a list', 'classes', [1, 2, 3], 'INVALID_OPTION', /'balanced' or a weight by label/],
    ['a regression', 'regression', { a: 1 }, 'INVALID_OPTION', /no classWeights for regression, which has no labels/],
  ];
  test.each(refused)('%s is refused', async (_, task, option, code, text) => {
    const targets = task === 'regression' ? [1, 2, 3] : ['a', 'b', 'c'];
    const labels = task === 'regression' ? ['size'] : ['a', 'b', 'c'];
    await withModel({ task, labels }, (model) => {
      expect(() =>
        settleClassWeights(model, samplesOf(targets), option as TrainHeadOptions['classWeights'] & object),
      ).toThrow(expect.objectContaining({ code, message: expect.stringMatching(text) as string }));
    });
  });
});

test('null is refused by training', async () => {
  await withModel({ task: 'classes', labels: ['a', 'b'] }, async (model) => {
    const training = trainHead(model, samplesOf(['a', 'b']), { epochs: 1, classWeights: null as never });
    await expect(training).rejects.toThrow(/'balanced' or a weight by label, .* got null/);
  });
});

describe('in training', () => {
  const classes = [0, 0, 0, 0, 1, 1, 2, 0, 0];
  const inputs = () => {
    const random = randomGenerator(3);
    return classes.map((label) => tinyPicture(tinyLabels[label] ?? '', random));
  };
  const train = async (weights: readonly number[], options: TrainHeadOptions) => {
    const samples = fromArrays({ inputs: inputs(), targets: classes, labels: tinyLabels, weights });
    const model = await tinyTransfer();
    const log = await trainHead(model, samples, { epochs: 3, batchSize: 4, ...options });
    const values = weightValues(model);
    model.dispose();
    return { values, losses: log.epochs.map(({ loss }) => loss) };
  };

  test('class weights are multiplied by weights of examples', async () => {
    const own = classes.map((_, i) => 1 + i / 10);
    const byClass = [1, 3, 0.5];
    const together = own.map((weight, i) => weight * (byClass[classes[i] ?? 0] ?? NaN));
    const found = await train(own, { classWeights: { along: 3, plain: 0.5 } });
    expect(found).toEqual(await train(together, {}));
    expect(found).not.toEqual(await train(own, {}));
  });

  test('balanced gives all labels the same total weight', async () => {
    const balanced = classes.map((label) => 9 / (3 * [6, 2, 1][label]!));
    expect(
      await train(
        classes.map(() => 1),
        { classWeights: 'balanced' },
      ),
    ).toEqual(await train(balanced, {}));
  });
});
