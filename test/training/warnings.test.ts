// What makes figures mean less than they seem to is listed in the logs of training and in evaluations, each once.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  defineSamples,
  evaluate,
  fineTune,
  fromArrays,
  loadBase,
  replaceHead,
  trainHead,
  type Samples,
  type TrainHeadOptions,
} from '../../src/index.ts';
import { watchExamples } from '../../src/training/run/seenExamples.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinyModel } from '../support/tinyModel.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer } from '../support/tinyTask.ts';
import { randomGenerator } from '../../src/core/random.ts';

beforeAll(async () => {
  await useTestBackend();
});

const shared = (count: number, use: string) =>
  expect.stringMatching(new RegExp(`^${String(count)} of the ${use} examples are training examples too`)) as string;
const fewer = (text: string) => `Fewer than ${text}: add examples.`;
const atChance = expect.stringMatching(
  /^The loss is at chance: \d\.\d+, where the frequencies of the labels alone give/,
) as string;
const noBetter = expect.stringMatching(
  /^The accuracy \(\d\.\d+\) is no better than that of always predicting/,
) as string;

/** The warnings of a head that is trained on some samples and validated on others. */
async function warned(train: Samples, validation?: TrainHeadOptions['validation'], options?: TrainHeadOptions) {
  const model = await tinyTransfer();
  try {
    const log = await expectNoLeak(() =>
      trainHead(model, train, { ...(validation === undefined ? {} : { validation }), ...options }),
    );
    return log.warnings;
  } finally {
    model.dispose();
  }
}

/** The tiny pictures under names, inputs made anew at each read. */
function named(prefix: string, each = 10): Samples {
  const plain = tinySamples(each);
  return defineSamples({
    size: plain.size,
    target: (index) => plain.target(index),
    read: async (index) => {
      const { input, target } = await plain.read(index);
      return { input: Float32Array.from(input as Float32Array), target, id: `${prefix}${String(index)}` };
    },
  });
}

/** Samples of files: inputs are paths, ids are what they are called in their folder. */
function files(folder: string): Samples {
  const ids = ['cat/1.jpg', 'dog/1.jpg'];
  return fromArrays({ inputs: ids.map((id) => `${folder}/${id}`), ids, targets: ['cat', 'dog'] });
}

/** Tiny pictures of labels that are none of theirs: nothing can be learnt of them. */
function noise(counts: readonly number[], seed: number): Samples {
  const random = randomGenerator(seed);
  const targets = counts.flatMap((count, label) => Array.from({ length: count }, () => tinyLabels[label] ?? ''));
  return fromArrays({ inputs: targets.map(() => tinyPicture('plain', random)), targets });
}

const solvers = {
  lbfgs: { solver: 'lbfgs' },
  gradient: { solver: 'gradient', learningRate: 0.05, epochs: 20 },
} as const;

describe('no warnings', () => {
  test('with ten examples of each label to train on, five others to validate and evaluate on, and figures that are good', async () => {
    expect(await warned(tinySamples(10, 1), tinySamples(5, 2))).toBeUndefined();
    expect(await warned(tinySamples(10, 1), tinySamples(5, 2), solvers.gradient)).toBeUndefined();
    const model = await tinyTransfer();
    await trainHead(model, tinySamples(10, 1));
    expect((await evaluate(model, tinySamples(5, 2))).warnings).toBeUndefined();
    model.dispose();
  });

  test('with the parts of a split, the same names of other samples, and files of the same name in other folders', async () => {
    const { train, validation } = tinySamples(20).split({ validation: 0.3 });
    expect(await warned(train, validation)).toBeUndefined();
    expect(await warned(tinySamples(20), 0.3)).toBeUndefined();
    expect(await warned(named('a'), named('b'))).toBeUndefined();
  });
});

test('files are compared by their path, not by their name in the folder', async () => {
  const model = await tinyTransfer();
  const { head } = model;
  const read = async (samples: Samples) => {
    const watched = watchExamples(samples);
    for (let index = 0; index < samples.size; index++) await watched.samples.read(index);
    return watched;
  };
  (await read(files('/photos/train'))).remember(head.trunk);
  expect((await read(files('/photos/validation'))).sharedWith(head.trunk)).toBe(0);
  expect((await read(files('/photos/train'))).sharedWith(head.trunk)).toBe(2);
  model.dispose();
});

describe.each(['lbfgs', 'gradient'] as const)('training examples that are validated on, solver %s', (solver) => {
  test.each<[string, () => readonly [Samples, Samples], number]>([
    [
      'the same samples',
      () => {
        const samples = tinySamples(10);
        return [samples, samples];
      },
      30,
    ],
    ['examples with the same ids', () => [named('a'), named('a')], 30],
    [
      'a part of the whole',
      () => {
        const whole = tinySamples(20);
        return [whole, whole.split({ validation: 0.5 }).validation];
      },
      30,
    ],
    [
      'parts of two splits',
      () => {
        const whole = named('a', 20);
        const [first, second] = [1, 2].map((seed) => whole.split({ validation: 0.5, seed }));
        return [first!.train, second!.validation];
      },
      NaN,
    ],
    [
      'the same inputs in other samples',
      () => {
        const inputs = Array.from({ length: 30 }, (_, i) => tinyPicture(tinyLabels[i % 3] ?? '', randomGenerator(i)));
        const targets = inputs.map((_, i) => tinyLabels[i % 3] ?? '');
        return [
          fromArrays({ inputs, targets }),
          fromArrays({ inputs: inputs.slice(3, 18), targets: targets.slice(3, 18) }),
        ];
      },
      15,
    ],
  ])('%s', async (_, make, count) => {
    const [train, validation] = make();
    const warnings = await warned(train, validation, solvers[solver]);
    expect(warnings).toEqual([
      Number.isNaN(count)
        ? expect.stringMatching(/^\d+ of the validation examples are training examples/)
        : shared(count, 'validation'),
    ]);
  });
});

test('evaluate counts examples that the head was trained on by any verb, and no others', async () => {
  const model = await tinyTransfer();
  const { train, validation } = tinySamples(20).split({ validation: 0.5 });
  await trainHead(model, train, { validation });
  expect((await evaluate(model, validation)).warnings).toBeUndefined();
  expect((await evaluate(model, train)).warnings).toEqual([shared(30, 'evaluation')]);
  await fineTune(model, validation, { epochs: 1, learningRate: 1e-6 });
  expect((await evaluate(model, validation)).warnings).toEqual([shared(30, 'evaluation')]);
  const other = await tinyTransfer();
  await trainHead(other, tinySamples(10, 7));
  expect((await evaluate(other, train)).warnings).toBeUndefined();
  for (const each of [model, other]) each.dispose();
});

test('few examples of a label, counted for each use', async () => {
  const few = await warned(tinySamples(9), tinySamples(4, 2));
  expect(few).toEqual([
    fewer('10 training examples of across (9), along (9), plain (9)'),
    fewer('5 validation examples of across (4), along (4), plain (4)'),
  ]);
  const model = await tinyTransfer();
  await trainHead(model, tinySamples(10));
  const { warnings } = await evaluate(model, tinySamples(4, 2));
  expect(warnings).toEqual([fewer('5 evaluation examples of across (4), along (4), plain (4)')]);
  model.dispose();
});

test('at most ten labels are named', async () => {
  const labels = Array.from({ length: 12 }, (_, i) => `label${String(i).padStart(2, '0')}`);
  const model = await tinyTransfer({ labels });
  const random = randomGenerator(3);
  const samples = fromArrays({ inputs: labels.map(() => tinyPicture('plain', random)), targets: labels });
  const { warnings } = await trainHead(model, samples, { epochs: 1, solver: 'gradient' });
  expect(warnings?.[0]).toMatch(
    /^Fewer than 10 training examples of label00 \(1\), .*, label09 \(1\) and 2 more labels: add/,
  );
  model.dispose();
});

test('figures that are no better than the frequencies of the labels', async () => {
  const slow = { epochs: 1, solver: 'gradient', learningRate: 1e-9 } as const;
  expect(await warned(noise([20, 10, 10], 1), noise([12, 5, 5], 2), slow)).toEqual([atChance, noBetter]);
  // Other losses are no cross-entropies, and weights of examples move them.
  for (const options of [
    { loss: 'focal' },
    { labelSmoothing: 0.1 },
    { classWeights: 'balanced' },
    { mixup: 0.4 },
  ] as const) {
    expect(await warned(noise([20, 10, 10], 1), noise([12, 5, 5], 2), { ...slow, ...options })).toEqual([noBetter]);
  }
});

test('an untrained head: evaluate lists it once', async () => {
  const model = await tinyTransfer();
  const evaluation = await expectNoLeak(() => evaluate(model, tinySamples(10)));
  expect(evaluation.warnings?.[0]).toBe(
    'The head has never been trained: its predictions are chance. Call trainHead or fineTune.',
  );
  expect(new Set(evaluation.warnings).size).toBe(evaluation.warnings?.length);
  model.dispose();
});

test('a regression has no warnings of labels, only of examples that are shared', async () => {
  const model = await tinyTransfer({ task: 'regression', outputs: ['a'] });
  const inputs = Array.from({ length: 4 }, (_, i) => tinyPicture('plain', randomGenerator(i)));
  const samples = fromArrays({ inputs, targets: [0, 1, 2, 3] });
  expect((await trainHead(model, samples, { epochs: 1 })).warnings).toBeUndefined();
  expect((await trainHead(model, samples, { epochs: 1, validation: samples })).warnings).toEqual([
    shared(4, 'validation'),
  ]);
  model.dispose();
});

test('several heads: each is named, common warnings are listed once', async () => {
  const random = randomGenerator(5);
  const targets = Array.from({ length: 24 }, (_, i) => ({ kind: i % 4 === 0 ? 'a' : 'b', size: i / 24 }));
  const samples = fromArrays({ inputs: targets.map(() => tinyPicture('plain', random)), targets });
  const source = tinyModel();
  const base = await loadBase(source, { cut: 'relu2' });
  source.dispose();
  const heads = { kind: { labels: ['a', 'b'] }, size: { task: 'regression', outputs: ['size'] } } as const;
  const model = replaceHead(base, { heads });
  const { warnings } = await trainHead(model, samples, { epochs: 1, learningRate: 1e-9, validation: samples });
  expect(warnings).toEqual([
    fewer("10 training examples of a (6) of head 'kind'"),
    shared(24, 'validation'),
    expect.stringMatching(/^The loss of head 'kind' is at chance/),
    expect.stringMatching(
      /^The accuracy of head 'kind' \(0\.\d+\) is no better than that of always predicting the most frequent label, 'b' \(0\.750\)\.$/,
    ),
  ]);
  const evaluation = await evaluate(model, samples);
  expect(evaluation.warnings).toEqual(
    warnings?.slice(1).map((text) => (text.startsWith('24') ? shared(24, 'evaluation') : text)),
  );
  expect(evaluation.heads.kind).not.toHaveProperty('warnings');
  model.dispose();
});
