// The names of trainHead's options, and by which way of training each has a meaning.
import type { NamesOf } from '../../core/optionNames.ts';
import type { TrainingOptions } from './options.ts';
import type { SolverOptions } from './solverOption.ts';

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
