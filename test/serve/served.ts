// Models that are served in tests, and pictures for them.
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { definePreprocessor, loadBase, replaceHead, type Preprocessor, type TransferModel } from '../../src/index.ts';
import { serveModel, type ModelService, type ServeModelOptions } from '../../src/node.ts';
import { tinyLabels } from '../support/tinyTask.ts';
import { tinyModel } from '../support/tinyModel.ts';

/** A small model of pictures. */
export async function pictureModel(preprocess?: Preprocessor): Promise<TransferModel<'classes'>> {
  const source = tinyModel();
  const base = await loadBase(source, { cut: 'relu2', preprocess: preprocess ?? 'unit' });
  source.dispose();
  return replaceHead(base, { labels: tinyLabels });
}

/** An encoded picture of a colour. */
export async function picture(
  background = '#d08030',
  format: 'jpeg' | 'png' | 'webp' = 'jpeg',
  side = 40,
): Promise<Uint8Array<ArrayBuffer>> {
  const created = sharp({ create: { width: side, height: side, channels: 3, background } });
  return new Uint8Array(await created.toFormat(format).toBuffer());
}

/** Preprocessing that waits, for services whose pictures take as long as a test wants. */
export interface Gate {
  readonly preprocess: Preprocessor;
  /** Number of pictures inside. */
  readonly inside: () => number;
  /** Number of pictures that have ever come. */
  readonly entered: () => number;
  close(): void;
  open(): void;
}

/** An open gate. */
export function gate(): Gate {
  let inside = 0;
  let entered = 0;
  let opened = Promise.resolve();
  let release = (): void => undefined;
  const apply = async (): Promise<tf.Tensor> => {
    inside++;
    entered++;
    await opened;
    inside--;
    return tf.zeros([16, 16, 3]);
  };
  return {
    preprocess: definePreprocessor({ name: 'gate', apply }),
    inside: () => inside,
    entered: () => entered,
    close: () => {
      opened = new Promise((resolve) => {
        release = resolve;
      });
    },
    open: () => {
      release();
    },
  };
}

/** Serves a model on a free port while a test runs. */
export async function whileServed(
  model: TransferModel<'classes'>,
  options: ServeModelOptions,
  run: (url: string, service: ModelService) => Promise<void>,
): Promise<void> {
  const service = await serveModel(model, { port: 0, ...options });
  try {
    await run(service.url, service);
  } finally {
    await service.close();
  }
}

/** Waits until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
