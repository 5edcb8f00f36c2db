// Options of trainHead, and which of them apply to gradient training, to the solver or to both.
import type { NamesOf } from '../../core/optionNames.ts';
import type { TrainingOptions } from './options.ts';

/**
 * Method that trains a head: `'lbfgs'` solves for the optimum of a linear head, `'gradient'` trains by gradient steps.
 */
export type SolverName = 'lbfgs' | 'gradient';

/** Options of the solver. */
export interface SolverOptions {
  /**
   * `'lbfgs'` solves for the weights of a linear head on the features of all examples at once: there is one optimum and
   * nothing to tune. Features are standardised, and the standardisation is folded into kernel and bias; columns that
   * vary little more than float32 rounding are damped or left out. Labels are fitted by logistic regression
   * (multinomial, or with one logit; for `multiLabel` one for each label), numbers by ridge regression. Dropout is not
   * used. `'gradient'` trains by gradient steps, in epochs.
   *
   * Default: `'lbfgs'` for a linear head on features that fit into memory, unless an option needs gradient steps:
   * `epochs`, or a value other than the default of an option such as `labelSmoothing`, `optimizer` or `earlyStopping`.
   * `augment` without a number of `views` needs them too; with a number n of `views`, the head is solved for on each example
   * and n augmented views of it, each of which counts 1 / (n + 1). Otherwise `'gradient'`. The log's `method` and `reason` report the choice. With `cache: false` the solver reads
   * examples twice, the second time for figures.
   */
  readonly solver?: SolverName;
  /**
   * Strength of the solver's penalty, above 0: `l2 / 2` times the squared kernel on standardised features, added to the
   * mean cross-entropy, or to half the mean squared error of standardised targets. It is scikit-learn's `1 / (C n)`,
   * and for ridge regression its `alpha / n`. Default: the strength from 1e-5 to 1e3 with the lowest loss on the
   * validation samples. Without these it is chosen by five-fold cross-validation, or, for more than 5000 examples, on a
   * held-out fifth of them. For heads of very many weights the strength is chosen on drawn examples and scaled by their
   * share, weak strengths may not be tried, and the final fit ends within 1e-5 of the optimum or at a limit of steps: the
   * log's `solver.chosenOn` and `solver.bounded` report it.
   */
  readonly l2?: number;
}

/** Options of `trainHead`. */
export interface TrainHeadOptions extends TrainingOptions, SolverOptions {
  /**
   * Learning rate before the schedule, above 0. Default: the optimizer's own, 1e-3 for Adam and 1e-2 for SGD. Another
   * value selects training by gradients.
   */
  readonly learningRate?: number;
}

/** Every option: `'gradient'` if only training by gradients uses it, `'both'` if the solver uses it too. */
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
  views: 'both',
} as const satisfies NamesOf<TrainHeadOptions, 'gradient' | 'both'>;

type Names = typeof trainHeadNames;

/** Options that the solver does not use. */
export type GradientOption = { [Name in keyof Names]: Names[Name] extends 'gradient' ? Name : never }[keyof Names];
