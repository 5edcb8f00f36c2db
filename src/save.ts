// The verb save: one tfjs artefact, with everything that transferkit knows about the model beside it.
import { dispose, io } from '@tensorflow/tfjs-core';
import { assertAlive } from './model/assertAlive.ts';
import { isTransferKitError, TransferKitError } from './core/errors.ts';
import type { AnyModel, HeadPart } from './model/model.ts';
import { isObject } from './core/optionChecks.ts';
import { whileCopied } from './model/uses.ts';
import type { WrittenModel } from './networks/write/writeModel.ts';
import { placeToSave } from './formats/tfjs/modelStores.ts';
import type { SavedModel } from './formats/tfjs/savedModel.ts';

/**
 * Saves a model as a tfjs LayersModel: base and head in one, weights, and labels, thresholds, preprocessing, freeze state and
 * history as metadata. `tf.loadLayersModel` loads it without transferkit; its output is the probabilities of the labels
 * (`binary`: that of the second label; `regression`: the values).
 *
 * A model on a GraphModel is saved as a GraphModel: `tf.loadGraphModel` gives two outputs, the logits and the
 * probabilities (`regression`: the values alone).
 *
 * A model with several heads has one output for each, of its name: `outputNames` of the LayersModel lists them, and
 * `predict` of the GraphModel gives a record.
 *
 * @param model - A model of any task, or with several heads. Optimizer state is not saved.
 * @param target - In Node the path of a folder, which is made when it is missing, or a `file:` address; in a page
 * `indexeddb://name`, `localstorage://name` or `downloads://name`; any tfjs IOHandler, such as `fileSystem(folder)` of
 * `transferkit/node`.
 * @throws TransferKitError `SAVE_FAILED` with the reason, `INVALID_OPTION`, `DISPOSED`, `UNSUPPORTED_LAYER` for a head of
 * your own that has no form in a GraphModel, `UNSUPPORTED_TRUNK` for a trunk of your own that cannot be written.
 *
 * @example
 * ```ts
 * await save(model, 'my-model');
 * ```
 */
export async function save(model: AnyModel, target: io.IOHandler | string | URL): Promise<void> {
  assertAlive('save', model);
  const handler = typeof target === 'string' || target instanceof URL ? placeToSave(String(target)) : target;
  if (!isObject(handler) || handler.save === undefined) {
    throw new TransferKitError('INVALID_OPTION', 'save: expected an IOHandler that can save, got one without save().');
  }
  const artifacts = await whileCopied('save', model, () => artifactsOf(model));
  try {
    await handler.save(artifacts);
  } catch (error) {
    if (isTransferKitError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TransferKitError('SAVE_FAILED', `save: could not write the model: ${reason}`, { reason }, error);
  }
}

/** The model at one moment, whatever becomes of it while that is written. */
async function artifactsOf(model: AnyModel): Promise<io.ModelArtifacts> {
  const { writeModel } = await import('./networks/write/writeModel.ts');
  assertAlive('save', model);
  const written = writeModel(model);
  const userDefinedMetadata = { transferkit: describeModel(model, written), ...written.metadata };
  const { data, specs } = await io.encodeWeights({ ...written.weights }).finally(() => {
    dispose([...written.made]);
  });
  return {
    ...written.artifacts,
    weightData: data,
    weightSpecs: specs,
    generatedBy: 'transferkit',
    userDefinedMetadata,
  };
}

function allWeights({ base, head }: AnyModel) {
  return [...base.trunk.weights, ...head.trunk.weights];
}

function describeModel(model: AnyModel, written: WrittenModel): SavedModel {
  const { base, head, labels, history } = model;
  return {
    version: 1,
    task: head.task,
    labels,
    preprocessor: base.preprocessor.spec,
    base: { name: base.name, cut: written.cut },
    head: { ...written.head, trained: head.trained },
    ...thresholdsOf(head.parts),
    unfrozen: allWeights(model)
      .filter((weight) => !weight.frozen)
      .map((weight) => weight.name),
    history,
  };
}

/** Thresholds that are not one half. */
function thresholdsOf(parts: readonly HeadPart[]): Pick<SavedModel, 'thresholds'> {
  const [first] = parts;
  if (first?.name === '') return first.thresholds === undefined ? {} : { thresholds: first.thresholds };
  const own = parts.flatMap(({ name, thresholds }) => (thresholds === undefined ? [] : [[name, thresholds] as const]));
  return own.length === 0 ? {} : { thresholds: Object.fromEntries(own) };
}
