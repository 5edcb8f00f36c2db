// What the test of lost devices does inside the page: verbs whose WebGL context or WebGPU device goes away while they read.
import { engine, memory } from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import {
  fineTune,
  fromArrays,
  isTransferKitError,
  loadBase,
  predict,
  replaceHead,
  save,
  trainHead,
  useBackend,
  type Prediction,
  type TransferModel,
} from '../../src/index.ts';

/** How a verb ended. */
export interface Ending {
  /** Code of its error; `'resolved'` without one, `'pending'` if it did not end in ten seconds. */
  readonly code: string;
  readonly text: string;
  /** Tensors that are left after its model was disposed of. */
  readonly tensorsLeft: number;
}

/** What runs in the page. */
export interface Losses {
  /** The device goes while the verb reads for the given time. */
  during(backend: string, verb: 'fineTune' | 'predict' | 'save' | 'trainHead', read: number): Promise<Ending>;
  /** Verbs that begin after the loss, and a choice of backends after it. */
  after(backend: string, next: string): Promise<{ readonly before: Ending; readonly name: string; losses: number[] }>;
  /** A model that was saved, before its device is lost and after it, on wasm. */
  saved(backend: string): Promise<readonly Prediction<'classes'>[]>;
  /** Losses of a run that goes on from its checkpoint on wasm, and of the same on wasm alone. */
  resumed(backend: string): Promise<{
    readonly code: string;
    readonly warnings: readonly string[];
    readonly losses: readonly (readonly number[])[];
  }>;
}

declare global {
  interface Window {
    losses?: Losses;
  }
}

interface Gpu {
  readonly gpgpu?: { readonly gl: WebGL2RenderingContext };
  readonly device?: { destroy(): void };
}

/** As a driver that restarts does it. */
function loseDevice(): void {
  const { gpgpu, device } = engine().backend as unknown as Gpu;
  gpgpu?.gl.getExtension('WEBGL_lose_context')?.loseContext();
  device?.destroy();
}

/** Loses the device directly after the given number of reads have begun. */
function loseWhileReading(read: number): void {
  const instance = engine().backend as unknown as Gpu;
  const owner: object = instance.gpgpu?.gl ?? (Reflect.get(globalThis, 'GPUBuffer') as { prototype: object }).prototype;
  const method = instance.gpgpu === undefined ? 'mapAsync' : 'fenceSync';
  const original = Reflect.get(owner, method) as (...given: unknown[]) => unknown;
  let begun = 0;
  Reflect.set(owner, method, function (this: unknown, ...given: unknown[]) {
    const result = original.apply(this, given);
    if (++begun === read) {
      Reflect.set(owner, method, original);
      loseDevice();
    }
    return result;
  });
}

function network(): LayersModel {
  const kernelInitializer = initializers.heNormal({ seed: 1 });
  const made = sequential({ name: 'small' });
  made.add(layers.conv2d({ kernelSize: 3, filters: 4, inputShape: [8, 8, 3], kernelInitializer, name: 'conv' }));
  made.add(layers.reLU({ name: 'relu' }));
  made.add(layers.globalAveragePooling2d({ name: 'pool' }));
  made.add(layers.dense({ units: 3, kernelInitializer, name: 'classifier' }));
  return made;
}

const inputs = Array.from({ length: 8 }, (_, i) =>
  new Float32Array(192).map((_, j) => Math.sin(i + j * (1 + (i % 2)))),
);
const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'even' : 'odd')) });
const options = { epochs: 3, batchSize: 4, learningRate: 0.05 };

async function newModel(): Promise<TransferModel<'classes'>> {
  const source = network();
  const base = await loadBase(source);
  source.dispose();
  return replaceHead(base, { labels: ['even', 'odd'], dropout: 0 });
}

async function trainedModel(): Promise<TransferModel<'classes'>> {
  const model = await newModel();
  await trainHead(model, samples, { ...options, epochs: 1 });
  return model;
}

async function endOf(work: Promise<unknown>): Promise<Omit<Ending, 'tensorsLeft'>> {
  const late = new Promise((resolve) => setTimeout(resolve, 10_000, 'pending'));
  try {
    const first = await Promise.race([work.then(() => 'resolved'), late]);
    return { code: String(first), text: '' };
  } catch (error) {
    return { code: isTransferKitError(error) ? error.code : 'none', text: String(error) };
  }
}

const target = {
  save: () => Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' as const } }),
};

const verbs = {
  fineTune: (model: TransferModel<'classes'>) => fineTune(model, samples, options),
  trainHead: (model: TransferModel<'classes'>) => trainHead(model, samples, options),
  predict: (model: TransferModel<'classes'>) => predict(model, inputs),
  save: (model: TransferModel<'classes'>) => save(model, target),
};

window.losses = {
  async during(backend, verb, read) {
    await useBackend(backend);
    const before = memory().numTensors;
    const model = await trainedModel();
    loseWhileReading(read);
    const ending = await endOf(verbs[verb](model));
    model.dispose();
    return { ...ending, tensorsLeft: memory().numTensors - before };
  },
  async after(backend, next) {
    await useBackend(backend);
    const left = memory().numTensors;
    const model = await trainedModel();
    loseDevice();
    const before = await endOf(predict(model, inputs));
    const source = network();
    const again = await endOf(loadBase(source));
    source.dispose();
    const { name } = await useBackend(next);
    model.dispose();
    const tensorsLeft = memory().numTensors - left;
    const other = await trainedModel();
    const log = await fineTune(other, samples, options);
    other.dispose();
    return {
      before: { ...before, text: `${before.text}\n${again.text}`, tensorsLeft },
      name,
      losses: log.epochs.map(({ loss }) => loss),
    };
  },
  async saved(backend) {
    await useBackend(backend);
    const model = await trainedModel();
    await save(model, target);
    const before = await predict(model, inputs[0]);
    loseDevice();
    await useBackend('wasm');
    const after = await predict(model, inputs[0]);
    model.dispose();
    return [before, after];
  },
  async resumed(backend) {
    const run = { ...options, headEpochs: 0, checkpoint: { to: `indexeddb://loss-${backend}` } };
    await useBackend(backend);
    const onEpoch = ({ epoch }: { readonly epoch: number }) => {
      if (epoch === 1) loseWhileReading(1);
    };
    const ending = await endOf(fineTune(await newModel(), samples, { ...run, onEpoch }));
    await useBackend('wasm');
    const resumed = await fineTune(await newModel(), samples, { ...run, resume: true });
    const alone = await fineTune(await newModel(), samples, { ...options, headEpochs: 0 });
    return {
      code: ending.code,
      warnings: resumed.warnings ?? [],
      losses: [resumed, alone].map(({ epochs }) => epochs.map(({ loss }) => loss)),
    };
  },
};
