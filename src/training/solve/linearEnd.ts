// Solves for one head of several on the same features: chooses its penalty and fits it.
import { internalError } from '../../core/errors.ts';
import type { LinearEnd } from '../../model/linearHead.ts';
import { chooseL2, byFolds, byValidation, type HeldOut, type Chosen, type Judge } from './chooseL2.ts';
import { sharesOf } from './fitValidationFolds.ts';
import { assignFolds } from './validationFolds.ts';
import { fitSideBySide, type FittedModel, type LinearModel, type LinearProblem } from './linearFit.ts';
import { tasks } from '../../model/tasks/tasks.ts';
import { applyScale, forUnscaledUnits, scaleOf } from './standardise.ts';

/** Examples with the targets of all heads. */
export interface EndParts {
  readonly train: HeldOut;
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
  readonly weights: LinearModel;
}

/** Maximum number of folds of a cross-validation. */
export const mostFolds = 5;
/** With more examples than this, a single fold is held out. */
const mostCrossValidated = 5000;

/** Maximum distance of the objective from its minimum at the end. */
const gap = 1e-6;
const maxIterations = 1000;
/** Used if there are too few examples to choose. */
const defaultL2 = 1;

/** Fits one head on standardised features. */
export async function solveEnd(together: EndParts, { end, l2, seed, onJudged }: EndPlan): Promise<SolvedEnd> {
  const shares = sharesOf(together.train.weights);
  const { train, validation, unscale } = await ownParts(together, end, shares);
  const { task, from, to } = end.part;
  const problem: LinearProblem = { ...train, units: to - from, loss: tasks[task].rowLoss, rounding: together.rounding };
  const judge = () =>
    validation === undefined ? judgeByFolds(problem, train, end, seed) : byValidation(problem, shares, validation);
  const chosen = await (l2 === undefined ? choose(judge(), onJudged) : { l2, models: [], iterations: 0 });
  const fit = { shares, l2: chosen.l2, start: meanOf(chosen.models) };
  const [fitted] = await fitSideBySide(problem, [fit], { gap, maxIterations });
  if (fitted === undefined) throw internalError('no model was fitted');
  const iterations = chosen.iterations + fitted.iterations;
  return { end, l2: chosen.l2, weights: unscale(fitted), iterations, converged: fitted.converged };
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
  const own = async (examples: HeldOut, targets: Float32Array): Promise<HeldOut> => {
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

function choose(judge: Judge | undefined, onJudged: () => Promise<void>): Promise<Omit<Chosen, 'loss'>> {
  if (judge === undefined) return Promise.resolve({ l2: defaultL2, models: [], iterations: 0 });
  return chooseL2(async (l2, start) => {
    const judged = await judge(l2, start);
    await onJudged();
    return judged;
  });
}

/**
 * Measures by cross-validation, with classes spread evenly over the folds. Undefined if too few examples have a weight.
 */
function judgeByFolds(problem: LinearProblem, train: HeldOut, { part }: LinearEnd, seed: number): Judge | undefined {
  const counted = train.weights.flatMap((weight, row) => (weight > 0 ? [row] : []));
  const count = Math.min(mostFolds, counted.length);
  if (count < 2) return undefined;
  const { labelled } = tasks[part.task];
  const classes = counted.map((row) => labelled?.one?.labelOf(train.targets[row] ?? []) ?? 0);
  const folds = train.weights.map(() => 0);
  assignFolds(classes, count, seed).forEach((fold, place) => {
    const row = counted[place];
    if (row !== undefined) folds[row] = fold;
  });
  if (counted.length <= mostCrossValidated) return byFolds(problem, train.weights, folds);
  const isHeld = (row: number) => folds[row] === 0;
  const held = { ...train, weights: train.weights.map((weight, row) => (isHeld(row) ? weight : 0)) };
  return byValidation(problem, sharesOf(train.weights.map((weight, row) => (isHeld(row) ? 0 : weight))), held);
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
