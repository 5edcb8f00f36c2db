// What the browser test does inside the page: the whole way on one backend, with pictures from a canvas.
import { memory } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm'; // As an application may, before any verb.
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import {
  fineTune,
  fromArrays,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  trainHead,
  useBackend,
} from '../../src/index.ts';

/** What one pass through the verbs gave. */
export interface Journey {
  readonly backend: string;
  readonly threads: number;
  readonly headLosses: readonly number[];
  readonly fineTuneLosses: readonly number[];
  readonly predicted: readonly { readonly label: string; readonly probability: number }[];
  readonly predictedAgain: readonly { readonly label: string; readonly probability: number }[];
  /** Of a picture that was drawn, encoded and decoded again. */
  readonly predictedFromBlob: string | undefined;
  /** Tensors alive at the end that were not there when it began. */
  readonly tensorsLeft: number;
}

declare global {
  interface Window {
    journey?: (backend: string) => Promise<Journey>;
  }
}

window.journey = async (backend) => {
  const { name, threads } = await useBackend(backend);
  const network = smallNetwork();
  const before = memory().numTensors;
  const base = await loadBase(network, { preprocess: 'unit' });
  const model = replaceHead(base, { labels: ['disc', 'square'], dropout: 0 });
  const inputs = Array.from({ length: 24 }, (_, i) => drawing(i));
  const samples = fromArrays({ inputs, targets: inputs.map((_, i) => shapeOf(i)) });

  const head = await trainHead(model, samples, { epochs: 6, batchSize: 4, learningRate: 0.1 });
  const whole = await fineTune(model, samples, { epochs: 6, batchSize: 4, learningRate: 0.02 });
  const picture = drawing(25);
  const predicted = await predict(model, picture);
  const [fromBlob] = await predict(model, await encoded(picture));
  await save(model, `indexeddb://${backend}`);
  model.dispose();
  const again = await load(`indexeddb://${backend}`, { task: 'classes' });
  const predictedAgain = await predict(again, picture);
  again.dispose();
  return {
    backend: name,
    threads,
    headLosses: head.epochs.map(({ loss }) => loss),
    fineTuneLosses: whole.epochs.map(({ loss }) => loss),
    predicted,
    predictedAgain,
    predictedFromBlob: fromBlob?.label,
    tensorsLeft: memory().numTensors - before,
  };
};

function shapeOf(index: number): 'disc' | 'square' {
  return index % 2 === 0 ? 'disc' : 'square';
}

/** A bright disc or a dark square, somewhere. */
function drawing(index: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 24;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  const offset = index % 5;
  context.fillStyle = '#808080';
  context.fillRect(0, 0, 24, 24);
  context.fillStyle = shapeOf(index) === 'disc' ? '#f0e0a0' : '#102040';
  if (shapeOf(index) === 'disc') {
    context.arc(10 + offset, 10 + offset, 8, 0, 2 * Math.PI);
    context.fill();
  } else {
    context.fillRect(2 + offset, 2 + offset, 14, 14);
  }
  return canvas;
}

function encoded(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error('no blob'));
      else resolve(blob);
    }, 'image/png');
  });
}

function smallNetwork(): LayersModel {
  // Seeded, so that the test sees the same losses in every run.
  const kernelInitializer = initializers.heNormal({ seed: 1 });
  const network = sequential({ name: 'small' });
  const convolution = { kernelSize: 3, filters: 16, strides: 2, kernelInitializer };
  network.add(layers.conv2d({ ...convolution, inputShape: [24, 24, 3], name: 'first' }));
  network.add(layers.batchNormalization({ name: 'norm' }));
  network.add(layers.reLU({ name: 'relu' }));
  network.add(
    layers.depthwiseConv2d({
      kernelSize: 3,
      padding: 'same',
      depthwiseInitializer: kernelInitializer,
      name: 'depthwise',
    }),
  );
  network.add(layers.conv2d({ ...convolution, kernelSize: 1, strides: 1, activation: 'relu', name: 'last' }));
  network.add(layers.globalAveragePooling2d({ name: 'pool' }));
  network.add(layers.dense({ units: 4, activation: 'softmax', kernelInitializer, name: 'classifier' }));
  return network;
}
