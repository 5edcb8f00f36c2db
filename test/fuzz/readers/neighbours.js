// What classifiers without training keep, as JSON.
import * as tf from '@tensorflow/tfjs-core';
import { tinyNetwork } from './tfjsModels.js';
import { jsonBytes, tensors, wave } from './values.js';

export const neighbours = {
  name: 'knn, nearestCentroid',
  share: 1,
  open: async (api) => {
    await api.useBackend('cpu');
    const base = await api.loadBase(tinyNetwork());
    const inputs = [0, 1, 2, 3].map((phase) => tf.tensor(wave(108, phase), [6, 6, 3]));
    const seeds = [];
    for (const name of ['knn', 'nearestCentroid']) {
      const classifier = await api[name](base);
      for (const [i, input] of inputs.entries()) await classifier.add(input, 'ab'[i % 2]);
      seeds.push({ name, files: { 'examples.json': jsonBytes(classifier.toJSON()) } });
      classifier.dispose();
    }
    const read = async ({ 'examples.json': bytes }, { name }) => {
      let examples;
      try {
        examples = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        return 'not JSON';
      }
      const classifier = await api[name](base, { examples });
      try {
        return JSON.stringify(await classifier.predict(inputs[1]));
      } finally {
        classifier.dispose();
      }
    };
    return { seeds, tensors, read };
  },
};
