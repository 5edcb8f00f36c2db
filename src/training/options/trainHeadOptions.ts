// The options of trainHead about its solver, and by which way of training each option has a meaning.
import type { NamesOf } from '../../core/optionNames.ts';
import type { TrainingOptions } from './options.ts';

/** How a head finds its weights: `'lbfgs'` solves for the optimum of a linear head, `'gradient'` is the training loop. */
export type SolverName = 'lbfgs' | 'gradient';

/** Options about it. */
export interface SolverOptions {
  /**
   * `'lbfgs'` solves for the weights of a head that is linear, on the features of all examples at once: nothing to tune, one
   * optimum. Features are standardised, and the standardisation is folded into kernel and bias; columns that hardly vary beyond
   * what float32 rounds are held back or left out. Classes are told apart by
   * logistic regression (multinomial, or by one logit; for `multiLabel` one for each label), numbers by ridge regression.
   * Dropout has no part in it. `'gradient'` trains by epochs.
   *
   * Default: `'lbfgs'` for a linear head on features that fit into memory, unless an option needs gradient steps: `epochs`, or a
   * value other than the default of an option such as `labelSmoothing`, `optimizer` or `earlyStopping`. Else `'gradient'`. The
   * log's `method` and `reason` say what was done. With `cache: false` examples are read twice, once for figures.
   */
  readonly solver?: SolverName;
  /**
   * Strength of the solver's penalty, above 0: `l2 / 2` times the squared kernel on standardised features, added to the mean
   * cross-entropy, or to half the mean squared error of standardised targets. It is scikit-learn's `1 / (C n)`, and for
   * ridge regression its `alpha / n`. Default: from 1e-5 to 1e3 the one with the lowest loss on the validation samples, or,
   * where there are none, in a cross-validation of five folds; of more than 5000 examples, on a fifth of them.
   */
  readonly l2?: number;
}

/** What `trainHead` may be given. */
export type AnyTrainHeadOptions = TrainingOptions & SolverOptions & { readonly learningRate?: number };

/** Every option: `'gradient'` where it has a meaning in training by steps alone, `'both'` where a solver heeds it too. */
export const trainHeadNames = {
  augment: 'gradient',
  batchNorm: 'both',
  batchSize: 'both',
  cache: 'both',
  checkpoint: 'gradient',
  classWeights: 'both',
  clip: 'gradient',
  cutMix: 'gradient',
  earlyStopping: 'gradient',
  ema: 'gradient',
  epochs: 'gradient',
  gradientAccumulationSteps: 'gradient',
  initialEpoch: 'gradient',
  l2: 'both',
  labelSmoothing: 'gradient',
  learningRate: 'gradient',
  loss: 'gradient',
  lossWeights: 'both',
  maxSeconds: 'gradient',
  mixup: 'gradient',
  monitor: 'gradient',
  onEpoch: 'both',
  onProgress: 'both',
  optimizer: 'gradient',
  restoreBest: 'gradient',
  resume: 'gradient',
  schedule: 'gradient',
  seed: 'both',
  signal: 'both',
  solver: 'both',
  validation: 'both',
  views: 'gradient',
} as const satisfies NamesOf<AnyTrainHeadOptions, 'gradient' | 'both'>;

type Names = typeof trainHeadNames;

/** Options that a solver does not heed. */
export type GradientOption = { [Name in keyof Names]: Names[Name] extends 'gradient' ? Name : never }[keyof Names];
