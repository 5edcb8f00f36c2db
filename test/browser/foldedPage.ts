// What the browser test of folded networks does inside the page.
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { useBackend } from '../../src/index.ts';
import { GroupedConv2D } from '../../src/networks/layers/groupedConv2D.ts';
import { chain, distance } from '../support/fusedChains.ts';
import { wave } from '../support/tinyModel.ts';

declare global {
  interface Window {
    /** Largest difference between a chain of layers folded and one by one, relative to the largest value. */
    folded?: (backend: string) => Promise<Record<string, number>>;
  }
}

const norm = () => layers.batchNormalization({});
const activation = (name: 'elu' | 'relu' | 'sigmoid') => layers.activation({ activation: name });
const conv = (config: object = {}) => layers.conv2d({ filters: 6, kernelSize: 3, ...config });

/** Of every way of folding one. */
const chains: Readonly<Record<string, () => readonly unknown[]>> = {
  'uneven padding, stride, BatchNorm, relu6': () => [
    layers.zeroPadding2d({
      padding: [
        [0, 1],
        [2, 1],
      ],
    }),
    conv({ strides: 2 }),
    norm(),
    layers.reLU({ maxValue: 6 }),
  ],
  'elu and sigmoid inside': () => [conv(), norm(), activation('elu'), conv(), activation('sigmoid')],
  'leaky relu inside, and behind a depthwise convolution': () => [
    conv(),
    layers.leakyReLU({ alpha: 0.1 }),
    layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
    norm(),
    layers.leakyReLU({ alpha: 0.1 }),
  ],
  'BatchNorm in front': () => [norm(), activation('relu'), conv()],
  'separable and grouped convolutions': () => [
    layers.separableConv2d({ filters: 6, kernelSize: 3 }),
    norm(),
    new GroupedConv2D({ filters: 6, groups: 2, kernelSize: 3 }),
    norm(),
  ],
  'global pooling and a dense layer': () => [
    conv(),
    layers.globalAveragePooling2d({}),
    layers.dense({ units: 4 }),
    norm(),
  ],
};

window.folded = async (backend) => {
  await useBackend(backend);
  const found: Record<string, number> = {};
  for (const [name, list] of Object.entries(chains)) {
    const trunk = await chain(list(), [9, 8, 6]);
    const part = await trunk.fold();
    const x = wave([2, 9, 8, 6], 3, 0.3);
    const y = await part.run(x);
    found[name] = tf.tidy(() => distance(y, trunk.run(x, { fused: false })));
    tf.dispose([x, y]);
    part.dispose();
    trunk.dispose();
  }
  return found;
};
