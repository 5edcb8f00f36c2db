// What the test of checkpoints does inside the page: trains and is interrupted, and works on files in IndexedDB
// directly.
import { memory } from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { platform } from '../../src/platform/browser/platform.ts';
import type { CheckpointStore } from '../../src/core/checkpointStore.ts';
import { fineTune, fromArrays, isTransferKitError, loadBase, replaceHead, useBackend } from '../../src/index.ts';

/** How a training that waits is to end. */
export type Ending = 'success' | 'signal' | 'error';

/** What a training gave. */
export interface Trained {
  readonly losses: number[];
  readonly kernels: number[][];
  readonly warnings: readonly string[];
  /** Rows that were done when it began. */
  readonly first: number;
  readonly tensorsLeft: number;
}

/** What runs in the page. */
export interface CheckpointsInPage {
  /**
   * Trains with checkpoints after every step at a place, where one is given, and goes on from there.
   *
   * @param hang - Checkpoints after which it never goes on.
   */
  train(to?: string, hang?: number): Promise<Trained>;
  /**
   * Begins to train with checkpoints at a place, and waits after its first epoch. Resolves when it waits.
   */
  begin(to: string): Promise<void>;
  /** Lets the training of `begin` go on to its end, stop by its signal, or fail; gives how it ended. */
  finish(how: Ending): Promise<string>;
  /** `begin` in a worker. */
  beginInWorker(to: string): Promise<void>;
  /** Ends the worker in the middle of its training. */
  endWorker(): void;
  /** Opens a place; gives the names that are there. */
  open(location: string): Promise<readonly string[]>;
  list(): Promise<readonly string[]>;
  /** Writes so many bytes that follow from a number. */
  write(name: string, length: number, number: number): Promise<void>;
  /** Writes files of so many bytes without end, each byte of a file the same. */
  writeOn(length: number): void;
  /** Length of a file, and whether its bytes follow from a number. */
  read(name: string, number: number): Promise<{ length: number; same: boolean }>;
  /** Length of a file, and whether all its bytes are the same. */
  readEven(name: string): Promise<{ length: number; same: boolean }>;
  remove(name: string): Promise<void>;
  databases(): Promise<string[]>;
  /** Removes a database; false when somebody holds it. */
  drop(name: string): Promise<boolean>;
}

declare global {
  interface Window {
    checkpoints?: CheckpointsInPage;
  }
}

let store: CheckpointStore | undefined;

/** Errors as text that says their code. */
async function told<Value>(work: Promise<Value>): Promise<Value> {
  return work.catch((error: unknown) => {
    throw new Error(isTransferKitError(error) ? `${error.code} ${error.message}` : String(error));
  });
}

const byteAt = (place: number, number: number) => (place * 31 + (place >> 8) + number) & 255;

/** So many bytes, in a loop: there may be 40 million. */
function bytesFrom(length: number, number: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let place = 0; place < length; place++) bytes[place] = byteAt(place, number);
  return bytes;
}

/** A place that never comes back from writing after so many times. */
async function placeThatHangs(location: string, hang: number): Promise<string | CheckpointStore> {
  if (hang === Infinity) return location;
  const place = await platform.openCheckpoints(location);
  let writes = 0;
  const write = async (name: string, bytes: Uint8Array) => {
    await place.write(name, bytes);
    if (++writes === hang) await new Promise(() => undefined);
  };
  return { ...place, write };
}

/** A model with an untrained head and examples for it. */
async function makeTask() {
  const draw = (seed: number) => initializers.heNormal({ seed });
  const network = sequential();
  network.add(
    layers.dense({ inputShape: [6], units: 10, kernelInitializer: draw(1), activation: 'relu', name: 'first' }),
  );
  network.add(layers.dense({ units: 8, kernelInitializer: draw(2), activation: 'relu', name: 'second' }));
  network.add(layers.dense({ units: 3, kernelInitializer: draw(3), name: 'last' }));
  const base = await loadBase(network);
  network.dispose();
  const model = replaceHead(base, { labels: ['a', 'b'], dropout: 0.2 });
  const inputs = Array.from({ length: 30 }, (_, i) => Array.from({ length: 6 }, (_, j) => Math.sin(i * 6 + j)));
  const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'a' : 'b')) });
  return { model, samples };
}

async function train(location?: string, hang = Infinity): Promise<Trained> {
  await useBackend('cpu');
  const before = memory().numTensors;
  const { model, samples } = await makeTask();
  let first: number | undefined;
  const { epochs, warnings = [] } = await fineTune(model, samples, {
    epochs: 5,
    headEpochs: 1,
    batchSize: 7,
    validation: 0.2,
    unfreeze: { lastStages: 1 },
    ...(location === undefined
      ? {}
      : { checkpoint: { to: await placeThatHangs(location, hang), every: { steps: 1 } }, resume: true }),
    onProgress: ({ phase, done: rows }) => {
      if (phase === 'fineTune') first ??= rows;
    },
  });
  const weights = [...model.base.trunk.weights, ...model.head.trunk.weights];
  const kernels = weights.map(({ variable }) => Array.from(variable.dataSync()));
  model.dispose();
  const losses = epochs.flatMap(({ loss, validationLoss = NaN }) => [loss, validationLoss]);
  return { losses, kernels, warnings, first: first ?? NaN, tensorsLeft: memory().numTensors - before };
}

/** The training that waits: how to let it go on, and its end. */
let waiting: { readonly goOn: (how: Ending) => void; readonly end: Promise<string> } | undefined;

async function begin(to: string): Promise<void> {
  await useBackend('cpu');
  const { model, samples } = await makeTask();
  const controller = new AbortController();
  await new Promise<void>((waits, fails) => {
    let goOn: (how: Ending) => void = () => undefined;
    const told = new Promise<Ending>((resolve) => {
      goOn = resolve;
    });
    const onEpoch = async () => {
      waits();
      const how = await told;
      if (how === 'error') throw new Error('the callback failed');
      if (how === 'signal') controller.abort();
    };
    const options = { epochs: 2, headEpochs: 0, batchSize: 10, signal: controller.signal, onEpoch, checkpoint: { to } };
    const end = fineTune(model, samples, options).then(
      ({ stoppedBy }) => stoppedBy,
      (error: unknown) => String(error),
    );
    waiting = { goOn, end };
    // Where the training fails before its first epoch.
    void end.then((how) => {
      fails(new Error(how));
    });
  });
}

let worker: Worker | undefined;

/** The same program in a worker. */
async function beginInWorker(to: string): Promise<void> {
  const own = new Worker(import.meta.url, { type: 'module' });
  worker = own;
  await new Promise<void>((resolve, reject) => {
    own.onmessage = ({ data }: MessageEvent<string>) => {
      if (data === 'ready') own.postMessage(to);
      else if (data === 'waits') resolve();
      else reject(new Error(data));
    };
  });
}

function serveWorker(): void {
  addEventListener('message', ({ data }: MessageEvent<string>) => {
    told(begin(data)).then(
      () => {
        postMessage('waits');
      },
      (error: unknown) => {
        postMessage(String(error));
      },
    );
  });
  postMessage('ready');
}

async function writeOn(length: number): Promise<void> {
  for (let round = 0; ; round++) await store!.write(`file-${round % 3}`, new Uint8Array(length).fill(round));
}

const verbs: CheckpointsInPage = {
  train: (to, hang) => told(train(to, hang)),
  begin: (to) => told(begin(to)),
  finish(how) {
    waiting!.goOn(how);
    return waiting!.end;
  },
  beginInWorker,
  endWorker() {
    worker!.terminate();
  },
  async open(location) {
    store = await told(platform.openCheckpoints(location));
    return store.list();
  },
  list: () => told(store!.list()),
  write: (name, length, number) => told(store!.write(name, bytesFrom(length, number))),
  writeOn(length) {
    void writeOn(length);
  },
  async read(name, number) {
    const bytes = await told(store!.read(name));
    return { length: bytes.length, same: bytes.every((byte, place) => byte === byteAt(place, number)) };
  },
  async readEven(name) {
    const bytes = await told(store!.read(name));
    return { length: bytes.length, same: bytes.every((byte) => byte === bytes[0]) };
  },
  remove: (name) => told(store!.remove(name)),
  databases: async () => (await indexedDB.databases()).map(({ name = '' }) => name),
  drop: (name) =>
    new Promise((resolve) => {
      const removal = indexedDB.deleteDatabase(name);
      removal.onsuccess = () => {
        resolve(true);
      };
      removal.onblocked = () => {
        resolve(false);
      };
    }),
};

if (typeof window === 'undefined') serveWorker();
else window.checkpoints = verbs;
