// What documentation takes for granted: a small base, a model, samples and an input; and the ear for what it prints.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, inspect } from 'node:util';
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import sharp from 'sharp';
import { loadBase, replaceHead, type Base, type Samples, type TransferModel } from '../../src/index.ts';
import { imageFolder } from '../../src/node.ts';

/** Values by the names that blocks use for them; each block gets its own. */
export const given = {
  base: smallBase,
  model: async (): Promise<TransferModel<'classes'>> => replaceHead(await smallBase(), { labels: ['cat', 'dog'] }),
  samples: async (): Promise<Samples> => imageFolder('photos'),
  train: async (): Promise<Samples> => (await halves()).train,
  validation: async (): Promise<Samples> => (await halves()).validation,
  input: (): Promise<unknown> => Promise.resolve('cat.jpg'),
};

const printed = new Map<number, string>();

/**
 * Receives what a block prints, by line. A line that runs often is heard once.
 *
 * @public - The blocks import it.
 */
export const record = {
  printed(line: number, ...values: unknown[]): void {
    hear(line, format(...values));
  },
  value(line: number, value: unknown): void {
    hear(line, inspect(value));
  },
};

/** What was heard since the last call. */
export function takePrinted(): Map<number, string> {
  const heard = new Map(printed);
  printed.clear();
  return heard;
}

/** The files that blocks name: a folder of pictures by label, and single pictures. */
export async function writeFiles(folder: string): Promise<void> {
  const colours = { cat: '#d08030', dog: '#3060d0' };
  for (const [label, background] of Object.entries(colours)) {
    const picture = await sharp({ create: { width: 40, height: 40, channels: 3, background } })
      .jpeg()
      .toBuffer();
    await mkdir(join(folder, 'photos', label), { recursive: true });
    for (let i = 0; i < 8; i++) await writeFile(join(folder, 'photos', label, `${label}-${i}.jpg`), picture);
    await writeFile(join(folder, `${label}.jpg`), picture);
  }
}

function hear(line: number, text: string): void {
  if (!printed.has(line)) printed.set(line, text);
}

async function smallBase(): Promise<Base> {
  return loadBase(smallNetwork(), { inputSize: 32, preprocess: 'tf' });
}

async function halves(): Promise<{ train: Samples; validation: Samples }> {
  return (await imageFolder('photos')).split({ validation: 0.25, seed: 1 });
}

/** Two convolutions with BatchNorm and a classifier: a pretrained network in small. */
function smallNetwork(): LayersModel {
  const network = sequential({ name: 'small' });
  const drawn = (seed: number) => ({
    kernelSize: 3,
    strides: 2,
    kernelInitializer: initializers.glorotUniform({ seed }),
  });
  network.add(layers.conv2d({ inputShape: [32, 32, 3], filters: 8, name: 'block_1_conv', ...drawn(1) }));
  network.add(layers.batchNormalization({ name: 'block_1_bn' }));
  network.add(layers.reLU({ name: 'block_1_relu' }));
  network.add(layers.conv2d({ filters: 16, name: 'block_2_conv', ...drawn(2) }));
  network.add(layers.reLU({ name: 'relu' }));
  network.add(layers.globalAveragePooling2d({ name: 'pool' }));
  network.add(layers.dense({ units: 10, activation: 'softmax', name: 'predictions' }));
  return network;
}
