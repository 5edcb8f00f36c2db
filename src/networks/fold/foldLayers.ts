// Folds a part of a trunk of layers for inference: layers that can be written as nodes are fused, the others run
// unchanged.
import { disposal } from '../../core/disposal.ts';
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { FoldedPart, LayersTrunk, StageRange, TensorSpec } from '../../core/types.ts';
import { emptyDraft, finishDraft, type NodeDraft } from '../graphs/nodeDraft.ts';
import { makeProgram, type Program } from './program.ts';
import { writeCalls, writeInput, type WritableTrunk, type WrittenCalls } from '../write/writeCalls.ts';

type Range = Required<StageRange>;

/** The parts of a trunk of layers that folding uses. */
export type FoldableTrunk = WritableTrunk & Pick<LayersTrunk, 'input' | 'stages' | 'run'>;

/** Stages of a trunk written as nodes. */
interface WrittenRange extends WrittenCalls {
  readonly draft: NodeDraft;
  readonly input: string;
  readonly spec: TensorSpec;
}

/** Folds stages of a trunk. Stages with layers that cannot be written as nodes run unchanged. */
export function foldLayers(trunk: FoldableTrunk, { from = 0, to = trunk.stages.length }: StageRange = {}): FoldedPart {
  const whole = writeRange(trunk, { from, to });
  if (whole.unsupported.length === 0) return { ...programOf(trunk, whole), ...disposal(), unfolded: [] };
  const programs: Program[] = [];
  try {
    for (const run of runsOf(trunk, { from, to })) {
      const written = writeRange(trunk, run);
      programs.push(written.unsupported.length === 0 ? programOf(trunk, written) : asItIs(trunk, run));
    }
  } catch (error) {
    for (const program of programs) program.dispose();
    throw error;
  }
  return {
    ...disposal(),
    run: (input) => inTurn(programs, input),
    dispose() {
      for (const program of programs) program.dispose();
    },
    toString: () => programs.map(String).join('\n'),
    unfolded: [...new Set(whole.unsupported.map(({ name }) => name))],
  };
}

/** Groups of consecutive stages that are all foldable, or all not. */
function runsOf(trunk: FoldableTrunk, { from, to }: Range): Range[] {
  const runs: (Range & { readonly foldable: boolean })[] = [];
  for (let stage = from; stage < to; stage++) {
    const range = { from: stage, to: stage + 1 };
    const foldable = writeRange(trunk, range).unsupported.length === 0;
    const last = runs.at(-1);
    if (last?.foldable === foldable) runs.splice(-1, 1, { ...last, to: stage + 1 });
    else runs.push({ ...range, foldable });
  }
  return runs;
}

function writeRange(trunk: FoldableTrunk, { from, to }: Range): WrittenRange {
  const draft = emptyDraft();
  const [entry = 0, exit = 0] = [from, to].map((place) => trunk.layers.boundaries[place]);
  const { placeholder, floats } = writeInput(trunk, entry, draft);
  const spec = trunk.stages[from - 1]?.output ?? trunk.input;
  return { draft, input: placeholder, spec, ...writeCalls({ trunk, entry, exit, input: floats, fold: true }, draft) };
}

function programOf({ layers: { graph } }: FoldableTrunk, { draft, input, spec, output }: WrittenRange): Program {
  const { nodes, constants } = finishDraft(draft);
  return makeProgram({ name: graph.name, nodes, input, outputs: [output], rest: {} }, constants, spec);
}

function asItIs(trunk: FoldableTrunk, range: Range): Program {
  const names = trunk.stages.slice(range.from, range.to).map(({ name }) => name);
  return {
    run: (input) => trunk.run(input, range),
    dispose: () => undefined,
    toString: () => `${trunk.layers.graph.name}: stages as they are: ${names.join(', ')}`,
  };
}

/** Runs one program after the other. The caller still owns the input. */
function inTurn(programs: readonly Program[], input: Tensor): Tensor {
  return programs.reduce((x, program) => {
    try {
      return program.run(x);
    } finally {
      if (x !== input) dispose(x);
    }
  }, input);
}
