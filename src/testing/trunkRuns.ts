// Checks of what a trunk computes: whole, in parts, folded, as nodes; and of what it refuses.
import { dispose, memory, tensor, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { isTransferKitError } from '../core/errors.ts';
import { fits } from '../core/shapes.ts';
import type { RunOptions, StageRange, TensorSpec, Trunk } from '../core/types.ts';
import { makeProgram } from '../networks/engines/ownEngine.ts';
import { nodesOfBase } from '../networks/write/baseNodes.ts';
import { consume, near, stageInputs, valuesOf, withoutLeak } from './compareValues.ts';
import { demand } from './conformance.ts';

/** Shape, type and tensors of runs in each mode. */
export function checkRun(trunk: Trunk, input: Tensor): void {
  const modes: readonly RunOptions[] = [{}, { fused: false }, { dropoutSeed: 1 }];
  for (const mode of modes) runOnce(trunk, input, mode, trunk.output, 'a run');
  const inputs = stageInputs(trunk, input);
  try {
    for (const [from, stage] of trunk.stages.entries()) {
      const entry = inputs[from] ?? input;
      runOnce(trunk, entry, { from, to: from + 1 }, stage.output, `stage ${stage.name}`);
      runOnce(trunk, entry, { from, to: from }, from === 0 ? trunk.input : stageBefore(trunk, from), 'an empty range');
    }
  } finally {
    dispose(inputs);
  }
}

function stageBefore({ stages, input }: Trunk, from: number): TensorSpec {
  return stages[from - 1]?.output ?? input;
}

function runOnce(trunk: Trunk, input: Tensor, options: RunOptions, promised: TensorSpec, what: string): void {
  const before = memory().numTensors;
  const output = trunk.run(input, options);
  const left = memory().numTensors - before;
  const { shape, dtype } = output;
  demand(output !== input, `${what} gave the input itself`);
  dispose(output);
  demand(left === 1, `${what} left ${String(left)} tensors`);
  demand(fits(shape, promised.shape), `${what} gave [${shape.join(', ')}]`);
  demand(dtype === promised.dtype, `${what} gave ${dtype}, not ${promised.dtype}`);
}

/** All ways to run two ranges in turn, and stage by stage. */
export function checkStages(trunk: Trunk, input: Tensor): void {
  const whole = consume(trunk.run(input));
  const inputs = stageInputs(trunk, input);
  try {
    for (const [from, entry] of inputs.entries()) {
      const range = `stages ${String(from)} to ${String(inputs.length)}`;
      demand(near(consume(trunk.run(entry, { from })), whole), `the values of ${range} differ from one run`);
      const next = inputs[from + 1];
      if (next === undefined) continue;
      const stage = consume(trunk.run(entry, { from, to: from + 1 }));
      demand(near(stage, valuesOf(next)), `the values of stage ${String(from)} differ from one run`);
    }
  } finally {
    dispose(inputs);
  }
}

/** Inference is a function. */
export function checkRepeat(trunk: Trunk, input: Tensor): void {
  demand(near(consume(trunk.run(input)), consume(trunk.run(input)), 0), 'the values differ');
}

/** Errors of a trunk and of each stage, by their codes. */
export function checkRefusals(trunk: Trunk, input: Tensor): void {
  const inputs = stageInputs(trunk, input);
  const shapes = inputs.map(({ shape }) => shape);
  dispose(inputs);
  for (const [from, shape] of shapes.entries()) {
    const { shape: expected, dtype } = stageBefore(trunk, from);
    const longer = shape.map((size, axis) => (axis > 0 && expected[axis] !== null ? size + 1 : size));
    const wrong = longer.some((size, axis) => size !== shape[axis]) ? [[...shape, 1], longer] : [[...shape, 1]];
    for (const other of wrong) {
      refuses(trunk, () => zeros(other, dtype), { from }, 'WRONG_SHAPE', `[${other.join(', ')}]`);
    }
    const words = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 'a');
    refuses(trunk, () => tensor(words, shape, 'string'), { from }, 'WRONG_DTYPE', 'text');
  }
}

function refuses(trunk: Trunk, make: () => Tensor, range: StageRange, code: string, what: string): void {
  const at = `stage ${String(range.from ?? 0)}`;
  withoutLeak(`refusing ${what} at ${at}`, () => {
    const input = make();
    try {
      dispose(trunk.run(input, range));
    } catch (error) {
      demand(isTransferKitError(error) && error.code === code, `${what} at ${at} raised ${String(error)}, not ${code}`);
      return;
    } finally {
      dispose(input);
    }
    demand(false, `${at} took ${what}`);
  });
}

/** Parts for inference: the whole, and each cut in two. */
export async function checkFold(trunk: Trunk, input: Tensor): Promise<void> {
  const inputs = stageInputs(trunk, input);
  try {
    await foldRange(trunk, input, {});
    for (const [place, entry] of inputs.entries()) {
      if (place === 0) continue;
      await foldRange(trunk, input, { to: place });
      await foldRange(trunk, entry, { from: place });
    }
  } finally {
    dispose(inputs);
  }
}

async function foldRange(trunk: Trunk, input: Tensor, range: StageRange): Promise<void> {
  const what = `stages ${String(range.from ?? 0)} to ${String(range.to ?? trunk.stages.length)}`;
  const expected = consume(trunk.run(input, range));
  const before = memory().numTensors;
  const part = await trunk.fold(range);
  const output = await part.run(input);
  const { shape } = output;
  const found = consume(output);
  part.dispose();
  part.dispose();
  const left = memory().numTensors - before;
  demand(left === 0, `folding ${what} left ${String(left)} tensors`);
  demand(found.length === expected.length, `folded, ${what} give [${shape.join(', ')}]`);
  demand(near(found, expected, 1e-4), `folded, the values of ${what} differ`);
}

/** The nodes that a trunk writes run as it does, and hold its weights. */
export function checkNodes(trunk: Trunk, input: Tensor): void {
  if (trunk.writeNodes === undefined) return;
  withoutLeak('writing and freeing the nodes', () => {
    const written = nodesOfBase({ name: 'trunk', trunk });
    const program = makeProgram({ ...written, input: trunk.input });
    try {
      const unnamed = written.graph.nodes.find(({ name }) => !trunk.names.has(name));
      demand(unnamed === undefined, `names lack the node ${unnamed?.name ?? ''}`);
      const lost = trunk.weights.find(({ name, variable }) => {
        const value = written.constants.get(name);
        return value === undefined || !near(valuesOf(value), valuesOf(variable), 0);
      });
      demand(lost === undefined, `the nodes do not hold ${lost?.name ?? ''} under its name`);
      demand(near(consume(program.run(input)), consume(trunk.run(input)), 1e-4), 'the values of the nodes differ');
    } finally {
      program.dispose();
    }
  });
}
