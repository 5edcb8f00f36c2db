// What the test of checkpoints does inside the page: trains and is interrupted, and works on files in IndexedDB
// directly.
import { memory } from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { platform } from '../../src/platform/browser/platform.ts';
import type { CheckpointStore } from '../../src/core/checkpointStore.ts';
import { fineTune, fromArrays, isTransferKitError, loadBase, replaceHead, useBackend } from '../../src/index.ts';

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

async function train(location?: string, hang = Infinity): Promise<Trained> {
  await useBackend('cpu');
  const before = memory().numTensors;
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

async function writeOn(length: number): Promise<void> {
  for (let round = 0; ; round++) await store!.write(`file-${round % 3}`, new Uint8Array(length).fill(round));
}

window.checkpoints = {
  train: (to, hang) => told(train(to, hang)),
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
