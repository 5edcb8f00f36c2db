// Reads a tfjs model from a folder, for `load` of fileSystem: complete files or an error. It does not interpret the
// model.
import { join } from 'node:path';
import { io } from '@tensorflow/tfjs-core';
import { isTransferKitError, TransferKitError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { lookAgain } from '../../core/lookAgain.ts';
import { resolveReference } from '../../core/references.ts';
import { assertShardHash } from '../../core/shardNames.ts';
import { byteLengthOf } from '../../core/weightBytes.ts';
import { hashOf } from './readBytes.ts';
import { readPath } from './readPath.ts';

/**
 * Reads `model.json` and the weight files that it names.
 *
 * @throws TransferKitError `NOT_FOUND` without model.json, `NOT_A_MODEL` when model.json is something else,
 * `NOT_TRUSTED` for a weight file outside the folder, `WEIGHTS_DAMAGED` for one that is missing, has another length, or
 * does not match the hash in its name, `OUT_OF_RANGE` for a file over 2 GiB.
 */
export async function readArtifacts(folder: string): Promise<io.ModelArtifacts> {
  const path = join(folder, 'model.json');
  return lookAgain(
    () => readList(path),
    async (bytes) => {
      const json = parseModelJson(bytes, path);
      const weightData: ArrayBuffer[] = [];
      for (const { paths, weights } of json.weightsManifest) {
        weightData.push(...(await readShards(path, paths, weights)).map(({ buffer }) => buffer));
      }
      return io.getModelArtifactsForJSONSync(json, io.getWeightSpecs(json.weightsManifest), weightData);
    },
  );
}

async function readList(path: string): Promise<Uint8Array> {
  return readPath(path).catch((cause: unknown) => {
    const reason = reasonOf(cause);
    const message = `expected a model in ${path}, but: ${reason}. Save one there first, or check the path.`;
    throw new TransferKitError('NOT_FOUND', message, { path, reason }, cause);
  });
}

function parseModelJson(bytes: Uint8Array, path: string): io.ModelJSON {
  const json = parse(new TextDecoder().decode(bytes));
  if (isModelJson(json)) return json;
  const found = json === undefined ? 'something that is not JSON' : 'JSON without modelTopology and weightsManifest';
  throw new TransferKitError('NOT_A_MODEL', `expected a tfjs model.json at ${path}, got ${found}.`, {
    path,
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isModelJson(json: unknown): json is io.ModelJSON {
  if (!isJsonObject(json) || !isJsonObject(json.modelTopology) || !Array.isArray(json.weightsManifest)) return false;
  return json.weightsManifest.every(
    (group) => isJsonObject(group) && Array.isArray(group.paths) && Array.isArray(group.weights),
  );
}

async function readShards(
  modelJson: string,
  names: readonly string[],
  weights: readonly io.WeightsManifestEntry[],
): Promise<Uint8Array<ArrayBuffer>[]> {
  const paths = names.map((name) => resolveReference(name, { location: modelJson, reached: modelJson }));
  const shards: Uint8Array<ArrayBuffer>[] = [];
  for (const path of paths) shards.push(await readShard(path));
  const found = shards.reduce((sum, shard) => sum + shard.byteLength, 0);
  const expected = byteLengthOf(weights);
  if (expected === undefined || found === expected) {
    for (const [i, path] of paths.entries()) await assertShardHash(path, shards[i], path, sha256);
    return shards;
  }
  const files = paths.join(', ');
  const text = `expected ${String(expected)} bytes of weights in ${files}, got ${String(found)}. Save or copy it again.`;
  throw new TransferKitError('WEIGHTS_DAMAGED', text, { files, expected, found });
}

async function readShard(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readPath(path).catch((cause: unknown) => {
    const reason = reasonOf(cause);
    const text = `expected the weight file ${path} that model.json names, but: ${reason}. Copy all files of the model.`;
    throw new TransferKitError('WEIGHTS_DAMAGED', text, { files: path, reason, missing: true }, cause);
  });
  return Uint8Array.from(bytes);
}

async function sha256(bytes: Uint8Array): Promise<string> {
  return hashOf('sha256', bytes);
}

/** The system's reason for not reading a file. */
function reasonOf(error: unknown): string {
  if (!isTransferKitError(error) || error.code !== 'NOT_FOUND') throw error;
  return String(error.details.reason);
}
