// Checks of what happens in training alone: dropout, and BatchNorm by the batch.
import { dispose, memory, type Tensor } from '@tensorflow/tfjs-core';
import { fits } from '../core/shapes.ts';
import type { MovedStatistic, RunOptions, Trunk } from '../core/types.ts';
import { consume, largest, near, stageInputs, valuesOf } from './compareValues.ts';
import { demand } from './conformance.ts';

const seeds = [1, 2, 3, 4];

/** Which stages draw, and that they draw by the seed. */
export function checkRandom(trunk: Trunk, input: Tensor): void {
  const inputs = stageInputs(trunk, input);
  try {
    for (const [from, { name, stochastic }] of trunk.stages.entries()) {
      const entry = inputs[from] ?? input;
      const draw = (mode: RunOptions) => consume(trunk.run(entry, { from, to: from + 1, ...mode }));
      const still = draw({});
      const drawn = seeds.map((dropoutSeed) => draw({ dropoutSeed }));
      const differ = drawn.some((values) => !near(values, still));
      demand(stochastic || !differ, `stage ${name} changes with a seed, but is not stochastic`);
      if (!stochastic || largest(valuesOf(entry)) === 0) continue;
      demand(differ, `stage ${name} is stochastic, but nothing drops out with a seed`);
      demand(near(draw({ dropoutSeed: 1 }), drawn[0] ?? [], 0), `stage ${name} gives other values for the same seed`);
      const follows = drawn.some((values) => !near(values, drawn[0] ?? []));
      demand(follows, `stage ${name} gives the same values for every seed`);
    }
  } finally {
    dispose(inputs);
  }
}

/** Weights before and after runs of every kind. */
export function checkUnmoved(trunk: Trunk, input: Tensor): void {
  const modes: readonly RunOptions[] = [{}, { dropoutSeed: 1 }, { onStatistics: freeStatistics }];
  for (const frozen of [true, false]) {
    for (const weight of trunk.weights) weight.frozen = frozen;
    for (const mode of trunk.movingStatistics === undefined ? modes.slice(0, 2) : modes) {
      const before = trunk.weights.map(({ variable }) => valuesOf(variable));
      dispose(trunk.run(input, mode));
      for (const [index, { name, variable }] of trunk.weights.entries()) {
        const same = near(valuesOf(variable), before[index] ?? [], 0);
        demand(same, `${frozen ? 'the frozen ' : ''}${name} moved`);
      }
    }
  }
}

function freeStatistics(moved: readonly MovedStatistic[]): void {
  dispose(moved.map(({ value }) => value));
}

/** Runs in training mode and keeps what is handed out, as plain values. */
function train(trunk: Trunk, input: Tensor, options: RunOptions = {}) {
  const calls: (readonly MovedStatistic[])[] = [];
  const before = memory().numTensors;
  const output = consume(trunk.run(input, { ...options, onStatistics: (moved) => calls.push(moved) }));
  const moved = calls.flat();
  const fitting = moved.every(({ weight, value }) => fits(value.shape, weight.shape));
  const statistics = moved.map(({ weight, value }) => ({ weight, values: valuesOf(value) }));
  freeStatistics(moved);
  const left = memory().numTensors - before;
  demand(calls.length === 1, `statistics were handed out ${String(calls.length)} times`);
  demand(fitting, 'a statistic has another shape than its weight');
  demand(left === 0, `a run in training mode left ${String(left)} tensors`);
  return { output, statistics };
}

/** Frozen BatchNorm. */
export function checkFrozen(trunk: Trunk, input: Tensor): void {
  if (trunk.movingStatistics === undefined) return;
  for (const weight of trunk.weights) weight.frozen = true;
  demand(trunk.movingStatistics().length === 0, 'statistics of frozen weights move');
  const { output, statistics } = train(trunk, input);
  demand(statistics.length === 0, 'a run handed out statistics of frozen weights');
  demand(near(output, consume(trunk.run(input))), 'frozen BatchNorm does not run in inference mode');
}

/** Unfrozen BatchNorm: which statistics, that they are the batch's, and the momentum. */
export function checkStatistics(trunk: Trunk, input: Tensor): void {
  if (trunk.movingStatistics === undefined) return;
  for (const weight of trunk.weights) weight.frozen = false;
  const expected = trunk.movingStatistics();
  demand(trunk.movingStatistics([]).length === 0, 'statistics move where nothing is unfrozen');
  const other = expected.find(({ kind }) => kind !== 'statistics');
  demand(other === undefined, `${other?.name ?? ''} moves with the batch, but is no statistic`);
  const { output, statistics: batch } = train(trunk, input, { momentum: 0 });
  const names = batch.map(({ weight }) => weight.name).join(', ');
  const same = batch.length === expected.length && batch.every(({ weight }) => expected.includes(weight));
  demand(same, `a run handed out statistics of ${names}`);
  if (expected.length === 0) return;
  demand(!near(output, consume(trunk.run(input))), 'unfrozen BatchNorm runs in inference mode');
  const { statistics: slow } = train(trunk, input, { momentum: 0.999 });
  for (const [place, { weight, values }] of batch.entries()) {
    const stored = valuesOf(weight.variable);
    const distance = largest(values.map((value, i) => value - (stored[i] ?? 0)));
    const moved = largest((slow[place]?.values ?? []).map((value, i) => value - (stored[i] ?? 0)));
    const bound = 0.1 * distance + 1e-4 * largest(stored);
    demand(moved <= bound, `${weight.name} moves as far with a momentum of 0.999 as without: momentum is ignored`);
  }
}
