// The verb save: writes a model as a tfjs artefact, with transferkit's facts about it as metadata.
import { nameErrors } from './core/edge.ts';
import { dispose, io } from '@tensorflow/tfjs-core';
import { assertAlive } from './model/assertAlive.ts';
import type { AnyModel } from './model/model.ts';
import { whileCopied } from './model/uses.ts';
import { saveTo, targetOf } from './formats/tfjs/modelStores.ts';
import { describeModel } from './formats/tfjs/describeModel.ts';

/**
 * Saves a model as a tfjs LayersModel that contains base and head. Labels, thresholds, preprocessing, freeze state and
 * history are saved as metadata. `tf.loadLayersModel` loads it without transferkit; its output is the probabilities of
 * the labels (`binary`: that of the second label; `regression`: the values).
 *
 * A model whose base is a GraphModel is saved as a GraphModel with two outputs: the logits and the probabilities
 * (`regression`: the values only). `tf.loadGraphModel` loads it.
 *
 * A model with several heads has one output for each, with the head's name: `outputNames` of the LayersModel lists
 * them, and `predict` of the GraphModel returns a record.
 *
 * @param model - A model of any task, or with several heads. Optimizer state is not saved.
 * @param target - In Node the path of a folder or of a file that ends in `.zip` (folders that are missing are created),
 * or a `file:` address; in a browser `indexeddb://name`, `localstorage://name` or `downloads://name`; any tfjs IOHandler,
 * such as `fileSystem(folder)` of `transferkit/node`, `zipDownload(name)` of `transferkit/browser` and `zipBlob`. A model
 * in IndexedDB is there when the call resolves, and replaces the earlier one of that name as a whole; `keepStorage()` of
 * `transferkit/browser` asks the browser to keep it when the device is short of space.
 * @throws TransferKitError `SAVE_FAILED` with the reason, `INVALID_OPTION`, `DISPOSED`, `BACKEND_LOST`, `UNSUPPORTED_LAYER` for
 * a custom head with a layer that has no GraphModel form, `UNSUPPORTED_TRUNK` for a custom trunk that cannot be written.
 *
 * @example
 * ```ts
 * await save(model, 'my-model'); // a folder
 * await save(model, 'my-model.zip'); // one file
 * ```
 */
export async function save(model: AnyModel, target: io.IOHandler | string | URL): Promise<void> {
  return nameErrors('save', async () => {
    assertAlive(model);
    const handler = targetOf(target);
    await saveTo(handler, await whileCopied(model, () => artifactsOf(model)));
  });
}

/** A snapshot of the model, so that changes during the write have no effect. */
async function artifactsOf(model: AnyModel): Promise<io.ModelArtifacts> {
  const { writeModel } = await import('./networks/write/writeModel.ts');
  assertAlive(model);
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
