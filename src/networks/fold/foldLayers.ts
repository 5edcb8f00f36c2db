// Folds a part of a trunk of layers for inference: layers that can be written as nodes are fused, the others run
// unchanged.
import { disposal } from '../../core/disposal.ts';
import type { FoldedPart, LayersTrunk, StageRange, TensorSpec } from '../../core/types.ts';
import { emptyDraft, finishDraft, type NodeDraft } from '../graphs/nodeDraft.ts';
import type { FoldedGraph, Program } from '../engines/engine.ts';
import { inTurn } from '../engines/inTurn.ts';
import { prepareProgram } from '../engines/prepareProgram.ts';
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
export async function foldLayers(
  trunk: FoldableTrunk,
  { from = 0, to = trunk.stages.length }: StageRange = {},
): Promise<FoldedPart> {
  const whole = writeRange(trunk, { from, to });
  const unfolded = [...new Set(whole.unsupported.map(({ name }) => name))];
  if (unfolded.length === 0) return { ...(await prepareProgram(graphOf(trunk, whole))), ...disposal(), unfolded };
  // The weights of all stages are copied before anything is awaited.
  const parts = runsOf(trunk, { from, to }).map((run) => {
    const written = writeRange(trunk, run);
    return written.unsupported.length === 0 ? graphOf(trunk, written) : asItIs(trunk, run);
  });
  return { ...inTurn(await prepareAll(parts)), ...disposal(), unfolded };
}

/** Prepares graphs; programs stay as they are. All of them are freed if one cannot be prepared. */
async function prepareAll(parts: readonly (FoldedGraph | Program)[]): Promise<Program[]> {
  const prepared = await Promise.allSettled(
    parts.map((part) => ('run' in part ? Promise.resolve(part) : prepareProgram(part))),
  );
  const programs = prepared.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = prepared.find((each) => each.status === 'rejected');
  if (failed === undefined) return programs;
  for (const program of programs) program.dispose();
  throw failed.reason;
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

function graphOf({ layers: { graph } }: FoldableTrunk, { draft, input, spec, output }: WrittenRange): FoldedGraph {
  const { nodes, constants } = finishDraft(draft);
  return { graph: { name: graph.name, nodes, input, outputs: [output], rest: {} }, constants, input: spec };
}

function asItIs(trunk: FoldableTrunk, range: Range): Program {
  const names = trunk.stages.slice(range.from, range.to).map(({ name }) => name);
  return {
    run: (input) => trunk.run(input, range),
    leftToOwn: [],
    dispose: () => undefined,
    toString: () => `${trunk.layers.graph.name}: stages as they are: ${names.join(', ')}`,
  };
}
