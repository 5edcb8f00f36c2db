// Solves for the weights of a linear head: the minimum of a convex problem on the features of all examples at once.
import { tensor } from '@tensorflow/tfjs-core';
import { assertAlive } from '../../model/assertAlive.ts';
import { TransferKitError } from '../../core/errors.ts';
import { byHead } from '../../model/headParts.ts';
import type { SolverLog } from '../../core/logs.ts';
import type { HeadPart } from '../../model/model.ts';
import type { LinearHead } from '../../model/linearHead.ts';
import type { TrunkWeight } from '../../core/types.ts';
import { mostStrengths } from './chooseL2.ts';
import { DesignMatrix } from './designMatrix.ts';
import type { Examples } from '../../features/examples.ts';
import { sharesOf } from './fitValidationFolds.ts';
import { solveEnd, type EndParts, type SolvedEnd } from './linearEnd.ts';
import { mostFolds } from './penaltyTrial.ts';
import type { Run } from '../state/plan.ts';
import type { SettledOptions } from '../options/options.ts';
import { startPace } from '../../core/pace.ts';
import { readEverything, type Everything } from '../../features/readEverything.ts';
import { applyScale, featureScaleOf, forUnscaled, type FeatureScale } from './standardise.ts';
import { takeTurns } from '../../core/takeTurns.ts';

/** The problem, and settings of the solution. */
export interface LinearPlan extends Pick<Run, 'model' | 'classWeight'> {
  readonly head: LinearHead;
  /** Rows that enter the network at the head. */
  readonly train: Examples;
  /** Number of views of each example of training, of which the first is the example itself. All count the same. */
  readonly views: number;
  /** Rows to choose the penalty on. Without them it is chosen by cross-validation. */
  readonly validation: Examples | undefined;
  /** Strength of the penalty, above 0; undefined: the best one is chosen. */
  readonly l2: number | undefined;
  readonly options: Pick<SettledOptions, 'seed' | 'signal' | 'onProgress'>;
}

/**
 * Gives a head the weights that minimise the mean loss of all examples plus `l2 / 2` times the squared kernel, on
 * standardised features. The loss is cross-entropy, or half the squared error of standardised targets. The
 * standardisation is then folded into kernel and bias. Several heads are solved one by one.
 *
 * @returns Undefined if the signal stopped it; the weights are then unchanged.
 * @throws TransferKitError `NO_EXAMPLES` if no example has a weight, `NOT_FINITE`, and the errors of reading.
 */
export async function solveLinearHead(plan: LinearPlan): Promise<SolverLog | undefined> {
  const { options } = plan;
  try {
    const solved = await solve(plan);
    for (const { end, weights } of solved) {
      write(end.kernel, weights.kernel);
      write(end.bias, weights.bias);
    }
    return report(plan, solved);
  } catch (error) {
    if (options.signal?.aborted === true && error === options.signal.reason) return undefined;
    throw error;
  }
}

function report({ model, head, views }: LinearPlan, solved: readonly SolvedEnd[]): SolverLog {
  const { parts } = model.head;
  const endOf = (part: HeadPart) => solved.find(({ end }) => end.part === part);
  const bounded = [...new Set(solved.flatMap((each) => each.bounded))];
  const chosen = solved.flatMap(({ end, chosenOn }) =>
    chosenOn === undefined ? [] : [[end.part.name, chosenOn] as const],
  );
  const [only] = chosen;
  return {
    l2: byHead(parts, (part) => endOf(part)?.l2 ?? NaN),
    iterations: solved.reduce((sum, { iterations }) => sum + iterations, 0),
    converged: solved.length === head.ends.length && solved.every(({ converged }) => converged),
    ...(only === undefined ? {} : { chosenOn: only[0] === '' ? only[1] : Object.fromEntries(chosen) }),
    ...(views === 1 ? {} : { views: views - 1 }),
    ...(bounded.length === 0 ? {} : { bounded }),
  };
}

async function solve(plan: LinearPlan): Promise<SolvedEnd[]> {
  const { head, options, views } = plan;
  const turn = takeTurns();
  const rest = async () => {
    await turn();
    assertAlive(plan.model);
    options.signal?.throwIfAborted();
  };
  const train = await readEverything(plan.train, views, rest);
  const validation = plan.validation && (await readEverything(plan.validation, 1, rest));
  const weights = weightsOf(plan, train);
  const scale = await featureScaleOf(train.values, head.width, sharesOf(weights), rest);
  const units = Math.max(...head.ends.map(({ part }) => part.to - part.from));
  const columns = units * (validation === undefined && plan.l2 === undefined ? mostFolds : 1);
  const matrices: DesignMatrix[] = [];
  const open = async ({ values, targets }: Everything, own: readonly number[]) => {
    await applyScale(values, scale, rest);
    const features = DesignMatrix.of(values, head.width, { columns, rest });
    matrices.push(features);
    return { features, targets, weights: own };
  };
  try {
    const own = { ...(await open(train, weights)), views };
    const held = validation && (await open(validation, validation.weights));
    return await solveEnds(plan, { train: own, validation: held, rest, rounding: scale.rounding }, scale);
  } finally {
    for (const matrix of matrices) matrix.dispose();
  }
}

function weightsOf({ classWeight }: LinearPlan, { weights, targets }: Everything): readonly number[] {
  const own = weights.map((weight, row) => weight * (classWeight?.(targets[row] ?? new Float32Array(0)) ?? 1));
  if (own.some((weight) => weight > 0)) return own;
  const text = `expected examples with a weight above 0, got none among ${String(own.length)}.`;
  throw new TransferKitError('NO_EXAMPLES', text, { size: own.length });
}

async function solveEnds(
  { head, l2, options: { seed, onProgress } }: LinearPlan,
  parts: EndParts,
  scale: FeatureScale,
): Promise<SolvedEnd[]> {
  const each = mostStrengths + 1;
  const pace = await startPace('head', head.ends.length * each, onProgress);
  const solved: SolvedEnd[] = [];
  for (const end of head.ends) {
    let left = each;
    const onJudged = () => {
      left--;
      return pace.advance(1);
    };
    const own = await solveEnd(parts, { end, l2, seed, onJudged });
    solved.push({ ...own, weights: forUnscaled(own.weights, scale) });
    await pace.advance(left);
  }
  return solved;
}

function write(weight: TrunkWeight, values: Float64Array): void {
  const value = tensor(Float32Array.from(values), [...weight.shape]);
  weight.write(value);
  value.dispose();
}
