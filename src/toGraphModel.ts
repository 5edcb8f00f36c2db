// The verb toGraphModel: the whole model as a tfjs GraphModel that is fast in inference.
import { loadGraphModel, type GraphModel } from '@tensorflow/tfjs-converter';
import { dispose, io, keep } from '@tensorflow/tfjs-core';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import type { AnyModel, HeadPart } from './model/model.ts';
import { assertAlive } from './model/assertAlive.ts';
import { tasks } from './model/tasks/tasks.ts';
import { whileCopied } from './model/uses.ts';
import { writeNodes } from './networks/read/nodeGraph.ts';

/**
 * Makes a GraphModel of base and head, for inference without transferkit: BatchNorm folded into the convolutions,
 * activations and padding in their kernels, dropout gone. It takes what the base takes, a preprocessed batch, and gives
 * the probabilities of the labels (`binary`: that of the second label; `regression`: the values), to a ten-thousandth
 * what `predict` gives. With several heads its `predict` gives a record of these, by the heads' names.
 *
 * It has weights of its own: training the model further or disposing of it leaves the GraphModel as it is. `save` of the
 * GraphModel writes it as tfjs does; what transferkit knows about the model is not in it, so keep what `save` of
 * transferkit writes to go on training.
 *
 * @param model - A model of any task, or with several heads.
 * @returns The GraphModel; `dispose()` frees it. Its `metadata` has the `labels` and the `preprocessor`'s spec.
 * @throws TransferKitError `UNSUPPORTED_LAYER` with the layers that have no form in a GraphModel, `UNSUPPORTED_TRUNK` for a
 * trunk of your own that writes no nodes, `DISPOSED`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { toGraphModel } from 'transferkit';
 * const graphModel = await toGraphModel(model);
 * const probabilities = graphModel.predict(tf.zeros([1, 32, 32, 3])) as tf.Tensor;
 * console.log(probabilities.shape); // [ 1, 2 ]
 * graphModel.dispose();
 * ```
 */
export async function toGraphModel(model: AnyModel): Promise<GraphModel> {
  return whileCopied('toGraphModel', model, () => writeGraphModel(model));
}

async function writeGraphModel(model: AnyModel): Promise<GraphModel> {
  await ensureBackend();
  const { foldModel } = await import('./networks/fold/foldModel.ts');
  const { outputKeys, signatureOf } = await import('./networks/write/graphParts.ts');
  assertAlive('toGraphModel', model);
  const { graph, constants } = foldModel(model);
  const { parts } = model.head;
  const outputs = parts.map((part, place): [string, string] => [outputName(part), graph.outputs[place] ?? graph.input]);
  const { data, specs } = await io.encodeWeights(Object.fromEntries(constants)).finally(() => {
    dispose([...constants.values()]);
  });
  const artifacts: io.ModelArtifacts = {
    modelTopology: writeNodes(graph),
    format: 'graph-model',
    generatedBy: 'transferkit',
    signature: signatureOf(graph, Object.fromEntries(outputs)),
    weightSpecs: specs,
    weightData: data,
    userDefinedMetadata: { labels: model.labels, preprocessor: model.base.preprocessor.spec, ...outputKeys(parts) },
  };
  const graphModel = await loadGraphModel({ load: () => Promise.resolve(artifacts) });
  // A scope of the engine that is open now does not take them.
  for (const weights of Object.values(graphModel.weights)) weights.forEach((weight) => keep(weight));
  return graphModel;
}

function outputName({ name, task }: HeadPart): string {
  if (name !== '') return name;
  return tasks[task].activation.output;
}
