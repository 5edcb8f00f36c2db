// Activations after the logits, as Keras layers and as operations of a GraphModel.
import { ofMeanSigmoid, ofMeanSoftmax, ofMeanValue } from './meanLogits.ts';
import type { Activation } from './task.ts';

/** Probabilities of labels that exclude each other. They sum to 1. */
export const softmax: Activation = {
  layer: 'softmax',
  op: 'Softmax',
  output: 'probabilities',
  ofMean: ofMeanSoftmax,
};

/** A probability for each logit. */
export const sigmoid: Activation = {
  layer: 'sigmoid',
  op: 'Sigmoid',
  output: 'probabilities',
  ofMean: ofMeanSigmoid,
};

/** The logits unchanged, as values. */
export const linear: Activation = { layer: 'linear', op: 'Identity', output: 'values', ofMean: ofMeanValue };
