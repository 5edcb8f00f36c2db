// A tfjs IOHandler that keeps a model in a folder and never leaves it half written: weights go to a file named by their
// hash, and model.json, which names that file, is replaced in one step. Knows nothing about what a model means.
import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { io } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { byteLengthOf } from '../core/weightBytes.ts';
import { makeFolder, replaceFile, type Undo } from './atomicFiles.ts';
import { localPath } from './localPath.ts';
import { readArtifacts } from './readArtifacts.ts';

/** An IOHandler that can do both. */
export interface FileSystemHandler {
  /** Writes everything that tfjs hands over, all or nothing. */
  save(artifacts: io.ModelArtifacts): Promise<io.SaveResult>;
  /** Reads it back, complete or with an error. */
  load(): Promise<io.ModelArtifacts>;
}

const ownShard = /^weights\.[0-9a-f]{8}\.bin$/;
const ownTemporary = /^(weights\.[0-9a-f]{8}\.bin|model\.json)\.[0-9a-f]{12}\.tmp$/;

/**
 * A folder as a place for a model, in tfjs's own format: `model.json` and one file of weights.
 *
 * Saving is all or nothing. Weights are written first, under a name made of their content's SHA-256; then `model.json` is
 * replaced in one step; then weight files of earlier saves are removed. Whatever stops the process in between, the folder
 * holds the old model or the new one. One writer at a time; saves of one handler wait for each other.
 *
 * @param folder - Its path, or a `file:` address. Made when it is missing, with the folders above it.
 * @returns A handler for `save` and `loadBase`, and for tfjs's own `model.save` and `tf.loadLayersModel`. Its `save` raises
 * `SAVE_FAILED`; its `load` raises `NOT_FOUND`, `NOT_A_MODEL`, `WEIGHTS_DAMAGED`.
 * @throws TransferKitError `INVALID_OPTION` for the path of a file.
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
  const path = resolve(localPath(folder));
  if (path.endsWith('.json')) {
    const text = `fileSystem: expected a folder, got ${path}. Give the folder that holds model.json: '${dirname(path)}'.`;
    throw new TransferKitError('INVALID_OPTION', text, { path });
  }
  let last: Promise<unknown> = Promise.resolve();
  return {
    save: (artifacts) => {
      const saved = last.then(() => saveArtifacts(path, artifacts));
      last = saved.catch(() => undefined);
      return saved;
    },
    load: () => readArtifacts(path),
  };
}

async function saveArtifacts(folder: string, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  if (artifacts.modelTopology === undefined || artifacts.modelTopology instanceof ArrayBuffer) {
    throw saveFailed(folder, 'the model has no topology in JSON', undefined);
  }
  const data = weightParts(artifacts);
  assertComplete(folder, artifacts.weightSpecs ?? [], data);
  const undo: Undo = [];
  try {
    await makeFolder(folder, undo);
    const shard = `weights.${hashOf(data)}.bin`;
    if (!(await exists(join(folder, shard)))) undo.push(() => rm(join(folder, shard), { force: true }));
    await replaceFile(join(folder, shard), data);
    const json = JSON.stringify(modelJson(artifacts, shard));
    await replaceFile(join(folder, 'model.json'), [new TextEncoder().encode(json)]);
    undo.length = 0; // the new model is in place
    await removeOld(folder, [shard]);
  } catch (cause) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw saveFailed(folder, cause instanceof Error ? cause.message : String(cause), cause);
  }
  return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
}

function weightParts({ weightData = [] }: io.ModelArtifacts): Uint8Array[] {
  return (Array.isArray(weightData) ? weightData : [weightData]).map((part) => new Uint8Array(part));
}

/** A model that streams its weights hands over none here: better no file than one that cannot be loaded. */
function assertComplete(folder: string, specs: readonly io.WeightsManifestEntry[], data: readonly Uint8Array[]): void {
  const found = data.reduce((sum, part) => sum + part.length, 0);
  const expected = byteLengthOf(specs);
  if (expected === undefined || found === expected) return;
  throw saveFailed(folder, `its weights should have ${String(expected)} bytes and have ${String(found)}`, undefined);
}

function hashOf(data: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of data) hash.update(part);
  return hash.digest('hex').slice(0, 8);
}

/** Everything of the artefact but its bytes. Fields that are undefined are left out of the JSON. */
function modelJson(artifacts: io.ModelArtifacts, shard: string): Record<string, unknown> {
  const { weightSpecs = [], weightData: _weightData, modelTopology, ...rest } = artifacts;
  const weightsManifest = [{ paths: [shard], weights: weightSpecs }];
  return { ...rest, modelTopology, weightsManifest };
}

/** Removes weight files and temporary files of earlier saves. The model is saved already: what cannot be removed stays. */
async function removeOld(folder: string, keep: readonly string[]): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const old = names.filter((name) => (ownShard.test(name) && !keep.includes(name)) || ownTemporary.test(name));
  for (const name of old) await rm(join(folder, name), { force: true }).catch(() => undefined);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function saveFailed(folder: string, reason: string, cause: unknown): TransferKitError {
  const text = `fileSystem: expected to write a model to ${folder}, but: ${reason}. What was there before is unchanged.`;
  return new TransferKitError('SAVE_FAILED', text, { path: folder, reason }, cause);
}
