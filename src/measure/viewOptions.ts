// The options of test-time augmentation, and what they become. Types only.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { AugmentOption } from '../data/augment/augment.ts';

/** Options of `predict` and `evaluate` for test-time augmentation. */
export interface ViewOptions {
  /**
   * Number of views of each input, a whole number from 1. The result is the mean over the views: of probabilities for
   * labels (after the softmax or the sigmoid), of the numbers for a regression, for each head by itself. Losses, decisions
   * and thresholds use this mean. Time grows with the number of views. Default 1: the input as it is.
   *
   * Without `augment` the views are fixed, up to 12: the picture, its mirror image, then the crop of 7/8 of the sides in
   * the centre and those in the four corners, each followed by its mirror image. Do not use them where a mirror image means
   * something else, as with text and digits: give `augment`.
   *
   * Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, section 4.1
   * (crops, mirror images and the mean of the softmax); fastai's `Learner.tta`.
   */
  readonly views?: number;
  /**
   * How the views after the first one are changed: a preset, operations or a function, as in training. Random values depend
   * only on the number of the view: every input is changed in the same way, in every call. A change that is to happen in
   * each view needs `probability: 1`: `augment: [flip({ probability: 1 })]`. Default: fixed views, see `views`.
   */
  readonly augment?: AugmentOption;
}

/** Gives the logits of a batch, [b, units]. The caller keeps the input and owns the result. */
export type Run = (input: Tensor) => Tensor | Promise<Tensor>;

/**
 * Runs a network on all views of a batch.
 *
 * @returns Logits [b, units] whose activations are the means over the views; NaN for a head where one of them is not finite.
 * The caller owns them, and keeps the input.
 */
export type InferViews = (input: Tensor, run: Run) => Promise<Tensor>;
