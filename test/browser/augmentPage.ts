// What the browser test of augmentation does inside the page.
import * as tf from '@tensorflow/tfjs-core';
import { augmentPictures } from '../../src/data/augment/augmentPictures.ts';
import { settleOperation } from '../../src/data/augment/operations.ts';
import { pixelRangeOf } from '../../src/data/augment/pixelRange.ts';
import { stepsOf } from '../../src/data/augment/operationSteps.ts';
import { imagePreprocessor, useBackend, type ImageOperation } from '../../src/index.ts';
import {
  blur,
  brightness,
  contrast,
  cutout,
  flip,
  grayscale,
  hue,
  noise,
  perspective,
  rotate,
  shift,
} from '../../src/augment.ts';

declare global {
  interface Window {
    /** Eight pictures changed on a backend. */
    augmented?: (backend: string) => Promise<number[]>;
  }
}

const operations: ImageOperation[] = [
  flip(),
  perspective(),
  rotate({ degrees: 60 }),
  brightness({ amount: 0.4 }),
  contrast({ amount: 0.4 }),
  blur(),
  shift({ horizontal: 0.3, fill: 0.4 }),
  noise({ probability: 0.5 }),
  cutout(),
  hue({ amount: 0.3 }),
  grayscale(),
];

const size = [9, 11] as const;
const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

window.augmented = async (backend) => {
  await useBackend(backend);
  const range = pixelRangeOf(imagePreprocessor({ mode: 'torch', size }).spec);
  if (range === undefined) throw new Error('no range');
  const values = Float32Array.from({ length: 8 * 9 * 11 * 3 }, (_, i) => Math.sin(i * 1.7));
  const pictures = tf.tensor(values, [8, ...size, 3]);
  const before = tf.memory().numTensors;
  const changed = augmentPictures(
    { steps: stepsOf(operations.flatMap((operation) => settleOperation(operation) ?? [])), range },
    pictures,
    seeds,
  );
  if (tf.memory().numTensors !== before + 1) throw new Error('tensors were left behind');
  const received = [...(await changed.data())];
  tf.dispose([pictures, changed]);
  return received;
};
