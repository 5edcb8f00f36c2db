// The program of the tests' workers, in Node and in pages.
import { memory } from '@tensorflow/tfjs-core';
import { fromArrays, loadBase, predict, replaceHead, trainHead, type AnyModel, type Samples } from '../../src/index.ts';
import { serveTransferKit } from '../../src/worker.ts';
import { tinyModel } from '../support/tinyModel.ts';

/** Functions of an app beside the verbs. */
const functions = {
  /** A base of a model in memory; it takes pictures where preprocessing is named. */
  async tinyBase(preprocess?: 'unit') {
    const network = tinyModel();
    const base = await loadBase(network, { cut: 'relu2', ...(preprocess && { preprocess }) });
    network.dispose();
    return base;
  },
  /** Trains with a schedule, which cannot be sent. */
  trainBySchedule: (model: AnyModel, samples: Samples) =>
    trainHead(model, samples, { epochs: 2, seed: 1, solver: 'gradient', schedule: (step) => 1 / (1 + step) }),
  /** The head of a base. */
  withHead: async (make: { readonly labels: readonly string[] }) =>
    replaceHead(await functions.tinyBase(), { labels: make.labels }),
  memory: () => memory().numTensors,
  echo: (value: unknown) => value,
  fail(kind: string) {
    if (kind === 'nothing') throw undefined as unknown;
    throw new RangeError('out of reach', { cause: new TypeError('the cause') });
  },
  /** A second call in the same worker. */
  serveAgain: () => {
    serveTransferKit();
  },
  unsendable: () => fromArrays({ inputs: [[1]], targets: ['a'] }),
  predictAll: (model: AnyModel, inputs: readonly number[][]) => predict(model, [...inputs]),
  busy(milliseconds: number) {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  },
  /** Ends the worker by an error that nobody catches. */
  crash() {
    setTimeout(() => {
      throw new Error('an uncaught error');
    });
    return new Promise<void>(() => undefined);
  },
  /** Ends the worker in the middle of a call. */
  exit: () => process.exit(3),
};

export type Functions = typeof functions;

serveTransferKit({ functions });
