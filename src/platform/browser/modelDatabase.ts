// Whole models in IndexedDB: the database, stores and records of tfjs, so that each reads what the other wrote. tfjs's
// own handler does not wait for its transactions: it resolves when one fails for lack of space.
import { io } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { nearestNames, quoted } from '../../core/names.ts';
import { isObject } from '../../core/optionChecks.ts';
import { answered, reasonOf, transact, type DatabasePlan } from './indexedDb.ts';

const models = 'models_store';
/** Sizes and dates, for lists of the models. */
const infos = 'model_info_store';
const database: DatabasePlan = { name: 'tensorflowjs', stores: [models, infos], keyPath: 'modelPath' };

/**
 * Stores a model under a name. It resolves when the model is stored; otherwise what was there remains.
 *
 * @throws TransferKitError `SAVE_FAILED` with the reason.
 */
export async function storeModel(name: string, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  try {
    const modelArtifacts = { ...artifacts, weightData: io.CompositeArrayBuffer.join(artifacts.weightData) };
    const modelArtifactsInfo = io.getModelArtifactsInfoForJSON(modelArtifacts);
    await transact(database, 'readwrite', async (transaction) => {
      const info = { modelPath: name, modelArtifactsInfo };
      await answered(transaction.objectStore(infos).put(info));
      await answered(transaction.objectStore(models).put({ ...info, modelArtifacts }));
    });
    return { modelArtifactsInfo };
  } catch (cause) {
    const location = `indexeddb://${name}`;
    const reason = reasonOf(cause);
    const text =
      `expected to keep the model in ${location}, but: ${reason}. What was stored there before is unchanged. ` +
      adviceAbout(cause);
    throw new TransferKitError('SAVE_FAILED', text, { location, reason }, cause);
  }
}

/**
 * Returns the model of a name.
 *
 * @throws Error with the reason.
 */
export async function storedModel(name: string): Promise<io.ModelArtifacts> {
  try {
    return await transact(database, 'readonly', async (transaction) => {
      const records = transaction.objectStore(models);
      const record: unknown = await answered(records.get(name));
      if (isRecord(record)) return record.modelArtifacts;
      const others = (await answered(records.getAllKeys())).map(String);
      const known = others.length === 0 ? '' : `, but ${quoted(nearestNames(name, others))}`;
      throw new Error(`the browser has none of this name${known}`);
    });
  } catch (cause) {
    throw new Error(reasonOf(cause), { cause });
  }
}

/** Every field of artifacts is optional; what a model needs of them is checked where it is read. */
function isRecord(value: unknown): value is { readonly modelArtifacts: io.ModelArtifacts } {
  return isObject(value) && 'modelArtifacts' in value && isObject(value.modelArtifacts);
}

function adviceAbout(cause: unknown): string {
  const isFull = cause instanceof Error && cause.name === 'QuotaExceededError';
  return isFull
    ? 'Free space on the device or remove other models (tf.io.removeModel), ask the browser for lasting storage by ' +
        'keepStorage() of transferkit/browser, or save to zipDownload(name) of it.'
    : 'Allow this site to store data, or save to zipDownload(name) of transferkit/browser.';
}
