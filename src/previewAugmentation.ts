// The verb previewAugmentation: augmented inputs as pictures to look at.
import { nameErrors } from './core/edge.ts';
import { clone, dispose, type Tensor } from '@tensorflow/tfjs-core';
import { pictureOf } from './data/augment/pictureOf.ts';
import { pixelRangeOf, type PixelRange } from './data/augment/pixelRange.ts';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import { assertBaseAlive } from './model/assertAlive.ts';
import { internalError, TransferKitError } from './core/errors.ts';
import type { AnyModel, Base } from './model/model.ts';
import type { Picture } from './core/picture.ts';
import { describeShape } from './core/shapes.ts';
import {
  augmentInputs,
  settleAugmentation,
  type AugmentOption,
  type SettledAugmentation,
} from './data/augment/augment.ts';
import { gatherFor, type Gather } from './data/reading/gatherInputs.ts';
import { assertWhole, isObject } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';

/** Options of {@link previewAugmentation}. */
export interface PreviewAugmentationOptions {
  /** As for training. Default `'standard'`. */
  readonly augment?: AugmentOption;
  /** Number of augmented pictures of each input, from 1: those of epochs 0, 1, 2 … Default 4. */
  readonly views?: number;
  /** As for training. Default 0. */
  readonly seed?: number;
}

/** One input before and after augmentation, as bytes in the input size of the base. */
export interface AugmentationPreview {
  readonly before: Picture;
  readonly after: readonly Picture[];
}

/**
 * Augments inputs as training does, and returns them as pictures. With the seed of a training run, input i is augmented
 * as the example at index i of its samples is in epochs 0, 1, 2 …
 *
 * @param source - A base or a model that takes pictures of one or three channels.
 * @param inputs - Raw inputs, as for `predict`.
 * @param options - See {@link PreviewAugmentationOptions}.
 * @returns For each input RGB pictures, one byte for each channel;
 * `sharp(data, { raw: { width, height, channels: 3 } })` can save them.
 * @throws TransferKitError `INVALID_OPTION` (also for a base whose pixel range is unknown), `DISPOSED`, and the errors
 * of preprocessing and `augment.apply`.
 *
 * @example
 * ```ts
 * import { previewAugmentation } from 'transferkit';
 * import { flip, rotate } from 'transferkit/augment';
 *
 * const [preview] = await previewAugmentation(base, ['cat.jpg'], { augment: [flip(), rotate()], views: 2 });
 * console.log(preview?.before.width, preview?.after.length); // 32 2
 * ```
 */
export async function previewAugmentation(
  source: Base | AnyModel,
  inputs: readonly unknown[],
  options: PreviewAugmentationOptions = {},
): Promise<readonly AugmentationPreview[]> {
  return nameErrors('previewAugmentation', () => previewAll(source, inputs, options));
}

async function previewAll(
  source: Base | AnyModel,
  inputs: readonly unknown[],
  options: PreviewAugmentationOptions,
): Promise<readonly AugmentationPreview[]> {
  assertOptions(options, { augment: true, views: true, seed: true });
  const { augment = 'standard', views = 4, seed = 0 } = options;
  const base = baseOf(source);
  if (!Array.isArray(inputs)) throw noList(inputs);
  assertWhole('views', views, 1);
  assertWhole('seed', seed, 0);
  const augmentation = settleAugmentation({ augment, views, seed, epochs: views, model: { base } });
  const range = rangeOfPictures(base);
  await ensureBackend();
  const preview: Previewing = { gather: gatherFor(base), augmentation, views, range };
  const previews: AugmentationPreview[] = [];
  for (const [index, input] of inputs.entries()) previews.push(await previewOne(preview, input, index));
  return previews;
}

/** The base of a model, or the base itself. */
function baseOf(source: Base | AnyModel): Base {
  const isModel = isObject(source) && 'base' in source;
  const base = isModel ? source.base : source;
  assertBaseAlive(base);
  return base;
}

function noList(received: unknown): TransferKitError {
  const shown = typeof received === 'string' ? `'${received}'` : isObject(received) ? 'an object' : String(received);
  const text = `expected a list of inputs, got ${shown}. Put a single one in a list.`;
  return new TransferKitError('INVALID_OPTION', text, { received });
}

interface Previewing {
  readonly gather: Gather;
  /** Undefined: no augmentation. */
  readonly augmentation: SettledAugmentation | undefined;
  readonly views: number;
  readonly range: PixelRange;
}

async function previewOne({ gather, augmentation, views, range }: Previewing, raw: unknown, index: number) {
  const id = typeof raw === 'string' ? raw : `input ${String(index)}`;
  const input = await preprocessOne(gather, raw, id);
  try {
    const before = await toPicture(clone(input), range);
    const after: Picture[] = [];
    for (let view = 0; view < views; view++) {
      const changed =
        augmentation === undefined
          ? clone(input)
          : await augmentInputs(augmentation, { input, indexes: [index], ids: [id] }, view);
      after.push(await toPicture(changed, range));
    }
    return { before, after };
  } finally {
    dispose(input);
  }
}

/** A batch of one. */
async function preprocessOne(gather: Gather, raw: unknown, id: string): Promise<Tensor> {
  const gathering = gather(1);
  try {
    await gathering.add(0, raw, id);
    const input = gathering.finish([0]);
    if (input === undefined) throw internalError('nothing was gathered');
    return input;
  } finally {
    gathering.dispose();
  }
}

/** Frees the input. */
async function toPicture(input: Tensor, range: PixelRange): Promise<Picture> {
  try {
    const [, height = 0, width = 0, channels = 0] = input.shape;
    return pictureOf(await input.data(), [height, width, channels], range);
  } finally {
    dispose(input);
  }
}

function rangeOfPictures({ trunk: { input }, preprocessor: { spec } }: Base): PixelRange {
  const shape = input.shape.slice(1);
  const isPicture = shape.length === 3 && (shape[2] === 1 || shape[2] === 3);
  const range = isPicture ? pixelRangeOf(spec) : undefined;
  if (range !== undefined) return range;
  const text =
    'expected a base that takes pictures [height, width, 1 or 3] in a known range, got one that takes ' +
    `${describeShape(shape)}${isPicture ? ' and does not say which values pixels have' : ''}. Load it with ` +
    "preprocess: 'tf' or another mode, if it takes pictures.";
  throw new TransferKitError('INVALID_OPTION', text, { shape });
}
