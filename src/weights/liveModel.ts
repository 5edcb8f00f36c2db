// A LayersModel in memory as an artefact. The model stays as it is; its weights are shared, not copied.
import { clone } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ModelArtefact } from './modelArtefact.ts';

/** The topology and weights of a live model. */
export function readLiveModel(model: LayersModel): ModelArtefact {
  return {
    source: `the LayersModel '${model.name}'`,
    topology: model.toJSON(undefined, false),
    metadata: {},
    // A clone shares its data with the original; assigning to a variable replaces data and never writes into it.
    weights: (wanted) =>
      Object.fromEntries(
        model.weights
          .filter((weight) => wanted(weight.originalName))
          .map((weight) => [weight.originalName, clone(weight.read())]),
      ),
  };
}
