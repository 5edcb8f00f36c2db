// Decides whether a head is trained by a solver or by gradients.
import type { LinearHead } from '../../model/linearHead.ts';
import type { HeadPart } from '../../model/model.ts';
import { keysOf } from '../../core/names.ts';
import type { Samples } from '../../core/types.ts';
import { assertOneOf, assertRate, invalidOption } from '../../core/optionChecks.ts';
import { shorten } from '../../core/shown.ts';
import type { SettledOptions } from './options.ts';
import { assertSamples } from '../../model/checkLabels.ts';
import { isUsualLoss } from '../../losses/headRules.ts';
import { isSolvable } from './solverLimits.ts';
import type { TrainHeadOptions, GradientOption } from './trainHeadOptions.ts';

/** A head that a solver trains. */
export interface SettledSolver {
  readonly head: LinearHead;
  readonly l2: number | undefined;
  /** Number of augmented views of each example besides the example itself. */
  readonly views: number;
}

/** How a head is trained: by a solver or by gradients. */
export interface TrainingWay {
  /** Undefined: by gradients. */
  readonly solver?: SettledSolver;
  /** Why a linear head is trained by gradients; missing if it is solved for, and for heads that are not linear. */
  readonly reason?: string;
}

/** Facts for the decision. */
export interface SolverRequest {
  /** Result of `linearHeadOf`: the linear head, or the reason why it is not linear. */
  readonly head: LinearHead | string;
  readonly parts: readonly HeadPart[];
  readonly samples: Samples;
  readonly options: TrainHeadOptions;
  readonly settled: SettledOptions;
}

/** Whether an option of gradient training has no effect: it is missing, or equal to its default. */
const saysNothing: Readonly<Record<GradientOption, (request: SolverRequest) => boolean>> = {
  // A number of views is a number of rows of each example.
  augment: ({ settled }) => settled.augment?.views !== 'fresh',
  checkpoint: ({ settled }) => settled.checkpoint === undefined,
  clip: ({ settled }) => settled.clip === undefined,
  cutMix: ({ options }) => options.cutMix === undefined,
  earlyStopping: ({ settled }) => settled.watch.stopping === undefined,
  ema: ({ settled }) => settled.ema === undefined,
  // A given number of epochs selects gradient training.
  epochs: ({ options }) => options.epochs === undefined,
  gradientAccumulationSteps: ({ settled }) => settled.gradientAccumulationSteps === 1,
  initialEpoch: ({ settled }) => settled.initialEpoch === 0,
  labelSmoothing: ({ settled }) => settled.labelSmoothing === 0,
  learningRate: ({ options: { learningRate }, settled }) =>
    learningRate === undefined || learningRate === settled.optimizer.defaultLearningRate,
  loss: ({ parts, settled }) => isUsualLoss(parts, settled.loss),
  maxSeconds: ({ settled }) => settled.maxSeconds === Infinity,
  mixup: ({ options }) => options.mixup === undefined,
  monitor: ({ options: { monitor = 'validationLoss' } }) => monitor === 'validationLoss',
  optimizer: ({ options: { optimizer = 'adam' } }) => optimizer === 'adam',
  restoreBest: ({ options: { restoreBest = true } }) => restoreBest,
  resume: ({ options: { resume = false } }) => !resume,
  schedule: ({ options: { schedule = 'cosine' } }) => schedule === 'cosine',
};

/**
 * Decides how a head is trained.
 *
 * @throws TransferKitError `INVALID_OPTION` for a solver that does not fit the head or the other options.
 */
export function settleSolver(request: SolverRequest): TrainingWay {
  const { head, samples } = request;
  const { solver, l2 } = request.options;
  if (solver !== undefined) assertOneOf('solver', solver, ['lbfgs', 'gradient']);
  if (l2 !== undefined) assertRate('l2', l2);
  if (solver === 'gradient') {
    if (l2 === undefined) return typeof head === 'string' ? {} : { reason: "solver: 'gradient'" };
    throw invalidOption("l2 with solver 'lbfgs' only; to hold weights back in training, use adamW()", l2);
  }
  assertSamples(samples);
  const obstacle = obstacleTo(request);
  if (obstacle === undefined && typeof head !== 'string') return { solver: { head, l2, views: viewsOf(request) } };
  if (solver === undefined && l2 === undefined) return reasonOf(obstacle);
  const chosen = solver === undefined ? `l2, which is for solver 'lbfgs',` : `solver 'lbfgs'`;
  const expected = `${chosen} for a linear head and without options of training by steps`;
  throw invalidOption(expected, solver, obstacle?.error);
}

/** Why a solver cannot train a head. */
interface Obstacle {
  readonly error: string;
  /** Missing if the head is not linear. */
  readonly reason?: string;
}

function reasonOf(obstacle: Obstacle | undefined): TrainingWay {
  return obstacle?.reason === undefined ? {} : { reason: obstacle.reason };
}

function obstacleTo(request: SolverRequest): Obstacle | undefined {
  const { head, options, samples } = request;
  if (typeof head === 'string') return { error: `a head that is not: ${head}` };
  const name = gradientOptions.find((each) => !saysNothing[each](request));
  if (name !== undefined)
    return { error: `${name} too`, reason: `${written(name, options[name])} needs gradient steps` };
  // Factors above 0 do not change the optima of heads without shared weights.
  if (Object.values(options.lossWeights ?? {}).includes(0)) {
    return { error: 'lossWeights of 0 too', reason: 'a weight of 0 in lossWeights needs gradient steps' };
  }
  const { width } = head;
  const units = Math.max(...head.ends.map(({ part }) => part.to - part.from));
  const rows = samples.size * (1 + viewsOf(request));
  if (isSolvable({ rows, width, units })) return undefined;
  const found = `${String(rows)} rows of ${String(width)} features, ${String(units * width)} weights`;
  return { error: `too much for it: ${found}`, reason: `too much for the solver: ${found}` };
}

/** Number of augmented views of each example; settled options have no more of them than epochs. */
function viewsOf({ options: { views }, settled }: SolverRequest): number {
  return settled.augment === undefined || typeof views !== 'number' ? 0 : views;
}

const gradientOptions = keysOf(saysNothing);

/** An option as code; for values other than short words and numbers, its name alone. */
function written(name: string, value: unknown): string {
  if (typeof value === 'string') return `${name}: '${shorten(value)}'`;
  return typeof value === 'number' || typeof value === 'boolean' ? `${name}: ${String(value)}` : name;
}
