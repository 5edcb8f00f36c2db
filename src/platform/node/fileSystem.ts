// A tfjs IOHandler that keeps a model in a folder and never leaves a partial save: weights go to a file named by their
// hash, and model.json, which names that file, is replaced in one step. It does not interpret the model.
import { nameErrors } from '../../core/edge.ts';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { io } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { modelJson, weightParts } from '../../core/modelFiles.ts';
import { isShardName, shardName } from '../../core/shardNames.ts';
import { makeFolder, replaceFile, type Undo } from './atomicFiles.ts';
import { localPath } from './localPath.ts';
import { readArtifacts } from './readArtifacts.ts';
import { isZipPath } from './zipFile.ts';

/** A tfjs IOHandler with both methods. */
export interface FileSystemHandler {
  /** Writes all artifacts, all or nothing. */
  save(artifacts: io.ModelArtifacts): Promise<io.SaveResult>;
  /** Reads them back, completely or with an error. */
  load(): Promise<io.ModelArtifacts>;
}

/** Time before a replaced weight file is removed: another process may have read its name but not the file yet. */
const graceMilliseconds = 10_000;
const ownTemporary = /^(weights\.[0-9a-f]{8}\.bin|model\.json)\.[0-9a-f]{12}\.tmp$/;

/**
 * Keeps a model in a folder, in tfjs's own format: `model.json` and one file of weights.
 *
 * Saving is all or nothing. Weights are written first, under a name derived from their SHA-256; then `model.json` is
 * replaced in one step. If the process stops in between, the folder holds either the old model or the new one. Weight
 * files of earlier saves are removed at least 10 seconds after they were replaced, by a later save or by this process.
 * A reader that has read the old `model.json` still finds its file; a slower reader reads `model.json` again. Only one
 * process may write at a time; saves of one handler wait for each other.
 *
 * @param folder - Its path, or a `file:` address. It is created when it is missing, with its parents.
 * @returns A handler for `save` and `loadBase`, and for tfjs's own `model.save` and `tf.loadLayersModel`. Its `save`
 * raises `SAVE_FAILED`; its `load` raises `NOT_FOUND`, `NOT_A_MODEL`, `WEIGHTS_DAMAGED`.
 * @throws TransferKitError `INVALID_OPTION` for the path of a file; `save` and `load` themselves take that of a `.zip`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-layers';
 * import { useBackend } from 'transferkit';
 * import { fileSystem } from 'transferkit/node';
 * await useBackend('cpu');
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * await model.save(fileSystem('my-model')); // my-model/model.json, my-model/weights.….bin
 * const again = await tf.loadLayersModel(fileSystem('my-model'));
 * ```
 */
export function fileSystem(folder: string | URL): FileSystemHandler {
  return nameErrors('fileSystem', () => {
    const handler = openFolder(folder);
    return {
      save: (artifacts) => nameErrors('fileSystem', () => handler.save(artifacts)),
      load: () => nameErrors('fileSystem', () => handler.load()),
    };
  });
}

/** {@link fileSystem} for other functions, whose names its errors get. */
export function openFolder(folder: string | URL): FileSystemHandler {
  const path = resolve(localPath(folder));
  if (path.endsWith('.json')) {
    const text = `expected a folder, got ${path}. Give the folder that holds model.json: '${dirname(path)}'.`;
    throw new TransferKitError('INVALID_OPTION', text, { path });
  }
  if (isZipPath(path)) {
    const text = `expected a folder, got ${path}. For one ZIP archive give the path itself: save(model, 'model.zip').`;
    throw new TransferKitError('INVALID_OPTION', text, { path });
  }
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    save: async (artifacts) => {
      const saved = await inTurn(() => saveArtifacts(path, artifacts));
      setTimeout(() => void inTurn(() => cleanLater(path)), graceMilliseconds + 1000).unref();
      return saved;
    },
    load: () => readArtifacts(path),
  };
}

async function saveArtifacts(folder: string, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  const undo: Undo = [];
  try {
    const data = weightParts(artifacts);
    await makeFolder(folder, undo);
    const before = (await currentShards(folder)) ?? [];
    const shard = shardName(hashOf(data));
    if (!(await exists(join(folder, shard)))) undo.push(() => rm(join(folder, shard), { force: true }));
    await replaceFile(join(folder, shard), data);
    await replaceFile(join(folder, 'model.json'), [modelJson(artifacts, shard)]);
    undo.length = 0; // the new model is in place
    await retire(
      folder,
      before.filter((name) => name !== shard),
    );
    await removeOld(folder, [shard]);
  } catch (cause) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw saveFailed(folder, cause instanceof Error ? cause.message : String(cause), cause);
  }
  return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
}

function hashOf(data: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of data) hash.update(part);
  return hash.digest('hex');
}

/** The weight files of this format that the folder's model.json names; undefined when it cannot be read. */
async function currentShards(folder: string): Promise<string[] | undefined> {
  const text = await readFile(join(folder, 'model.json'), 'utf8').catch(() => undefined);
  const names = await readdir(folder).catch(() => []);
  return text === undefined ? undefined : names.filter((name) => isShardName(name) && text.includes(`"${name}"`));
}

/** Removes nothing if it is unknown which weights are in use. */
async function cleanLater(folder: string): Promise<void> {
  const current = await currentShards(folder);
  if (current !== undefined) await removeOld(folder, current);
}

/** Sets the time of a replaced file to the time of its replacement. */
async function retire(folder: string, names: readonly string[]): Promise<void> {
  const now = new Date();
  for (const name of names) await utimes(join(folder, name), now, now).catch(() => undefined);
}

/**
 * Removes weight files and temporary files that are no longer needed. The model is already saved, so files that cannot
 * be removed stay.
 */
async function removeOld(folder: string, keep: readonly string[]): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => (isShardName(each) && !keep.includes(each)) || ownTemporary.test(each))) {
    const path = join(folder, name);
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Infinity);
    if (age > graceMilliseconds) await rm(path, { force: true }).catch(() => undefined);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function saveFailed(folder: string, reason: string, cause: unknown): TransferKitError {
  const text = `expected to write a model to ${folder}, but: ${reason}. What was there before is unchanged.`;
  return new TransferKitError('SAVE_FAILED', text, { path: folder, reason }, cause);
}
