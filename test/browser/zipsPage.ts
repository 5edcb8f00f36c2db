// What the test of models as one file does inside the page: saves and exports them, and loads those that the user opens.
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { keepStorage, zipDownload, type StorageReport } from '../../src/browser.ts';
import {
  exportModel,
  isTransferKitError,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  useBackend,
  zipBlob,
  type LoadedModel,
} from '../../src/index.ts';

/** What runs in the page. */
export interface ZipsInPage {
  /** Downloads a model; returns its probabilities for a fixed input. */
  download(name: string): Promise<readonly number[]>;
  /** Downloads an export of the model in a format of one file; returns its probabilities for a fixed input. */
  downloadExport(name: string, format: 'keras' | 'onnx'): Promise<readonly number[]>;
  /** Packs the model into a Blob and loads it again; returns both probabilities and the Blob's type. */
  repack(): Promise<{ before: readonly number[]; after: readonly number[]; type: string }>;
  /** Saves to a Blob whose user fails. */
  upload(): Promise<void>;
  /** Probabilities of the model in the file that the user has opened. */
  loadOpened(): Promise<readonly number[]>;
  keep(): Promise<StorageReport>;
}

declare global {
  interface Window {
    zips?: ZipsInPage;
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

async function makeModel() {
  await useBackend('cpu');
  const network = sequential();
  const kernelInitializer = initializers.heNormal({ seed: 1 });
  network.add(layers.dense({ inputShape: [3], units: 5, kernelInitializer, activation: 'relu', name: 'first' }));
  network.add(layers.dense({ units: 2, kernelInitializer, activation: 'softmax', name: 'last' }));
  const base = await loadBase(network);
  network.dispose();
  return replaceHead(base, { labels, seed: 1 });
}

async function probabilitiesOf(model: LoadedModel): Promise<number[]> {
  if (model.task !== 'classes') throw new Error(`a model for ${String(model.task)}`);
  const predicted = await predict(model, input);
  return labels.map((label) => predicted.find((one) => one.label === label)?.probability ?? NaN);
}

async function download(name: string): Promise<number[]> {
  using model = await makeModel();
  await save(model, zipDownload(name));
  return await probabilitiesOf(model);
}

async function downloadExport(name: string, format: 'keras' | 'onnx'): Promise<number[]> {
  using model = await makeModel();
  await exportModel(model, `downloads://${name}`, { format });
  return await probabilitiesOf(model);
}

async function repack() {
  using model = await makeModel();
  const blobs: Blob[] = [];
  await save(
    model,
    zipBlob((blob) => blobs.push(blob)),
  );
  const [blob = new Blob()] = blobs;
  using again = await load(blob);
  return { before: await probabilitiesOf(model), after: await probabilitiesOf(again), type: blob.type };
}

async function upload(): Promise<void> {
  using model = await makeModel();
  const target = zipBlob(async () => {
    throw new Error('the server is full');
  });
  await save(model, target);
}

async function loadOpened(): Promise<number[]> {
  const file = document.querySelector('input')?.files?.[0];
  if (file === undefined) throw new Error('no file was opened');
  await useBackend('cpu');
  using model = await load(file);
  return await probabilitiesOf(model);
}

const picker = document.createElement('input');
picker.type = 'file';
document.body.append(picker);

window.zips = {
  download: (name) => told(download(name)),
  downloadExport: (name, format) => told(downloadExport(name, format)),
  repack: () => told(repack()),
  upload: () => told(upload()),
  loadOpened: () => told(loadOpened()),
  keep: keepStorage,
};
