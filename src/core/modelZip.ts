// A model as one ZIP archive: model.json, and its weights, which are stored as they are because numbers hardly compress.
import { zipSync } from 'fflate';
import type { io } from '@tensorflow/tfjs-core';
import { joinBytes } from './joinBytes.ts';
import { modelJson, weightParts } from './modelFiles.ts';

/** The format's own limit, without its extension for large files. */
const largest = 2 ** 32 - 2 ** 20;
const shard = 'weights.bin';

/**
 * Packs a model. The same artefact gives the same bytes.
 *
 * @throws Error with the reason for an artefact that cannot be packed: see `weightParts`; above 4 GiB.
 */
export function zipOfModel(artifacts: io.ModelArtifacts): Uint8Array<ArrayBuffer> {
  const weights = joinBytes(weightParts(artifacts));
  if (weights.length > largest)
    throw new Error(`its weights have ${String(weights.length)} bytes, and a ZIP archive holds 4 GiB`);
  const json = modelJson(artifacts, shard);
  // The date of the entries, in local time: the first that the format has.
  const mtime = new Date(1980, 0, 1);
  return zipSync({ 'model.json': [json, { level: 6 }], [shard]: [weights, { level: 0 }] }, { mtime });
}
