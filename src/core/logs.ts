// What training did, as plain data. Types only.
import type { EngineName } from './engineChoice.ts';
import type { Unreadable } from './types.ts';

/** One head's figures in an epoch of a model with several heads. Its losses are not multiplied by `lossWeights`. */
export type HeadFigures = Pick<EpochLog, 'loss' | 'accuracy' | 'validationLoss' | 'validationAccuracy'>;

/** Figures of one epoch. */
export interface EpochLog {
  /** Counted from 0, or from `initialEpoch`. */
  readonly epoch: number;
  /** Mean over the examples, with dropout, while weights change. Of a solver: that of its result, without dropout. */
  readonly loss: number;
  /** Share of correct predictions; missing for regression. With several heads, the mean of those that have one. */
  readonly accuracy?: number;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
  /** In a model with several heads: the figures of each head, by name. */
  readonly heads?: Readonly<Record<string, HeadFigures>>;
  /** Rates of the last step; for the base the highest of its rates. Missing where a solver found the weights. */
  readonly learningRate?: { readonly head: number; readonly base?: number };
  /** Mean over the epoch's steps of the norm of all gradients together, before clipping. */
  readonly gradientNorm?: number;
  readonly seconds: number;
}

/** The argument of `onEpoch`: an epoch's figures, and whether only the head was trained in it. */
export interface EpochReport extends EpochLog {
  readonly phase: 'head' | 'fineTune';
}

/** The figure that decides which epoch is best. Losses and errors: lower is better; accuracies: higher is better. */
export type Monitor = 'loss' | 'accuracy' | 'validationLoss' | 'validationAccuracy';

/**
 * What a solver cut short to bound its work. `'examples'`: the penalty was chosen on drawn examples, and scaled by their
 * share. `'strengths'`: weaker or stronger penalties were not tried although losses still fell. `'iterations'`: the final
 * fit ended before the optimum.
 */
export type SolverBound = 'examples' | 'strengths' | 'iterations';

/** Report of a solver. */
export interface SolverLog {
  /** Strength of the penalty on standardised features; by head where there are several. */
  readonly l2: number | Readonly<Record<string, number>>;
  /** Total steps of all fits: those of each strength in each fold, and the final one, for every head. */
  readonly iterations: number;
  /** Whether the solver reached the optimum; false if it stopped at its limit of steps. */
  readonly converged: boolean;
  /**
   * What the penalty was chosen on: the number of training examples, and of folds. 1 fold: a fifth of the examples was
   * held out; 0: losses were those of validation examples. Missing for a given `l2`, and for fewer than two examples; by
   * head where there are several.
   */
  readonly chosenOn?: ChosenOn | Readonly<Record<string, ChosenOn>>;
  /** Number of augmented views of each example that were fitted besides the example itself; missing if there were none. */
  readonly views?: number;
  /** What was cut short to bound the work; missing if nothing was. */
  readonly bounded?: readonly SolverBound[];
}

/** Examples that a penalty was chosen on. */
export interface ChosenOn {
  readonly examples: number;
  readonly folds: number;
}

/** Figures of one blend of the weights before and after fine-tuning, on the validation samples. */
export interface BlendTrial {
  /** Share of the fine-tuned weights. */
  readonly alpha: number;
  readonly loss: number;
  /** The lowest loss over temperatures from 1 to 6, which does not punish overconfidence: it chooses. */
  readonly cooledLoss: number;
  /** Missing for regression. */
  readonly accuracy?: number;
}

/** How weights were blended, as plain data. */
export interface BlendLog {
  /** Share of the fine-tuned weights, 0 … 1. The others are those of the model before. */
  readonly alpha: number;
  /** Shares that validation compared, with their figures. Empty if it did not choose, or both models are the same. */
  readonly tried: readonly BlendTrial[];
  /** Few validation examples of a label; missing if there are enough. A log of `fineTune` has its own warnings. */
  readonly warnings?: readonly string[];
  /** The blend before this one, if the model was blended already. */
  readonly earlier?: BlendLog;
}

/** Report of a training verb, as plain data. */
export interface TrainingLog {
  readonly phase: 'head' | 'fineTune';
  /**
   * How the weights were found. `'gradient'`: by gradient steps. `'ridge'`: as the optimum of a ridge regression.
   * `'lbfgs'`: as the optimum of any other linear head, or of a model with several linear heads. L-BFGS finds both
   * optima.
   */
  readonly method: 'lbfgs' | 'ridge' | 'gradient';
  /**
   * Why a linear head was trained by gradients although it could be solved for, such as `labelSmoothing: 0.1 needs
   * gradient steps`. Missing otherwise.
   */
  readonly reason?: string;
  readonly epochs: readonly EpochLog[];
  /** `time`: `maxSeconds` have passed. `converged`: a solver found the optimum. */
  readonly stoppedBy: 'epochs' | 'signal' | 'earlyStopping' | 'time' | 'converged';
  /** Report of the solver; missing after training by gradients. The only epoch then has the figures of the result. */
  readonly solver?: SolverLog;
  /**
   * Figures before the first epoch; missing where they were not measured: see `restoreBest`.
   */
  readonly before?: { readonly validationLoss: number; readonly validationAccuracy?: number };
  /**
   * The epoch with the best figure of `monitor`, and that figure; with `restoreBest` the model has the weights of that
   * epoch. Where no epoch was better than `before`, `epoch` is one below the first: -1, or `initialEpoch - 1`.
   */
  readonly best?: {
    readonly epoch: number;
    readonly monitor: Monitor;
    readonly value: number;
    readonly restored: boolean;
  };
  /**
   * How the weights were blended with those before the training: by `blend` of `fineTune`, or later by the verb `blend`.
   * Missing where they were not.
   */
  readonly blend?: BlendLog;
  /** Name of the tfjs backend that it ran on. */
  readonly backend: string;
  /** Engine of `useBackend` that ran the frozen prefix; missing for this package's own engine. */
  readonly engine?: EngineName;
  /** Nodes of the frozen prefix that this engine has no form for, with the reason. The own engine ran them. */
  readonly leftToOwn?: readonly string[];
  /** Number of examples used for training. */
  readonly examples: number;
  /** Number of examples held out of the training samples for validation; missing when none were. */
  readonly heldOut?: number;
  /** Examples that were skipped because they could not be read. */
  readonly skipped: readonly Unreadable[];
  /** Name of the last stage whose output was cached for each example; missing when nothing was cached. */
  readonly cachedUpTo?: string;
  /** Layers of the frozen prefix that ran one by one because they cannot be fused; missing when there were none. */
  readonly unfolded?: readonly string[];
  /** Numbers of weights (scalars) that were trained and that stayed frozen. */
  readonly parameters: { readonly trained: number; readonly frozen: number };
  /**
   * Problems that did not stop the training but make its figures less reliable: few examples of a label (under ten for
   * training, five for validation), validation examples that are also training examples (the same path, input object or
   * id), a loss at chance level, an accuracy no better than that of always predicting the most frequent label; and that the
   * backend is `cpu` because no faster one started, or computes with 16 bits. Each appears once; missing when there are none.
   */
  readonly warnings?: readonly string[];
  readonly seed: number;
  /** Of `fineTune`: all options that can be written as plain data, chosen ones included. */
  readonly settings?: object;
  /** Of `fineTune`: why each setting was chosen, and which options are not among the settings. */
  readonly reasons?: Readonly<Record<string, string>>;
  /** Seconds since the call of the verb. For `fineTune` they include its initial training of the head. */
  readonly seconds: number;
}
