// The conformance suite of trunks: passes every trunk of ours, and names what is wrong with one that breaks its
// promises.
import * as tf from '@tensorflow/tfjs-core';
import { layers, regularizers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBase, replaceHead, type RunOptions, type Trunk, type TrunkWeight } from '../../src/index.ts';
import { checkTrunk } from '../../src/testing.ts';
import { ownTrunk } from '../support/ownTrunk.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { isUsualWay, trunkAsTested, useTestBackend } from '../support/testBackend.ts';
import { tinyGraph } from '../support/tinyGraph.ts';
import { setWeights, tinyModel, wave } from '../support/tinyModel.ts';

beforeAll(async () => {
  await useTestBackend();
});

async function tinyTrunk(): Promise<Trunk> {
  const source = tinyModel();
  const { trunk } = await loadBase(source);
  source.dispose();
  return trunk;
}

async function mlpTrunk(): Promise<Trunk> {
  const source = sequential({
    name: 'mlp',
    layers: [
      layers.dense({ inputShape: [5], units: 7, activation: 'tanh', kernelRegularizer: regularizers.l2({ l2: 0.1 }) }),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 4, activation: 'relu' }),
      layers.dense({ units: 3 }),
    ],
  });
  setWeights(source);
  const { trunk } = await loadBase(source, { cut: source.layers.at(-1)?.name ?? '' });
  source.dispose();
  return trunk;
}

async function headTrunk(): Promise<Trunk> {
  const source = tinyModel();
  const base = await loadBase(source);
  const { head } = replaceHead(base, { labels: ['a', 'b'], hidden: [6], pooling: 'both' });
  source.dispose();
  base.dispose();
  return head.trunk;
}

async function nodesTrunk(): Promise<Trunk> {
  return (await loadBase(tinyGraph())).trunk;
}

describe('checkTrunk passes', () => {
  test.each<[string, () => Trunk | Promise<Trunk>, number[]]>([
    ['a network with BatchNorm, a residual block and dropout', tinyTrunk, [2, 16, 16, 3]],
    ['a head', headTrunk, [2, 4, 4, 12]],
    ['a plain MLP with a penalty', mlpTrunk, [3, 5]],
    ['the nodes of a GraphModel', nodesTrunk, [2, 8, 8, 3]],
    ['a trunk of one’s own', ownTrunk, [2, 8, 8, 3]],
  ])('%s, and leaves no tensor', async (_, make, shape) => {
    const input = wave(shape, 1, 0.3);
    await expectNoLeak(async () => {
      const { failed, passed } = await checkTrunk(async () => trunkAsTested(await make()), input, {
        ...(make === ownTrunk && { penalised: ['conv2'] }),
      });
      expect(failed).toEqual([]);
      expect(passed).toHaveLength(17);
    });
    input.dispose();
  });

  test('a trunk without weights', async () => {
    const source = sequential({
      layers: [layers.flatten({ inputShape: [2, 3] }), layers.activation({ activation: 'relu' })],
    });
    const { trunk } = await loadBase(source, { cut: source.layers.at(-1)?.name ?? '' });
    expect(await checkTrunk(trunk, wave([2, 2, 3], 1, 0.1))).toMatchObject({ failed: [] });
  });
});

const kept: tf.Tensor[] = [];

/** A tensor that stays. */
function leak(): void {
  kept.push(tf.keep(tf.zeros([1])));
}

/** The trunk with another `run`. */
function running(change: (trunk: Trunk, x: tf.Tensor, options: RunOptions) => tf.Tensor) {
  return (trunk: Trunk): Partial<Trunk> => ({ run: (x, options = {}) => change(trunk, x, options) });
}

/** The trunk with other weights. */
function weighted(change: (weight: TrunkWeight, place: number) => Partial<TrunkWeight>) {
  return (trunk: Trunk): Partial<Trunk> => ({
    weights: trunk.weights.map((weight, place) => ({ ...weight, ...change(weight, place) })),
  });
}

/** What is made of an output; gradients pass. */
function outputOf(trunk: Trunk, x: tf.Tensor, options: RunOptions, make: (y: tf.Tensor) => tf.Tensor): tf.Tensor {
  return tf.tidy(() => make(trunk.run(x, options)));
}

const halfTheGradient = tf.customGrad((x) => {
  const value = tf.clone(x as tf.Tensor);
  return { value, gradFunc: (dy: tf.Tensor) => tf.mul(dy, 0.5) };
});

/** Faults: which trunk has it, what it changes there, what the suite says. */
const faults: Record<string, [() => Trunk | Promise<Trunk>, (trunk: Trunk) => Partial<Trunk>, RegExp]> = {
  'write does nothing': [tinyTrunk, weighted(() => ({ write: () => undefined })), /^writing .* changed nothing$/],
  'write leaks': [
    tinyTrunk,
    weighted((weight) => ({
      write: (value) => {
        leak();
        weight.write(value);
      },
    })),
    /^writing .* left 1 tensors$/,
  ],
  'the penalty is missing': [mlpTrunk, () => ({ penalty: () => undefined }), /^no penalty on dense/],
  'gradients are halved': [
    mlpTrunk,
    running((trunk, x, options) => outputOf(trunk, x, options, (y) => halfTheGradient(y))),
    /^the values move [12]\.\d+ times as fast along dense.* as its gradient says$/,
  ],
  'the tape is cut': [
    mlpTrunk,
    running((trunk, x, options) => {
      const y = trunk.run(x, options);
      const copy = tf.tensor(y.dataSync().slice(), y.shape);
      y.dispose();
      return copy;
    }),
    /Cannot find a connection|no gradient for/,
  ],
  'dropout is never active': [
    tinyTrunk,
    running((trunk, x, { dropoutSeed: _seed, ...options }) => trunk.run(x, options)),
    /^stage .* is stochastic, but nothing drops out with a seed$/,
  ],
  'dropout ignores its seed': [
    tinyTrunk,
    running((trunk, x, options) =>
      trunk.run(x, options.dropoutSeed === undefined ? options : { ...options, dropoutSeed: 7 }),
    ),
    /^stage .* gives the same values for every seed$/,
  ],
  'dropout draws anew for the same seed': [
    tinyTrunk,
    (() => {
      let draws = 0;
      return running((trunk, x, options) =>
        trunk.run(x, options.dropoutSeed === undefined ? options : { ...options, dropoutSeed: draws++ }),
      );
    })(),
    /^stage .* gives other values for the same seed$/,
  ],
  'dropout is active in inference': [
    tinyTrunk,
    (() => {
      let draws = 0;
      return running((trunk, x, options) => trunk.run(x, { ...options, dropoutSeed: draws++ }));
    })(),
    /^the values differ$/,
  ],
  'stages have one name': [
    tinyTrunk,
    ({ stages }) => ({ stages: stages.map((stage) => ({ ...stage, name: 'same' })) }),
    /^two stages have the name same$|does not end with its layer/,
  ],
  'stages are empty': [
    tinyTrunk,
    ({ stages }) => ({ stages: stages.map((stage) => ({ ...stage, layers: [] })) }),
    /^stage .* has no layers$/,
  ],
  'there are no stages': [tinyTrunk, () => ({ stages: [] }), /^there are no stages$/],
  'all weights are in stage 0': [tinyTrunk, weighted(() => ({ stage: 0 })), /is of stage 0, which has no layer/],
  'a weight is of no stage': [tinyTrunk, weighted(() => ({ stage: 9 })), /^conv1\/kernel is of stage 9 of 3$/],
  'stochastic is always false': [
    tinyTrunk,
    ({ stages }) => ({ stages: stages.map((stage) => ({ ...stage, stochastic: false })) }),
    /changes with a seed, but is not stochastic$/,
  ],
  'stochastic is always true': [
    tinyTrunk,
    ({ stages }) => ({ stages: stages.map((stage) => ({ ...stage, stochastic: true })) }),
    /is stochastic, but nothing drops out with a seed$/,
  ],
  'kernels are of another kind': [
    tinyTrunk,
    weighted(({ kind }) => (kind === 'kernel' ? { kind: 'other' } : {})),
    /^conv1\/kernel is of the kind other, not kernel$/,
  ],
  'statistics are of another kind': [
    nodesTrunk,
    weighted(({ kind }) => (kind === 'statistics' ? { kind: 'beta' } : {})),
    /moving_mean is of the kind beta, not statistics$|moves with the batch, but is no statistic$/,
  ],
  'any shape is accepted': [
    tinyTrunk,
    running((trunk, x, options) => {
      const [height, width] = options.from === undefined ? [16, 16] : x.shape.slice(1);
      if (x.rank === 4 && x.dtype !== 'string' && height === x.shape[1] && width === x.shape[2] && x.shape[3] === 3)
        return trunk.run(x, options);
      return fallback(trunk, x, options);
    }),
    /^stage 0 took \[2, 16, 16, 3, 1\]$/,
  ],
  'text is accepted': [
    tinyTrunk,
    running((trunk, x, options) => (x.dtype === 'string' ? tf.zeros([1]) : trunk.run(x, options))),
    /^stage 0 took text$/,
  ],
  'the momentum is ignored': [
    tinyTrunk,
    running((trunk, x, { momentum: _momentum, ...options }) =>
      trunk.run(x, options.onStatistics === undefined ? options : { ...options, momentum: 0.5 }),
    ),
    /momentum is ignored$/,
  ],
  'BatchNorm by the batch is ignored': [
    tinyTrunk,
    running((trunk, x, options) => {
      if (options.onStatistics === undefined) return trunk.run(x, options);
      trunk.run(x, options).dispose();
      const { onStatistics: _taken, ...inference } = options;
      return trunk.run(x, inference);
    }),
    /^unfrozen BatchNorm runs in inference mode$/,
  ],
  'statistics are kept back': [
    tinyTrunk,
    running((trunk, x, { onStatistics, ...options }) =>
      trunk.run(x, {
        ...options,
        ...(onStatistics && {
          onStatistics: (moved) => {
            tf.dispose(moved[0]?.value ?? []);
            onStatistics(moved.slice(1));
          },
        }),
      }),
    ),
    /^a run handed out statistics of bn1\/moving_variance, /,
  ],
  'frozen BatchNorm trains': [
    tinyTrunk,
    running((trunk, x, options) => {
      if (options.onStatistics === undefined) return trunk.run(x, options);
      const before = trunk.weights.map(({ frozen }) => frozen);
      for (const weight of trunk.weights) weight.frozen = false;
      try {
        return trunk.run(x, options);
      } finally {
        trunk.weights.forEach((weight, i) => (weight.frozen = before[i] ?? true));
      }
    }),
    /^a run handed out statistics of frozen weights$/,
  ],
  'fold ignores its range': [
    tinyTrunk,
    (trunk) => ({ fold: () => trunk.fold() }),
    /^folded, stages 0 to 1 give \[|expected a tensor of shape/,
  ],
  'fold gives something else': [
    tinyTrunk,
    (trunk) => ({
      fold: async (range) => {
        const part = await trunk.fold(range);
        const run = async (x: tf.Tensor) => {
          const output = await part.run(x);
          const changed = tf.mul(output, 1.01);
          output.dispose();
          return changed;
        };
        return { ...part, run };
      },
    }),
    /^folded, the values of stages 0 to 3 differ$/,
  ],
  'fold leaks': [
    tinyTrunk,
    (trunk) => ({
      fold: async (range) => {
        leak();
        return trunk.fold(range);
      },
    }),
    /^folding stages 0 to 3 left 1 tensors$/,
  ],
  'outputs are of another type': [
    tinyTrunk,
    running((trunk, x, options) => outputOf(trunk, x, options, (y) => tf.cast(y, 'int32'))),
    /^a run gave int32, not float32$/,
  ],
  'outputs are of another shape': [
    tinyTrunk,
    () => ({ output: { shape: [null, 4, 4, 13], dtype: 'float32' } }),
    /^the last stage does not give the output$|^a run gave \[2, 4, 4, 12\]$/,
  ],
  'a run leaks': [
    tinyTrunk,
    running((trunk, x, options) => {
      leak();
      return trunk.run(x, options);
    }),
    /^a run left 2 tensors$/,
  ],
  'dispose leaks': [
    tinyTrunk,
    (trunk) => {
      const copy = tf.keep(tf.clone(trunk.weights[0]!.variable));
      kept.push(copy);
      return {};
    },
    /^dispose left 1 tensors$/,
  ],
  'dispose frees nothing': [tinyTrunk, () => ({ dispose: () => undefined }), /^disposed is false$/],
  'it runs on after dispose': [
    tinyTrunk,
    running((trunk, x, options) => (trunk.disposed ? tf.zeros([2, 4, 4, 12]) : trunk.run(x, options))),
    /^running after dispose raised nothing$/,
  ],
  'frozen weights move': [
    tinyTrunk,
    running((trunk, x, options) => {
      const [weight] = trunk.weights.filter(({ frozen }) => frozen);
      if (weight !== undefined && options.dropoutSeed !== undefined) {
        const value = tf.tidy(() => tf.add(weight.variable, 0.01));
        weight.write(value);
        value.dispose();
      }
      return trunk.run(x, options);
    }),
    /^the frozen conv1\/kernel moved$/,
  ],
  'a range differs from the whole': [
    tinyTrunk,
    running((trunk, x, options) =>
      options.from === undefined && options.to === undefined
        ? trunk.run(x, options)
        : outputOf(trunk, x, options, (y) => tf.mul(y, 1.01)),
    ),
    /^the values of .* differ from one run$/,
  ],
  'the nodes hold other weights': [
    nodesTrunk,
    (trunk) => ({
      writeNodes: () => {
        const written = trunk.writeNodes!();
        const constants = new Map(
          [...written.constants].map(([name, value]) => {
            const doubled = name === 'project/kernel' ? tf.mul(value, 2) : tf.clone(value);
            value.dispose();
            return [name, doubled];
          }),
        );
        return { ...written, constants };
      },
    }),
    /^the nodes do not hold project\/kernel under its name$/,
  ],
  'two weights have one name': [tinyTrunk, weighted(() => ({ name: 'w' })), /^two weights have the same name$/],
};

function fallback(trunk: Trunk, x: tf.Tensor, options: RunOptions): tf.Tensor {
  try {
    return trunk.run(x, options);
  } catch {
    return tf.zeros([1]);
  }
}

/** A trunk that does as another one but for some fields; `disposed` stays live. */
function broken(trunk: Trunk, fields: Partial<Trunk>): Trunk {
  return Object.defineProperties({} as Trunk, {
    ...Object.getOwnPropertyDescriptors(trunk),
    ...Object.getOwnPropertyDescriptors(fields),
  });
}

describe.runIf(isUsualWay)('checkTrunk names the fault when', () => {
  test.each(Object.entries(faults))('%s', async (_, [make, change, text]) => {
    const shape = make === mlpTrunk ? [3, 5] : make === tinyTrunk ? [2, 16, 16, 3] : [2, 8, 8, 3];
    const input = wave(shape, 1, 0.3);
    const { failed } = await checkTrunk(async () => {
      const trunk = await make();
      return broken(trunk, change(trunk));
    }, input);
    expect(failed.map(({ reason }) => reason)).toContainEqual(expect.stringMatching(text));
    tf.dispose([input, ...kept.splice(0)]);
  });

  test('a weight is not finite', async () => {
    const trunk = await tinyTrunk();
    trunk.weights[0]?.write(tf.fill([3, 3, 3, 8], NaN));
    const { failed } = await checkTrunk(trunk, wave([2, 16, 16, 3], 1, 0.3));
    expect(failed.map(({ reason }) => reason)).toContain('conv1/kernel is not finite');
  });

  test('the input is not one that it takes', async () => {
    const { failed } = await checkTrunk(await tinyTrunk(), wave([2, 8, 8, 3], 1, 0.3));
    expect(failed.map(({ reason }) => reason)).toContainEqual(
      expect.stringContaining('expected a tensor of shape [any, 16, 16, 3]'),
    );
  });
});
