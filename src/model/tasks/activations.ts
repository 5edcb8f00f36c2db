// The activations behind logits, as a Keras layer and as an operation of a GraphModel.
import type { Activation } from './task.ts';

/** One of several: probabilities that sum to 1. */
export const softmax: Activation = { layer: 'softmax', op: 'Softmax', output: 'probabilities' };

/** A probability for each logit. */
export const sigmoid: Activation = { layer: 'sigmoid', op: 'Sigmoid', output: 'probabilities' };

/** The numbers themselves. */
export const linear: Activation = { layer: 'linear', op: 'Identity', output: 'values' };
