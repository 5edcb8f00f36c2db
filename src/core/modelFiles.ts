// A model as tfjs's files: `model.json`, and one file of weights that it names. It does not interpret the model.
import type { io } from '@tensorflow/tfjs-core';
import { byteLengthOf } from './weightBytes.ts';

/**
 * Returns the bytes of all weights, in their order.
 *
 * @throws Error with the reason for an artefact that would give files that cannot be loaded: a topology that is not
 * JSON, or weights that are streamed and not here.
 */
export function weightParts({ modelTopology, weightSpecs = [], weightData = [] }: io.ModelArtifacts): Uint8Array[] {
  if (modelTopology === undefined || modelTopology instanceof ArrayBuffer) {
    throw new Error('the model has no topology in JSON');
  }
  const parts = (Array.isArray(weightData) ? weightData : [weightData]).map((part) => new Uint8Array(part));
  const found = parts.reduce((sum, part) => sum + part.length, 0);
  const expected = byteLengthOf(weightSpecs);
  if (expected === undefined || found === expected) return parts;
  throw new Error(`its weights should have ${String(expected)} bytes and have ${String(found)}`);
}

/**
 * Returns the bytes of `model.json`: all of the artefact except its weights. Undefined fields do not appear in it.
 *
 * @param shard - Name of the file of weights.
 */
export function modelJson(artifacts: io.ModelArtifacts, shard: string): Uint8Array {
  const { weightSpecs = [], weightData: _weightData, modelTopology, ...rest } = artifacts;
  const weightsManifest = [{ paths: [shard], weights: weightSpecs }];
  return new TextEncoder().encode(JSON.stringify({ ...rest, modelTopology, weightsManifest }));
}
