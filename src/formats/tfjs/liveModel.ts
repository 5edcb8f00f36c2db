// Converts a LayersModel in memory to an artefact. The model stays unchanged; its weights are shared, not copied.
import { clone } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { TransferKitError } from '../../core/errors.ts';
import { sourceOf, type WeightEntry, type WeightSource } from '../../core/weightSource.ts';
import type { ModelArtefact, PlacedLayer } from './modelArtefact.ts';

/**
 * Returns the topology and weights of a live model.
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

/** Shares weights under the layer names of the graph: layers of nested models may have equal names. */
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
      // A clone shares its data with the original; assigning to a variable replaces its data without changing the old.
      if (!wanted(full) || found.has(full)) continue;
      found.set(full, { shape: weight.read().shape, read: () => clone(weight.read()) });
    }
  }
  return sourceOf(found);
}

/** The layers of a model and of its nested models, each with its path of names. */
function layersOf(container: LayersModel, path: readonly string[]): { path: readonly string[]; layer: layers.Layer }[] {
  return container.layers.flatMap((layer) => {
    const here = [...path, layer.name];
    return isContainer(layer) ? layersOf(layer, here) : [{ path: here, layer }];
  });
}

function isContainer(layer: layers.Layer): layer is LayersModel {
  return 'getLayer' in layer;
}

/** A weight's name in its layer: tfjs adds the layer's name before it, and that of a model built around the layer. */
function ownName(scoped: string, layer: string): string {
  const at = `/${scoped}`.indexOf(`/${layer}/`);
  return scoped.slice(at < 0 ? scoped.indexOf('/') + 1 : at + layer.length + 1);
}

/** tfjs has no flag for it: the weights of a disposed model cannot be read. */
function assertAlive(model: LayersModel): void {
  try {
    for (const weight of model.weights) weight.read();
  } catch (error) {
    const text = `expected a usable LayersModel, got '${model.name}' after its dispose(). Load or build it again.`;
    throw new TransferKitError('DISPOSED', text, { name: model.name }, error);
  }
}
