// A folded model as the artefact of a tfjs GraphModel, without its weights.
import type { io } from '@tensorflow/tfjs-core';
import type { NodeGraph } from '../core/graphs.ts';
import { thresholdsOf } from '../formats/tfjs/describeModel.ts';
import type { AnyModel, HeadPart } from '../model/model.ts';
import { tasks } from '../model/tasks/tasks.ts';
import { writeNodes } from '../networks/graphs/nodeGraph.ts';
import { outputKeys, signatureOf } from '../networks/write/graphParts.ts';

/** The part of an artefact that needs no weights. */
export type FoldedArtifacts = Pick<
  io.ModelArtifacts,
  'modelTopology' | 'format' | 'generatedBy' | 'signature' | 'userDefinedMetadata'
>;

/** Describes a graph whose outputs are those of the model's heads, in their order. */
export function foldedArtifacts({ base, head: { parts, task }, labels }: AnyModel, graph: NodeGraph): FoldedArtifacts {
  const outputs = parts.map((part, place): [string, string] => [outputName(part), graph.outputs[place] ?? graph.input]);
  return {
    modelTopology: writeNodes(graph),
    format: 'graph-model',
    generatedBy: 'transferkit',
    signature: signatureOf(graph, Object.fromEntries(outputs)),
    userDefinedMetadata: {
      ...{ labels, task, ...thresholdsOf(parts) },
      ...{ preprocessor: base.preprocessor.spec, ...outputKeys(parts) },
    },
  };
}

/** The name of a head's output for callers. */
export function outputName({ name, task }: HeadPart): string {
  if (name !== '') return name;
  return tasks[task].activation.output;
}
