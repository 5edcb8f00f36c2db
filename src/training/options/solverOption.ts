// Whether a head is solved for or trained by gradients.
import type { LinearHead } from '../../model/linearHead.ts';
import type { Samples } from '../../core/types.ts';
import { assertOneOf, assertRate, invalidOption } from '../../core/optionChecks.ts';
import type { TrainingOptions } from './options.ts';
import { assertSamples } from '../../model/tasks/checkLabels.ts';

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
   * Default: `'lbfgs'` for a linear head on features that fit into memory, unless an option speaks of epochs or steps, such
   * as `epochs`, `learningRate` or `loss`; else `'gradient'`. With `cache: false` examples are read twice, once for figures.
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

/** A head to solve for. */
export interface SettledSolver {
  readonly head: LinearHead;
  readonly l2: number | undefined;
}

type Options = TrainingOptions & SolverOptions & { readonly learningRate?: number };

/** What has a meaning in a training loop alone. */
const ofTheLoop = [
  'augment',
  'checkpoint',
  'clip',
  'cutMix',
  'earlyStopping',
  'ema',
  'epochs',
  'gradientAccumulationSteps',
  'initialEpoch',
  'labelSmoothing',
  'learningRate',
  'loss',
  'maxSeconds',
  'mixup',
  'monitor',
  'optimizer',
  'restoreBest',
  'resume',
  'schedule',
  'views',
] as const satisfies readonly (keyof Options)[];

/** Numbers of all features together: 512 MiB of them. */
const mostFeatures = 2 ** 27;
/** Numbers of one kernel: the minimiser remembers a hundred times as many. */
const mostWeights = 2 ** 19;

/**
 * The head to solve for; undefined when it is to be trained by gradients.
 *
 * @param head - What `linearHeadOf` finds.
 * @throws TransferKitError `INVALID_OPTION` for a solver that does not fit the head or the other options.
 */
export function settleSolver(
  verb: string,
  head: LinearHead | string,
  samples: Samples,
  options: Options,
): SettledSolver | undefined {
  const { solver, l2 } = options;
  if (solver !== undefined) assertOneOf(verb, 'solver', solver, ['lbfgs', 'gradient']);
  if (l2 !== undefined) assertRate(verb, 'l2', l2);
  if (solver === 'gradient') {
    if (l2 === undefined) return undefined;
    throw invalidOption(verb, "l2 with solver 'lbfgs' only; to hold weights back in training, use adamW()", l2);
  }
  assertSamples(verb, samples);
  const obstacle = obstacleTo(head, samples, options);
  if (obstacle === undefined && typeof head !== 'string') return { head, l2 };
  if (solver === undefined && l2 === undefined) return undefined;
  const chosen = solver === undefined ? `l2, which is for solver 'lbfgs',` : `solver 'lbfgs'`;
  throw invalidOption(verb, `${chosen} for a linear head and without options of training by steps`, obstacle);
}

function obstacleTo(head: LinearHead | string, { size }: Samples, options: Options): string | undefined {
  if (typeof head === 'string') return `a head that is not: ${head}`;
  const name = ofTheLoop.find((each) => options[each] !== undefined);
  if (name !== undefined) return `${name} too`;
  // Other factors do not move the optima of heads that have nothing in common.
  if (Object.values(options.lossWeights ?? {}).includes(0)) return 'lossWeights of 0 too';
  const weights = Math.max(...head.ends.map(({ part }) => (part.to - part.from) * head.width));
  if (size * head.width <= mostFeatures && weights <= mostWeights) return undefined;
  return `too much for it: ${String(size)} examples of ${String(head.width)} features, ${String(weights)} weights`;
}
