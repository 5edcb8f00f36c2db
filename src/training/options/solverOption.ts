// Whether a head is solved for or trained by gradients.
import type { LinearHead } from '../../model/linearHead.ts';
import type { HeadPart } from '../../model/model.ts';
import { keysOf } from '../../core/names.ts';
import type { Samples } from '../../core/types.ts';
import { assertOneOf, assertRate, invalidOption } from '../../core/optionChecks.ts';
import { shorten } from '../../core/shown.ts';
import type { SettledOptions } from './options.ts';
import { assertSamples } from '../../model/tasks/checkLabels.ts';
import { isUsualLoss } from '../../losses/headRules.ts';
import type { AnyTrainHeadOptions, GradientOption } from './trainHeadOptions.ts';

/** A head to solve for. */
export interface SettledSolver {
  readonly head: LinearHead;
  readonly l2: number | undefined;
}

/** How a head is to be trained. */
export interface TrainingWay {
  /** Undefined: by gradients. */
  readonly solver?: SettledSolver;
  /** Why a linear head is trained by gradients; missing where it is solved for, and for every other head. */
  readonly reason?: string;
}

/** What decides it. */
export interface SolverRequest {
  readonly verb: string;
  /** What `linearHeadOf` finds: why a head is not linear, else what to solve for. */
  readonly head: LinearHead | string;
  readonly parts: readonly HeadPart[];
  readonly samples: Samples;
  readonly options: AnyTrainHeadOptions;
  readonly settled: SettledOptions;
}

/** Whether an option that is for gradients alone says nothing: it is not given, or it is what it would be anyway. */
const saysNothing: Readonly<Record<GradientOption, (request: SolverRequest) => boolean>> = {
  augment: ({ settled }) => settled.augment === undefined,
  checkpoint: ({ settled }) => settled.checkpoint === undefined,
  clip: ({ settled }) => settled.clip === undefined,
  cutMix: ({ options }) => options.cutMix === undefined,
  earlyStopping: ({ settled }) => settled.watch.stopping === undefined,
  ema: ({ settled }) => settled.ema === undefined,
  // A number of epochs asks for epochs.
  epochs: ({ options }) => options.epochs === undefined,
  gradientAccumulationSteps: ({ settled }) => settled.gradientAccumulationSteps === 1,
  initialEpoch: ({ settled }) => settled.initialEpoch === 0,
  labelSmoothing: ({ settled }) => settled.labelSmoothing === 0,
  learningRate: ({ options: { learningRate }, settled }) =>
    learningRate === undefined || learningRate === settled.optimizer.defaultLearningRate,
  loss: ({ verb, parts, settled }) => isUsualLoss(verb, parts, settled.loss),
  maxSeconds: ({ settled }) => settled.maxSeconds === Infinity,
  mixup: ({ options }) => options.mixup === undefined,
  monitor: ({ options: { monitor = 'validationLoss' } }) => monitor === 'validationLoss',
  optimizer: ({ options: { optimizer = 'adam' } }) => optimizer === 'adam',
  restoreBest: ({ options: { restoreBest = true } }) => restoreBest,
  resume: ({ options: { resume = false } }) => !resume,
  schedule: ({ options: { schedule = 'cosine' } }) => schedule === 'cosine',
  views: ({ options: { views = 'fresh' } }) => views === 'fresh',
};

/** Numbers of all features together: 512 MiB of them. */
const mostFeatures = 2 ** 27;
/** Numbers of one kernel: the minimiser remembers a hundred times as many. */
const mostWeights = 2 ** 19;

/**
 * How a head is to be trained.
 *
 * @throws TransferKitError `INVALID_OPTION` for a solver that does not fit the head or the other options.
 */
export function settleSolver(request: SolverRequest): TrainingWay {
  const { verb, head, samples } = request;
  const { solver, l2 } = request.options;
  if (solver !== undefined) assertOneOf(verb, 'solver', solver, ['lbfgs', 'gradient']);
  if (l2 !== undefined) assertRate(verb, 'l2', l2);
  if (solver === 'gradient') {
    if (l2 === undefined) return typeof head === 'string' ? {} : { reason: "solver: 'gradient'" };
    throw invalidOption(verb, "l2 with solver 'lbfgs' only; to hold weights back in training, use adamW()", l2);
  }
  assertSamples(verb, samples);
  const obstacle = obstacleTo(request);
  if (obstacle === undefined && typeof head !== 'string') return { solver: { head, l2 } };
  if (solver === undefined && l2 === undefined) return reasonOf(obstacle);
  const chosen = solver === undefined ? `l2, which is for solver 'lbfgs',` : `solver 'lbfgs'`;
  const expected = `${chosen} for a linear head and without options of training by steps`;
  throw invalidOption(verb, expected, obstacle?.error);
}

/** Why a head cannot be solved for. */
interface Obstacle {
  readonly error: string;
  /** Missing where the head is not linear. */
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
  // Other factors do not move the optima of heads that have nothing in common.
  if (Object.values(options.lossWeights ?? {}).includes(0)) {
    return { error: 'lossWeights of 0 too', reason: 'a weight of 0 in lossWeights needs gradient steps' };
  }
  const weights = Math.max(...head.ends.map(({ part }) => (part.to - part.from) * head.width));
  if (samples.size * head.width <= mostFeatures && weights <= mostWeights) return undefined;
  const found = `${String(samples.size)} examples of ${String(head.width)} features, ${String(weights)} weights`;
  return { error: `too much for it: ${found}`, reason: `too much for the solver: ${found}` };
}

const gradientOptions = keysOf(saysNothing);

/** An option as one writes it; of what is longer than a word or a number the name alone. */
function written(name: string, value: unknown): string {
  if (typeof value === 'string') return `${name}: '${shorten(value)}'`;
  return typeof value === 'number' || typeof value === 'boolean' ? `${name}: ${String(value)}` : name;
}
