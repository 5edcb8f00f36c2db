// Changes the inputs of training, so that an epoch does not repeat the pictures of another one. Each example has its
// own seed.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { PictureAugmentation } from './augmentPictures.ts';
import type { ImageOperation } from './operations.ts';
import { augmentPresets, type AugmentPreset } from './presetOperations.ts';
import { settlePictures } from './settlePictures.ts';
import { keysOf, quoted } from '../../core/names.ts';
import { deriveSeed } from '../../core/random.ts';
import type { AnyModel } from '../../model/model.ts';
import type { Augmentation, Inputs } from './changeEach.ts';
import { assertOneOf, assertWhole, invalidOption, isObject } from '../../core/optionChecks.ts';
import { makeStopwatch, type Stopwatch } from '../../core/stopwatch.ts';

/** How to change inputs: a preset for pictures, operations on pictures in their order, or a function. */
export type AugmentOption = AugmentPreset | readonly ImageOperation[] | Augmentation;

/** An augmentation with every default filled in. */
export interface SettledAugmentation {
  readonly change: PictureAugmentation | Augmentation;
  readonly views: number | 'fresh';
  /** Whether view 0 is the unchanged input. Default false. */
  readonly startsUnchanged?: boolean;
  readonly seed: number;
  /** Measures the time that augmentation has taken so far. */
  readonly stopwatch: Stopwatch;
}

/** The options of an augmentation, and the run that they are for. */
export interface AugmentationRequest {
  readonly augment: AugmentOption | undefined;
  readonly views: number | 'fresh' | undefined;
  readonly seed: number;
  readonly epochs: number;
  readonly model: Pick<AnyModel, 'base'>;
}

/** Separates these draws from all others of the same seed. */
const purpose = 0x617567;

/**
 * Fills in defaults and checks values; undefined when inputs are not to be changed.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleAugmentation(request: AugmentationRequest): SettledAugmentation | undefined {
  const { augment = 'none', views = 'fresh', seed, epochs, model } = request;
  if (request.augment === undefined && !isFresh(views)) {
    throw invalidOption('augment beside views, which are of changed inputs', undefined, 'no augment');
  }
  if (typeof views === 'number') assertWhole('views', views, 1);
  else if (!isFresh(views)) throw invalidOption("views to be 'fresh' or a whole number from 1", views);
  const change = settleChange(augment, model);
  if (change === undefined) return undefined;
  // More views than epochs would never be used.
  return { change, views: views === 'fresh' ? views : Math.min(views, epochs), seed, stopwatch: makeStopwatch() };
}

/**
 * Changes the inputs of a batch. The caller owns the result and keeps the given inputs.
 *
 * @throws TransferKitError for a result that breaks the rules of {@link Augmentation}: `INVALID_OPTION`, `WRONG_SHAPE`,
 * `WRONG_DTYPE`, `NOT_FINITE`.
 */
export async function augmentInputs(
  { change, seed, stopwatch }: SettledAugmentation,
  inputs: Inputs,
  view: number,
): Promise<Tensor> {
  const seeds = inputs.indexes.map((index) => deriveSeed(seed, purpose, index, view));
  if ('steps' in change) {
    const { augmentPictures } = await import('./augmentPictures.ts');
    return stopwatch.time(async () => augmentPictures(change, inputs.input, seeds));
  }
  const { changeEach } = await import('./changeEach.ts');
  return stopwatch.time(() => changeEach(change, inputs, seeds));
}

function settleChange(
  augment: AugmentOption,
  { base }: AugmentationRequest['model'],
): SettledAugmentation['change'] | undefined {
  if (typeof augment === 'string') assertOneOf('augment', augment, keysOf(augmentPresets));
  if (typeof augment === 'string' || isList(augment)) return settlePictures(augment, base);
  if (!isObject(augment) || typeof augment.apply !== 'function') {
    throw invalidOption(
      `augment to be ${quoted(keysOf(augmentPresets))}, a list of operations or { apply(input, seed) }`,
      augment,
    );
  }
  if ('views' in augment) throw invalidOption('views beside augment, not in it', augment);
  return augment;
}

function isFresh(views: unknown): boolean {
  return views === 'fresh';
}

function isList(augment: AugmentOption): augment is readonly ImageOperation[] {
  return Array.isArray(augment);
}
