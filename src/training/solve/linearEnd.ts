// Solves for one head of several on the same features: chooses its penalty and fits it.
import { internalError } from '../../core/errors.ts';
import type { SolverBound } from '../../core/logs.ts';
import type { LinearEnd } from '../../model/linearHead.ts';
import { chooseL2, type HeldOut, type Chosen } from './chooseL2.ts';
import { sharesOf } from './fitValidationFolds.ts';
import { fitSideBySide, type FittedModel, type LinearModel, type LinearProblem } from './linearFit.ts';
import { tasks } from '../../model/tasks/tasks.ts';
import { prepareTrial, type TrainingRows, type Trial } from './penaltyTrial.ts';
import { applyScale, forUnscaledUnits, scaleOf } from './standardise.ts';
import { precisionOf } from '../options/solverLimits.ts';

/** Examples with the targets of all heads. */
export interface EndParts {
  readonly train: TrainingRows;
  readonly validation: HeldOut | undefined;
  /** Relative rounding error of each column. */
  readonly rounding: Float64Array;
  /** Called regularly, and awaited. */
  readonly rest: () => Promise<void>;
}

/** Settings for one head. */
export interface EndPlan {
  readonly end: LinearEnd;
  /** Strength of the penalty; undefined: the best one is chosen. */
  readonly l2: number | undefined;
  readonly seed: number;
  /** Called after each strength that was tried. */
  readonly onJudged: () => Promise<void>;
}

/** A fitted head. */
export interface SolvedEnd extends Pick<FittedModel, 'iterations' | 'converged'> {
  readonly end: LinearEnd;
  readonly l2: number;
  /** What the penalty was chosen on; undefined for a given penalty, and with too few examples. */
  readonly chosenOn: Pick<Trial, 'examples' | 'folds'> | undefined;
  /** What limits of work have cut short. */
  readonly bounded: readonly SolverBound[];
  readonly weights: LinearModel;
}

/** Used if there are too few examples to choose. */
const defaultL2 = 1;

/** Fits one head on standardised features. */
export async function solveEnd(together: EndParts, { end, l2, seed, onJudged }: EndPlan): Promise<SolvedEnd> {
  const shares = sharesOf(together.train.weights);
  const { train, validation, unscale } = await ownParts(together, end, shares);
  const { task, from, to } = end.part;
  const units = to - from;
  const problem: LinearProblem = { ...train, units, loss: tasks[task].rowLoss, rounding: together.rounding };
  const chosen: Penalty =
    l2 === undefined
      ? await choose(prepareTrial({ end, problem, train, validation, seed }), onJudged)
      : { l2, models: [], iterations: 0, bounded: [] };
  const fit = { shares, l2: chosen.l2, start: meanOf(chosen.models) };
  const { rows, width } = train.features;
  const precision = precisionOf({ rows, width, units });
  const [fitted] = await fitSideBySide(problem, [fit], precision);
  if (fitted === undefined) throw internalError('no model was fitted');
  const { converged } = fitted;
  return {
    end,
    l2: chosen.l2,
    chosenOn: chosen.on,
    bounded: [...chosen.bounded, ...(converged ? [] : ['iterations' as const])],
    weights: unscale(fitted),
    iterations: chosen.iterations + fitted.iterations,
    converged,
  };
}

/**
 * Examples with the targets of one head, standardised if its task needs it, and the function that converts a model
 * back.
 */
async function ownParts({ train, validation, rest }: EndParts, { part }: LinearEnd, shares: Float64Array) {
  const units = part.to - part.from;
  const columns = ({ targets }: HeldOut) => {
    const values = new Float32Array(targets.length * units);
    targets.forEach((row, place) => {
      values.set(row.subarray(part.from, part.to), place * units);
    });
    return values;
  };
  const values = columns(train);
  const scale = tasks[part.task].scalesTargets ? await scaleOf(values, units, shares, rest) : undefined;
  const own = async <Rows extends HeldOut>(examples: Rows, targets: Float32Array): Promise<Rows> => {
    if (scale !== undefined) await applyScale(targets, scale, rest);
    return {
      ...examples,
      targets: examples.targets.map((_, row) => targets.subarray(row * units, (row + 1) * units)),
    };
  };
  return {
    train: await own(train, values),
    validation: validation && (await own(validation, columns(validation))),
    unscale: (model: LinearModel) => (scale === undefined ? model : forUnscaledUnits(model, scale)),
  };
}

/** A strength, and how it was found. */
interface Penalty extends Pick<Chosen, 'l2' | 'models' | 'iterations'> {
  readonly on?: SolvedEnd['chosenOn'];
  readonly bounded: SolvedEnd['bounded'];
}

async function choose(trial: Trial | undefined, onJudged: () => Promise<void>): Promise<Penalty> {
  if (trial === undefined) return { l2: defaultL2, models: [], iterations: 0, bounded: [] };
  const { examples, folds, share, mostGradients } = trial;
  try {
    const { l2, isCut, ...chosen } = await chooseL2(async (strength, start) => {
      const judged = await trial.judge(strength, start);
      await onJudged();
      return judged;
    }, mostGradients);
    return {
      ...chosen,
      // As a prior of the weights it is the same for fewer examples: n * l2 stays.
      l2: share === 1 ? l2 : Number((l2 * share).toPrecision(3)),
      on: { examples, folds },
      bounded: [...(share === 1 ? [] : ['examples' as const]), ...(isCut ? ['strengths' as const] : [])],
    };
  } finally {
    trial.dispose();
  }
}

/** The mean of the models of some folds: it is near the model of all examples. */
function meanOf(models: readonly LinearModel[]): LinearModel | undefined {
  const [first] = models;
  if (first === undefined) return undefined;
  const mean = (values: readonly Float64Array[]) =>
    values.reduce(
      (sum, each) => sum.map((value, i) => value + (each[i] ?? 0) / values.length),
      new Float64Array(values[0]?.length ?? 0),
    );
  return { kernel: mean(models.map(({ kernel }) => kernel)), bias: mean(models.map(({ bias }) => bias)) };
}
