// What the test of the feature cache does inside the page: trains, and works on rows in IndexedDB directly.
import { memory } from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { platform } from '../../src/platform/browser/platform.ts';
import type { RowStore } from '../../src/core/rowStore.ts';
import {
  fromArrays,
  isTransferKitError,
  loadBase,
  replaceHead,
  trainHead,
  useBackend,
  type FeatureCacheOptions,
} from '../../src/index.ts';

/** What a training gave. */
export interface Trained {
  readonly losses: number[];
  readonly kernel: number[];
  /** Databases of features while epochs ran. */
  readonly during: number;
  readonly tensorsLeft: number;
}

/** What runs in the page. */
export interface Scratch {
  train(cache: FeatureCacheOptions | boolean): Promise<Trained>;
  /** Trains with all features in IndexedDB, and waits after its first epoch. Resolves when it waits. */
  begin(): Promise<void>;
  /** Lets the training of `begin` go on; gives how it ended. */
  finish(): Promise<string>;
  /** Has a browser without IndexedDB, or one that refuses to open a database. */
  refuse(how: 'absent' | 'denied'): void;
  /** Opens rows of 8 bytes, for so many. */
  open(rows: number): Promise<void>;
  /** Appends rows that are filled with their number. */
  append(count: number): Promise<void>;
  /** First byte of each row, in the order of the question. */
  read(rows: readonly number[]): Promise<number[]>;
  close(): Promise<void>;
  clear(): Promise<void>;
  /** Names of the databases of features. */
  names(): Promise<string[]>;
  freeMemory(): number;
}

declare global {
  interface Window {
    scratch?: Scratch;
  }
}

const rowBytes = 8;
let store: RowStore | undefined;
let size = 0;

async function names(): Promise<string[]> {
  const found = (await indexedDB.databases()).map(({ name = '' }) => name);
  return found.filter((name) => name.startsWith('transferkit-features-'));
}

/** Errors as text that says their code. */
async function told<Value>(work: Promise<Value>): Promise<Value> {
  return work.catch((error: unknown) => {
    throw new Error(isTransferKitError(error) ? `${error.code} ${error.message}` : String(error));
  });
}

let goOn: () => void = () => undefined;
let ended: Promise<string> = Promise.resolve('not begun');

async function begin(): Promise<void> {
  await new Promise<void>((waits) => {
    const released = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const onEpoch = () => {
      waits();
      return released;
    };
    ended = told(train({ memory: 0 }, onEpoch)).then(
      () => 'trained',
      (error: unknown) => String(error),
    );
  });
}

async function train(cache: FeatureCacheOptions | boolean, onEpoch?: () => Promise<void>): Promise<Trained> {
  await useBackend('cpu');
  const before = memory().numTensors;
  const kernelInitializer = initializers.heNormal({ seed: 1 });
  const network = sequential();
  network.add(layers.dense({ inputShape: [6], units: 10, kernelInitializer }));
  network.add(layers.dense({ units: 3, kernelInitializer }));
  const base = await loadBase(network);
  network.dispose();
  const model = replaceHead(base, { labels: ['a', 'b'], dropout: 0 });
  const inputs = Array.from({ length: 30 }, (_, i) => Array.from({ length: 6 }, (_, j) => Math.sin(i * 6 + j)));
  const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'a' : 'b')) });
  let during = 0;
  const { epochs } = await trainHead(model, samples, {
    epochs: 4,
    batchSize: 7,
    validation: 0.2,
    cache,
    ...(onEpoch && { onEpoch }),
    onProgress: ({ phase, done }) => {
      if (phase === 'head' && done > 30)
        void names().then(
          (found) => (during = Math.max(during, found.length)),
          () => undefined,
        );
    },
  });
  const kernel = Array.from(await model.head.trunk.weights[0]!.variable.data());
  model.dispose();
  const losses = epochs.flatMap(({ loss, validationLoss = NaN }) => [loss, validationLoss]);
  return { losses, kernel, during, tensorsLeft: memory().numTensors - before };
}

window.scratch = {
  train: (cache) => told(train(cache)),
  begin,
  finish() {
    goOn();
    return ended;
  },
  refuse(how) {
    const denied = {
      open() {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      },
    };
    Object.defineProperty(window, 'indexedDB', { value: how === 'absent' ? undefined : denied });
  },
  async open(rows) {
    store = await told(platform.openScratch({ rowBytes, rows, directory: undefined }));
    size = 0;
  },
  async append(count) {
    const rows = new Uint8Array(count * rowBytes);
    for (let row = 0; row < count; row++) rows.fill(size + row, row * rowBytes, (row + 1) * rowBytes);
    await told(store!.append(rows));
    size += count;
  },
  async read(rows) {
    const found: number[] = [];
    await told(
      store!.read(rows, (place, row) => {
        found[place] = row.length === rowBytes && row.byteOffset % 4 === 0 ? row[0]! : NaN;
      }),
    );
    return found;
  },
  close: () => store!.dispose(),
  clear: () => platform.clearScratch(undefined),
  names,
  freeMemory: () => platform.freeMemory(),
};
