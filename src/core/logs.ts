// What training did, as plain data. Types only.
import type { Unreadable } from './types.ts';

/** How one of several heads did in an epoch; its losses as they are without `lossWeights`. */
export type HeadFigures = Pick<EpochLog, 'loss' | 'accuracy' | 'validationLoss' | 'validationAccuracy'>;

/** Figures of one epoch. */
export interface EpochLog {
  /** Counted from 0, or from `initialEpoch`. */
  readonly epoch: number;
  /** Mean over the epoch's examples, dropout active, while weights moved. Of a solver: with its result, dropout off. */
  readonly loss: number;
  /** Share of right predictions in the same passes; not for regression. Of several heads the mean of those that have one. */
  readonly accuracy?: number;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
  /** Figures of each of several heads, by name. */
  readonly heads?: Readonly<Record<string, HeadFigures>>;
  /** Of the epoch's last step; of several rates of the base the highest. Missing where a solver found the weights. */
  readonly learningRate?: { readonly head: number; readonly base?: number };
  /** Mean over the epoch's steps of the norm of all gradients together, before clipping. */
  readonly gradientNorm?: number;
  readonly seconds: number;
}

/** What `onEpoch` receives: an epoch's figures, and whether the head alone was trained in it. */
export interface EpochReport extends EpochLog {
  readonly phase: 'head' | 'fineTune';
}

/** A figure of an epoch to judge it by. Losses and errors are better the lower, accuracies the higher. */
export type Monitor = 'loss' | 'accuracy' | 'validationLoss' | 'validationAccuracy';

/** What a solver did. */
export interface SolverLog {
  /** Strength of the penalty on standardised features: of each head, where there are several. */
  readonly l2: number | Readonly<Record<string, number>>;
  /** Steps of all fits together: those of each strength, in each fold, and the last one, for every head. */
  readonly iterations: number;
  /** Whether it came to the optimum; else it ended after as many steps as it may take. */
  readonly converged: boolean;
}

/** What a training verb did, as plain data. */
export interface TrainingLog {
  readonly phase: 'head' | 'fineTune';
  /**
   * What found the weights: `'gradient'`, the training by steps; `'ridge'`, the optimum of a ridge regression; `'lbfgs'`, the
   * optimum of any other linear head, or of several. Both optima are found by L-BFGS.
   */
  readonly method: 'lbfgs' | 'ridge' | 'gradient';
  /**
   * Why a linear head was trained by gradients although it could be solved for, such as `labelSmoothing: 0.1 needs gradient
   * steps`. Missing otherwise.
   */
  readonly reason?: string;
  readonly epochs: readonly EpochLog[];
  /** `time`: `maxSeconds` were over. `converged`: a solver found the optimum. */
  readonly stoppedBy: 'epochs' | 'signal' | 'earlyStopping' | 'time' | 'converged';
  /** How the weights were solved for; missing when they were trained by gradients. The only epoch has the figures of the result. */
  readonly solver?: SolverLog;
  /**
   * Figures of the weights that the run began with; missing where they were not measured: see `restoreBest`.
   */
  readonly before?: { readonly validationLoss: number; readonly validationAccuracy?: number };
  /**
   * The epoch with the best figure of `monitor`, and what it was; its weights are the model's where `restoreBest` holds. Where no
   * epoch was better than `before`, the number before that of the first epoch: -1, or `initialEpoch - 1`.
   */
  readonly best?: {
    readonly epoch: number;
    readonly monitor: Monitor;
    readonly value: number;
    readonly restored: boolean;
  };
  /** Examples trained on. */
  readonly examples: number;
  /** Examples left out because they could not be read. */
  readonly skipped: readonly Unreadable[];
  /** Name of the last stage whose output was computed once for each example; missing when nothing was cached. */
  readonly cachedUpTo?: string;
  /** Layers of the frozen front that ran one by one, because they cannot be fused; missing when there were none. */
  readonly unfolded?: readonly string[];
  /** Numbers of weights (scalars) that training moved and that it left alone. */
  readonly parameters: { readonly trained: number; readonly frozen: number };
  /**
   * What went wrong without stopping the training, and what makes its figures mean less than they seem to: few examples of a label
   * (under ten to train on, five to validate on), validation examples that were trained on (the same path, input object or id), a
   * loss at chance, an accuracy no better than that of the most frequent label. Each once; missing when there is none.
   */
  readonly warnings?: readonly string[];
  readonly seed: number;
  /** From the call of the verb on: that of `fineTune` has those of the head's training which it began with in it. */
  readonly seconds: number;
}
