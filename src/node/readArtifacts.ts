// Reads a tfjs model from a folder, for the load half of fileSystem: complete files or an error, no interpretation.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { io } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { isJsonObject } from '../core/json.ts';
import { byteLengthOf } from '../core/weightBytes.ts';

/**
 * Reads `model.json` and the weight files that it names.
 *
 * @throws TransferKitError `NOT_FOUND` without model.json, `NOT_A_MODEL` for one that is something else,
 * `WEIGHTS_DAMAGED` for a weight file that is missing or has another length.
 */
export async function readArtifacts(folder: string): Promise<io.ModelArtifacts> {
  const json = await readModelJson(join(folder, 'model.json'));
  const weightData: ArrayBuffer[] = [];
  for (const { paths, weights } of json.weightsManifest) weightData.push(...(await readShards(folder, paths, weights)));
  return io.getModelArtifactsForJSONSync(json, io.getWeightSpecs(json.weightsManifest), weightData);
}

async function readModelJson(path: string): Promise<io.ModelJSON> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `fileSystem: expected a model in ${path}, but: ${reason}. Save one there first, or check the path.`;
    throw new TransferKitError('NOT_FOUND', message, { path, reason }, cause);
  });
  const json = parse(text);
  if (isModelJson(json)) return json;
  const found = json === undefined ? 'something that is not JSON' : 'JSON without modelTopology and weightsManifest';
  throw new TransferKitError('NOT_A_MODEL', `fileSystem: expected a tfjs model.json at ${path}, got ${found}.`, {
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
  folder: string,
  paths: readonly string[],
  weights: readonly io.WeightsManifestEntry[],
): Promise<ArrayBuffer[]> {
  const shards: ArrayBuffer[] = [];
  for (const name of paths) shards.push(await readShard(join(folder, name)));
  const found = shards.reduce((sum, shard) => sum + shard.byteLength, 0);
  const expected = byteLengthOf(weights);
  if (expected === undefined || found === expected) return shards;
  const files = paths.map((name) => join(folder, name)).join(', ');
  const text = `fileSystem: expected ${String(expected)} bytes of weights in ${files}, got ${String(found)}. Save or copy it again.`;
  throw new TransferKitError('WEIGHTS_DAMAGED', text, { files, expected, found });
}

async function readShard(path: string): Promise<ArrayBuffer> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `fileSystem: expected the weight file ${path} that model.json names, but: ${reason}. Copy all files of the model.`;
    throw new TransferKitError('WEIGHTS_DAMAGED', text, { files: path, reason }, cause);
  });
  return Uint8Array.from(bytes).buffer; // small files share one buffer in Node: a copy has its own
}
