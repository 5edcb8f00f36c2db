// A LayersModel in memory as an artefact. The model stays as it is; its weights are shared, not copied.
import { clone } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { TransferKitError } from '../../core/errors.ts';
import { sourceOf, type WeightEntry, type WeightSource } from '../../core/weightSource.ts';
import type { ModelArtefact, PlacedLayer } from './modelArtefact.ts';

/**
 * The topology and weights of a live model.
 *
 * @throws TransferKitError `DISPOSED`.
 */
export function readLiveModel(model: LayersModel): ModelArtefact {
  assertAlive(model);
  return {
    source: `the LayersModel '${model.name}'`,
    topology: model.toJSON(undefined, false),
    metadata: {},
    weights: (wanted, layers) => shareWeights(model, wanted, layers),
  };
}

/** Weights under the names that the graph gives their layers: layers of nested models may share a name of their own. */
function shareWeights(
  model: LayersModel,
  wanted: (name: string) => boolean,
  placed: readonly PlacedLayer[] | undefined,
): WeightSource {
  const names = placed && new Map(placed.map(({ name, path }) => [path.join('/'), name]));
  const found = new Map<string, WeightEntry>();
  for (const { path, layer } of layersOf(model, [])) {
    const name = names === undefined ? layer.name : names.get(path.join('/'));
    for (const weight of name === undefined ? [] : layer.weights) {
      const full = `${name ?? ''}/${ownName(weight.originalName, layer.name)}`;
      // A clone shares its data with the original; assigning to a variable replaces data and never writes into it.
      if (!wanted(full) || found.has(full)) continue;
      found.set(full, { shape: weight.read().shape, read: () => clone(weight.read()) });
    }
  }
  return sourceOf(found);
}

/** The layers of a model and of the models in it, each with the names that lead to it. */
function layersOf(container: LayersModel, path: readonly string[]): { path: readonly string[]; layer: layers.Layer }[] {
  return container.layers.flatMap((layer) => {
    const here = [...path, layer.name];
    return isContainer(layer) ? layersOf(layer, here) : [{ path: here, layer }];
  });
}

function isContainer(layer: layers.Layer): layer is LayersModel {
  return 'getLayer' in layer;
}

/** A weight's name in its layer: tfjs puts the layer's name in front, and that of a model that was built around it. */
function ownName(scoped: string, layer: string): string {
  const at = `/${scoped}`.indexOf(`/${layer}/`);
  return scoped.slice(at < 0 ? scoped.indexOf('/') + 1 : at + layer.length + 1);
}

/** tfjs keeps no flag: a disposed model has weights that cannot be read. */
function assertAlive(model: LayersModel): void {
  try {
    for (const weight of model.weights) weight.read();
  } catch (error) {
    const text = `expected a usable LayersModel, got '${model.name}' after its dispose(). Load or build it again.`;
    throw new TransferKitError('DISPOSED', text, { name: model.name }, error);
  }
}
