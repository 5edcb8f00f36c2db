// The conformance suite of trunks: what every trunk promises, whatever it is made of.
import { nameErrors } from '../core/edge.ts';
import { memory, type Tensor } from '@tensorflow/tfjs-core';
import type { Trunk } from '../core/types.ts';
import { demand, runChecks, type Check, type ConformanceReport } from './conformance.ts';
import { checkGradients, checkInputGradient, checkPenalty } from './trunkGradients.ts';
import { checkFold, checkNodes, checkRefusals, checkRepeat, checkRun, checkStages } from './trunkRuns.ts';
import { checkFrozen, checkRandom, checkStatistics, checkUnmoved } from './trunkTraining.ts';
import { checkDispose, checkNames, checkWeights, checkWrite } from './trunkWeights.ts';

/** Options of {@link checkTrunk}. */
export interface CheckTrunkOptions {
  /** Layers whose weights bear a penalty. Default: the layers with a regularizer, of a trunk that has `layers`. */
  readonly penalised?: readonly string[];
}

/**
 * Checks a trunk against its contract, with the values of its weights as they are. The trunk is disposed at the end.
 *
 * @param trunk - A fresh trunk, or better what makes one: then everything that it leaves behind is found.
 * @param input - A batch of at least two examples that it takes; stays the caller's.
 * @param options - See {@link CheckTrunkOptions}.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { checkTrunk } from 'transferkit/testing';
 * const { failed } = await checkTrunk(base.trunk, tf.randomNormal([2, 32, 32, 3], 0, 1, 'float32', 1));
 * console.log(failed); // []
 * ```
 */
export async function checkTrunk(
  trunk: Trunk | (() => Trunk | Promise<Trunk>),
  input: Tensor,
  options: CheckTrunkOptions = {},
): Promise<ConformanceReport> {
  return nameErrors('checkTrunk', async () => {
    const before = memory().numTensors;
    const made = typeof trunk === 'function' ? await trunk() : trunk;
    return runChecks([
      ...checksOf(made, input, options),
      {
        name: 'dispose frees everything, twice does no harm, and running then raises DISPOSED',
        run: () => {
          checkDispose(made, input);
          const left = memory().numTensors - before;
          demand(typeof trunk !== 'function' || left === 0, `dispose left ${String(left)} tensors`);
        },
      },
    ]);
  });
}

function checksOf(trunk: Trunk, input: Tensor, { penalised }: CheckTrunkOptions): Check[] {
  const check = (name: string, run: (trunk: Trunk, input: Tensor) => void | Promise<void>): Check => ({
    name,
    run: () => run(trunk, input),
  });
  return [
    check('stages have unique names and layers, and the last gives the output', checkNames),
    check('weights have unique names, stages, kinds and finite values', checkWeights),
    check('a run gives the promised shape and type and leaves one tensor', checkRun),
    check('every range gives the same as its stages in one run', checkStages),
    check('inference gives the same values twice', checkRepeat),
    check('inputs of another shape or type are refused', checkRefusals),
    check(
      'every folded range gives the same, to a ten-thousandth of the largest value, and leaves no tensor',
      checkFold,
    ),
    check('written as nodes it gives the same', checkNodes),
    check('the seed decides over dropout, in stochastic stages alone', checkRandom),
    check('every weight has its gradient', checkGradients),
    check('the input has its gradient', checkInputGradient),
    check('the penalty is that of the moving weights', () => {
      checkPenalty(trunk, penalised);
    }),
    check('running moves no weight', checkUnmoved),
    check('frozen BatchNorm keeps its statistics and stays in inference mode', checkFrozen),
    check('unfrozen BatchNorm runs by its batch and hands out its new statistics', checkStatistics),
    check('write sets a weight and leaves no tensor', checkWrite),
  ];
}
