// Converts a GraphModel in memory to an artefact. The model stays unchanged; its constants are shared, not copied.
import { clone, type io, type Tensor } from '@tensorflow/tfjs-core';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import { TransferKitError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { sourceOf } from '../../core/weightSource.ts';
import type { ModelArtefact } from './modelArtefact.ts';

/** Whether a value is a GraphModel. */
export function isGraphModel(source: object): source is GraphModel {
  return 'execute' in source && 'weights' in source && 'modelStructuredOutputKeys' in source;
}

/**
 * Reads the topology and the constants of a GraphModel.
 *
 * @throws TransferKitError `DISPOSED`, `NOT_A_MODEL` for one that was not loaded.
 */
export async function readLiveGraph(model: GraphModel): Promise<ModelArtefact> {
  const artifacts = await topologyOf(model);
  const constants = new Map<string, Tensor>();
  for (const [name, [tensor]] of Object.entries(model.weights)) if (tensor !== undefined) constants.set(name, tensor);
  if ([...constants.values()].some((tensor) => tensor.isDisposed)) {
    throw new TransferKitError('DISPOSED', 'expected a usable GraphModel, got one after its dispose().');
  }
  return {
    source: 'the GraphModel',
    topology: artifacts.modelTopology,
    metadata: isJsonObject(artifacts.userDefinedMetadata) ? artifacts.userDefinedMetadata : {},
    weights: (wanted) =>
      sourceOf(
        new Map(
          [...constants]
            .filter(([name]) => wanted(name))
            .map(([name, tensor]) => [name, { shape: tensor.shape, read: () => clone(tensor) }]),
        ),
      ),
  };
}

/** tfjs passes the topology to the handler that saves the model. */
async function topologyOf(model: GraphModel): Promise<io.ModelArtifacts> {
  const saved: io.ModelArtifacts[] = [];
  await model.save({
    save: (artifacts) => {
      saved.push(artifacts);
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    },
  });
  const [artifacts] = saved;
  if (artifacts?.modelTopology !== undefined) return artifacts;
  throw new TransferKitError('NOT_A_MODEL', 'expected a loaded GraphModel, got one without a topology.');
}
