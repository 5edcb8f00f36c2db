// The conformance suite of trunks: what every trunk promises, whatever format it wraps.
import { dispose, memory, sum, tidy, variableGrads, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { isTransferKitError } from '../core/errors.ts';
import { fits } from '../core/shapes.ts';
import type { MovedStatistic, Trunk, TrunkWeight } from '../core/types.ts';
import { demand, runChecks, type ConformanceReport } from './conformance.ts';

/**
 * Checks a trunk against its contract. The trunk is disposed at the end.
 *
 * @param trunk - A trunk of at least one stage, fresh from its maker.
 * @param input - A batch that it takes; stays the caller's.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { checkTrunk } from 'transferkit/testing';
 * const { failed } = await checkTrunk(base.trunk, tf.zeros([2, 32, 32, 3]));
 * console.log(failed); // []
 * ```
 */
export async function checkTrunk(trunk: Trunk, input: Tensor): Promise<ConformanceReport> {
  return runChecks([
    {
      name: 'weights have unique names, known stages and finite values',
      run: () => {
        checkWeights(trunk);
      },
    },
    {
      name: 'a run gives the promised shape and leaves one tensor',
      run: () => {
        checkRun(trunk, input);
      },
    },
    {
      name: 'stage by stage gives the same as one run',
      run: () => {
        checkStages(trunk, input);
      },
    },
    {
      name: 'inference gives the same values twice',
      run: () => {
        checkRepeat(trunk, input);
      },
    },
    {
      name: 'folded it gives the same, to a ten-thousandth of the largest value, and leaves no tensor',
      run: () => checkFold(trunk, input),
    },
    {
      name: 'every weight but statistics has a gradient',
      run: () => {
        checkGradients(trunk, input);
      },
    },
    {
      name: 'running moves no weight',
      run: () => {
        checkUnmoved(trunk, input);
      },
    },
    {
      name: 'unfrozen BatchNorm in training mode hands out its new statistics and leaves no other tensor',
      run: () => {
        checkStatistics(trunk, input);
      },
    },
    {
      name: 'dispose frees the weights, twice does no harm, and running then raises DISPOSED',
      run: () => {
        checkDispose(trunk, input);
      },
    },
  ]);
}

function checkWeights({ weights, stages }: Trunk): void {
  demand(new Set(weights.map(({ name }) => name)).size === weights.length, 'two weights have the same name');
  for (const { name, stage, variable } of weights) {
    demand(stages[stage] !== undefined, `${name} is of stage ${String(stage)} of ${String(stages.length)}`);
    demand(valuesOf(variable).every(Number.isFinite), `${name} is not finite`);
  }
}

function checkRun(trunk: Trunk, input: Tensor): void {
  const before = memory().numTensors;
  const output = trunk.run(input);
  const left = memory().numTensors - before;
  const { shape } = output;
  dispose(output);
  demand(left === 1, `a run left ${String(left)} tensors`);
  demand(fits(shape, trunk.output.shape), `a run gave [${shape.join(', ')}]`);
}

function checkStages(trunk: Trunk, input: Tensor): void {
  tidy(() => {
    const whole = trunk.run(input);
    const stepped = trunk.stages.reduce((current, stage, index) => {
      const next = trunk.run(current, { from: index, to: index + 1 });
      demand(fits(next.shape, stage.output.shape), `stage ${stage.name} gave [${next.shape.join(', ')}]`);
      return next;
    }, input);
    demand(equal(whole, stepped), 'the values differ');
  });
}

function checkRepeat(trunk: Trunk, input: Tensor): void {
  tidy(() => {
    demand(equal(trunk.run(input), trunk.run(input)), 'the values differ');
  });
}

async function checkFold(trunk: Trunk, input: Tensor): Promise<void> {
  const expected = consume(trunk.run(input));
  const before = memory().numTensors;
  const part = await trunk.fold();
  const found = consume(part.run(input));
  part.dispose();
  part.dispose();
  const left = memory().numTensors - before;
  demand(left === 0, `folding left ${String(left)} tensors`);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const same =
    found.length === expected.length && found.every((value, i) => isNear(value, expected[i], 1e-4 * largest));
  demand(same, 'the values differ');
}

/** Values of a tensor that nobody needs afterwards. */
function consume(tensor: Tensor): number[] {
  const values = valuesOf(tensor);
  dispose(tensor);
  return values;
}

function isNear(value: number, expected: number | undefined, distance: number): boolean {
  return Math.abs(value - (expected ?? NaN)) <= distance;
}

function checkGradients(trunk: Trunk, input: Tensor): void {
  const moving = trunk.weights.filter((weight) => weight.kind !== 'statistics');
  if (moving.length === 0) return;
  for (const weight of moving) weight.variable.trainable = true;
  const { value, grads } = variableGrads(
    () => tidy(() => sum<Scalar>(trunk.run(input))),
    moving.map((weight) => weight.variable),
  );
  const without = moving.filter((weight) => !hasShape(grads[weight.variable.name], weight));
  dispose([value, ...Object.values(grads)]);
  demand(without.length === 0, `no gradient for ${without.map(({ name }) => name).join(', ')}`);
}

function hasShape(gradient: Tensor | undefined, weight: TrunkWeight): boolean {
  return gradient !== undefined && fits(gradient.shape, weight.shape);
}

function checkUnmoved(trunk: Trunk, input: Tensor): void {
  const before = trunk.weights.map((weight) => valuesOf(weight.variable));
  dispose(trunk.run(input, { dropoutSeed: 1 }));
  trunk.weights.forEach((weight, index) => {
    const same = valuesOf(weight.variable).every((value, i) => Object.is(value, before[index]?.[i]));
    demand(same, `${weight.name} moved`);
  });
}

function checkStatistics(trunk: Trunk, input: Tensor): void {
  for (const weight of trunk.weights) weight.frozen = false;
  const before = memory().numTensors;
  if (trunk.movingStatistics === undefined) return;
  const statistics = trunk.movingStatistics();
  demand(trunk.movingStatistics([]).length === 0, 'statistics move where nothing is unfrozen');
  const calls: (readonly MovedStatistic[])[] = [];
  dispose(trunk.run(input, { onStatistics: (moved) => calls.push(moved) }));
  const moved = calls.flat();
  const names = moved.map(({ weight }) => weight.name).join(', ');
  const same = moved.length === statistics.length && moved.every(({ weight }) => statistics.includes(weight));
  const fitting = moved.every(({ weight, value }) => fits(value.shape, weight.shape));
  dispose(moved.map(({ value }) => value));
  demand(calls.length === 1, `statistics were handed out ${String(calls.length)} times`);
  demand(same, `a run handed out statistics of ${names}`);
  demand(fitting, 'a statistic has another shape than its weight');
  const left = memory().numTensors - before;
  demand(left === 0, `a run in training mode left ${String(left)} tensors`);
}

function checkDispose(trunk: Trunk, input: Tensor): void {
  const before = memory().numTensors;
  trunk.dispose();
  trunk.dispose();
  const freed = before - memory().numTensors;
  demand(trunk.disposed, 'disposed is false');
  demand(freed >= trunk.weights.length, `dispose freed ${String(freed)} of ${String(trunk.weights.length)} weights`);
  try {
    dispose(trunk.run(input));
  } catch (error) {
    demand(isTransferKitError(error) && error.code === 'DISPOSED', `running raised ${String(error)}`);
    return;
  }
  demand(false, 'running after dispose raised nothing');
}

function valuesOf(tensor: Tensor): number[] {
  return Array.from(tensor.dataSync(), Number);
}

function equal(a: Tensor, b: Tensor): boolean {
  const values = valuesOf(b);
  return valuesOf(a).every(
    (value, index) => Math.abs(value - (values[index] ?? NaN)) <= 1e-5 * Math.max(1, Math.abs(value)),
  );
}
