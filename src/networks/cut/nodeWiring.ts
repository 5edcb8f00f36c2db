// The nodes of a GraphModel as calls that read each other, for finding its possible cuts.
import type { NodeGraph } from '../../core/graphs.ts';
import { dataNodes, nodeOf, nodesByName, outputOf } from '../graphs/nodeGraph.ts';
import { nodesOfSplitExamples } from '../graphs/splitExamples.ts';
import { separatingCalls, type Wiring } from './stages.ts';

/** The nodes that depend on the input, as calls that read each other. */
export function wiringOf(graph: NodeGraph): Wiring {
  const names = dataNodes(graph);
  const callOf = new Map(names.map((name, call) => [name, call]));
  const byName = nodesByName(graph.nodes);
  const calls = names.map((name) => ({
    inputs: (byName.get(name)?.inputs ?? []).flatMap((reference) => {
      const call = callOf.get(nodeOf(reference));
      return call === undefined ? [] : { call, output: outputOf(reference) };
    }),
  }));
  return { calls, outputs: graph.outputs.map((name) => ({ call: callOf.get(name) ?? 0, output: 0 })) };
}

/** Names of the nodes that all values pass through, in order, where the first axis is that of the examples. */
export function separatingNodes(graph: NodeGraph): string[] {
  const names = dataNodes(graph);
  const split = nodesOfSplitExamples(graph);
  return separatingCalls(wiringOf(graph))
    .flatMap((call) => names[call] ?? [])
    .filter((name) => !split.has(name));
}
