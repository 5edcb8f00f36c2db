// Decides which examples the strength of a penalty is chosen on: validation examples, five folds of the training examples,
// or a held-out fifth of them. Where all of them would take too long, examples are drawn.
import type { LinearEnd } from '../../model/linearHead.ts';
import { tasks } from '../../model/tasks/tasks.ts';
import { byFolds, byValidation, type HeldOut, type Judge } from './chooseL2.ts';
import { sharesOf } from './fitValidationFolds.ts';
import type { LinearProblem } from './linearFit.ts';
import { assignFolds, drawExamples } from './validationFolds.ts';
import { gradientsOfChoice, rowsOfTrial } from '../options/solverLimits.ts';

/** A head's problem, and its examples. */
export interface TrialPlan {
  readonly end: LinearEnd;
  readonly problem: LinearProblem;
  readonly train: TrainingRows;
  readonly validation: HeldOut | undefined;
  readonly seed: number;
}

/** Rows to fit to. */
export interface TrainingRows extends HeldOut {
  /** Number of rows of each example: row `view * examples + example`. */
  readonly views: number;
}

/** How the strength of a penalty is chosen. */
export interface Trial {
  readonly judge: Judge;
  /** Number of training examples that take part; with folds or a held-out fifth, both parts together. */
  readonly examples: number;
  /** Number of folds; 1: one part is held out, 0: there are validation examples. */
  readonly folds: number;
  /** Share of the training examples that take part. */
  readonly share: number;
  /** Number of gradients after which no further strength is tried. */
  readonly mostGradients: number;
  readonly dispose: () => void;
}

/** Maximum number of folds of a cross-validation. */
export const mostFolds = 5;
/** With more examples than this, a single fold is held out. */
const mostCrossValidated = 5000;

/** Prepares the choice. Undefined if too few examples have a weight. */
export function prepareTrial(plan: TrialPlan): Trial | undefined {
  const { problem, train, validation, seed } = plan;
  const { views, weights } = train;
  const size = { width: problem.features.width, units: problem.units };
  const counted = Array.from({ length: weights.length / views }, (_, example) => example).filter(
    (example) => (weights[example] ?? 0) > 0,
  );
  const most = Math.max(mostFolds, Math.floor(rowsOfTrial(size, 1) / views));
  const used = pickAt(counted, drawExamples(classesOf(plan, counted), most, seed));
  const examples = used.length;
  const facts = {
    examples,
    share: examples / counted.length,
    mostGradients: gradientsOfChoice({ ...size, rows: examples * views }),
  };
  if (validation !== undefined) return { ...trialOn(plan, used, validation), ...facts, folds: 0 };
  const folds = Math.min(mostFolds, examples);
  if (folds < 2) return undefined;
  const places = assignFolds(classesOf(plan, used), folds, seed);
  if (examples <= mostCrossValidated && examples * views <= rowsOfTrial(size, folds)) {
    return { ...crossTrial(plan, used, places), ...facts, folds };
  }
  const isHeld = (_: number, place: number) => places[place] === 0;
  const fitted = used.filter((_, place) => places[place] !== 0);
  // Views are for fitting: the first one is the example itself.
  const held = pickRows(train, used.filter(isHeld));
  const trial = trialOn(plan, fitted, held);
  return {
    ...trial,
    ...facts,
    folds: 1,
    dispose() {
      trial.dispose();
      held.features.dispose();
    },
  };
}

/** Every example is measured by the model that was fitted to none of its views. */
function crossTrial({ problem, train }: TrialPlan, used: readonly number[], places: readonly number[]) {
  const { views, weights } = train;
  const folds = new Array<number>(weights.length / views).fill(0);
  used.forEach((example, place) => {
    folds[example] = places[place] ?? 0;
  });
  const measured = weights.map((weight, row) => (row < folds.length ? weight : 0));
  const ofRows = weights.map((_, row) => folds[row % folds.length] ?? 0);
  return { judge: byFolds(problem, { weights, measured, folds: ofRows }), dispose: () => undefined };
}

/** Fits to all views of some examples, and measures on others. */
function trialOn({ problem, train }: TrialPlan, fitted: readonly number[], held: HeldOut) {
  const { views, weights } = train;
  const examples = weights.length / views;
  if (fitted.length === examples) {
    return { judge: byValidation(problem, sharesOf(weights), held), dispose: () => undefined };
  }
  const rows = Array.from({ length: views }, (_, view) => fitted.map((example) => view * examples + example)).flat();
  const own = pickRows(train, rows);
  return {
    judge: byValidation({ ...problem, ...own }, sharesOf(own.weights), held),
    dispose() {
      own.features.dispose();
    },
  };
}

function pickRows({ features, targets, weights }: HeldOut, rows: readonly number[]): HeldOut {
  return { features: features.pick(rows), targets: pickAt(targets, rows), weights: pickAt(weights, rows) };
}

function pickAt<Value>(values: readonly Value[], places: readonly number[]): Value[] {
  return places.flatMap((place) => values.slice(place, place + 1));
}

/** Index of the label of each example; 0 if it has none, or several. */
function classesOf({ end, train }: TrialPlan, examples: readonly number[]): number[] {
  const { labelled } = tasks[end.part.task];
  return examples.map((example) => labelled?.one?.labelOf(train.targets[example] ?? []) ?? 0);
}
