// What the test of saved models does inside the page: models in IndexedDB, by this package and by plain tfjs, and
// browsers that refuse.
import { io, tensor2d, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, layers, loadLayersModel, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { platform } from '../../src/platform/browser/platform.ts';
import { isTransferKitError, load, loadBase, predict, replaceHead, save, useBackend } from '../../src/index.ts';

/** What runs in the page. */
export interface ModelsInPage {
  /** Saves a model whose first layer has so many units. */
  save(name: string, units: number): Promise<void>;
  /**
   * Loads a model; returns the probabilities of a fixed input.
   *
   * @param isPlain - It was saved by plain tfjs: without labels.
   */
  load(name: string, isPlain?: boolean): Promise<readonly number[]>;
  /** The same by plain tfjs. */
  loadPlain(name: string): Promise<readonly number[]>;
  /** Saves a classifier by plain tfjs. */
  savePlain(name: string): Promise<void>;
  /** Names with the bytes of their weights, as plain tfjs lists them. */
  listPlain(): Promise<Readonly<Record<string, number>>>;
  /** Opens a place of checkpoints. */
  openCheckpoints(location: string): Promise<void>;
  /** Has a browser without IndexedDB, or one that refuses to open a database. */
  refuse(how: 'absent' | 'denied'): void;
}

declare global {
  interface Window {
    models?: ModelsInPage;
  }
}

const labels = ['a', 'b'] as const;
const input = [0.1, -0.4, 0.9];

/** Errors as text that says their code. */
async function told<Value>(work: Promise<Value>): Promise<Value> {
  return work.catch((error: unknown) => {
    throw new Error(isTransferKitError(error) ? `${error.code} ${error.message}` : `raw ${String(error)}`);
  });
}

function network(units: number): LayersModel {
  const kernelInitializer = initializers.heNormal({ seed: 1 });
  const made = sequential();
  made.add(layers.dense({ inputShape: [3], units, kernelInitializer, activation: 'relu', name: 'first' }));
  made.add(layers.dense({ units: 2, kernelInitializer, activation: 'softmax', name: 'last' }));
  return made;
}

async function saveTransfer(name: string, units: number): Promise<void> {
  await useBackend('cpu');
  const made = network(units);
  const model = replaceHead(await loadBase(made), { labels, seed: 1 });
  await save(model, `indexeddb://${name}`);
  model.dispose();
  made.dispose();
}

async function probabilities(name: string, isPlain = false): Promise<number[]> {
  await useBackend('cpu');
  using model = await load(`indexeddb://${name}`, { task: 'classes', ...(isPlain ? { labels } : {}) });
  const predicted = await predict(model, input);
  return labels.map((label) => predicted.find((one) => one.label === label)?.probability ?? NaN);
}

async function plainProbabilities(name: string): Promise<number[]> {
  const model = await loadLayersModel(`indexeddb://${name}`);
  return Array.from(tidy(() => (model.predict(tensor2d([input])) as Tensor).dataSync()));
}

window.models = {
  save: (name, units) => told(saveTransfer(name, units)),
  load: (name, isPlain) => told(probabilities(name, isPlain)),
  loadPlain: plainProbabilities,
  async savePlain(name) {
    await network(4).save(`indexeddb://${name}`);
  },
  async listPlain() {
    const models = Object.entries(await io.listModels());
    return Object.fromEntries(models.map(([address, { weightDataBytes = NaN }]) => [address, weightDataBytes]));
  },
  async openCheckpoints(location) {
    await told(platform.openCheckpoints(location));
  },
  refuse(how) {
    const denied = {
      open() {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      },
    };
    Object.defineProperty(window, 'indexedDB', { value: how === 'absent' ? undefined : denied });
  },
};
