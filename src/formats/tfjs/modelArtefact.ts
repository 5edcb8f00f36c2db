// A model from a disk, a server, a tfjs IOHandler or an npm module: topology, list of weights, bytes.
import type { io } from '@tensorflow/tfjs-core';
import { isTransferKitError, TransferKitError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { FileOrigin } from '../../core/platform.ts';
import { byteLengthOf } from '../../core/weightBytes.ts';
import type { WeightSource } from '../../core/weightSource.ts';
import { storedWeights } from './storedWeights.ts';
import { withoutSuffixes } from './suffixes.ts';
import { checkWeightSpecs, manifestOf } from './weightSpecs.ts';

/** The common form of all sources of models. */
export interface ModelArtefact {
  /** Where it came from, for error texts. */
  readonly source: string;
  /** The file that it was read from; other files may be next to it. */
  readonly origin?: FileOrigin;
  /** Returns the bytes of a file that is packed with it, by its name; undefined where there is none. */
  readonly beside?: (name: string) => Uint8Array | undefined;
  readonly topology: unknown;
  readonly metadata: JsonObject;
  /**
   * Returns the weights whose names (`layer/weight`) pass `wanted`. Each is read on demand.
   *
   * @param layers - Layers with the names of the graph: they distinguish equally named layers of a live model. Files
   * have unique names already.
   */
  weights(wanted: (name: string) => boolean, layers?: readonly PlacedLayer[]): WeightSource;
}

/** A layer of a graph, and its path of names in the original model. */
export interface PlacedLayer {
  readonly name: string;
  readonly path: readonly string[];
}

/** Makes the artefact from the content of a `model.json` and the bytes of its shards, in order. */
export function fromModelJson(json: object, shards: readonly Uint8Array[], source: string): ModelArtefact {
  const specs = manifestOf(json, source).flatMap((group) => group.weights);
  assertLength(source, 'its shards', lengthOf(shards), specs);
  const topology = 'modelTopology' in json ? json.modelTopology : undefined;
  return {
    source,
    topology,
    metadata: metadataOf(json),
    weights: (wanted) => storedWeights(source, shards, withoutSuffixes(specs, topology), wanted),
  };
}

/** Metadata of the model's author; ml5 has its own field for it. */
function metadataOf(json: object): JsonObject {
  const own = 'userDefinedMetadata' in json && isJsonObject(json.userDefinedMetadata) ? json.userDefinedMetadata : {};
  return 'ml5Specs' in json && isJsonObject(json.ml5Specs) ? { ...own, ml5Specs: json.ml5Specs } : own;
}

/**
 * Reads a tfjs IOHandler.
 *
 * @throws TransferKitError `NOT_FOUND` with the handler's reason, `WEIGHTS_DAMAGED`; errors of this package's handlers
 * are passed on.
 */
export async function readHandler(handler: io.IOHandler, source = 'an IOHandler'): Promise<ModelArtefact> {
  if (handler.load === undefined) {
    throw new TransferKitError('UNSUPPORTED_SOURCE', `expected an IOHandler that can load, got one without load().`);
  }
  const artifacts = await handler.load().catch((error: unknown) => {
    if (isTransferKitError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TransferKitError(
      'NOT_FOUND',
      `expected a model in ${source}, could not load it: ${reason}`,
      { source },
      error,
    );
  });
  return fromArtifacts(artifacts, source);
}

/** Converts the artefact of tfjs's own save and load. */
function fromArtifacts(artifacts: io.ModelArtifacts, source: string): ModelArtefact {
  const { weightData = [] } = artifacts;
  const shards = (Array.isArray(weightData) ? weightData : [weightData]).map((buffer) => new Uint8Array(buffer));
  const specs = checkWeightSpecs(artifacts.weightSpecs ?? [], source, 'weightSpecs');
  assertLength(source, 'its weight data', lengthOf(shards), specs);
  return {
    source,
    topology: artifacts.modelTopology,
    metadata: isJsonObject(artifacts.userDefinedMetadata) ? artifacts.userDefinedMetadata : {},
    weights: (wanted) => storedWeights(source, shards, withoutSuffixes(specs, artifacts.modelTopology), wanted),
  };
}

/**
 * Raises unless the shards have as many bytes as the weights need.
 *
 * @throws TransferKitError `WEIGHTS_DAMAGED`.
 */
export function assertLength(
  source: string,
  files: string,
  found: number,
  specs: readonly io.WeightsManifestEntry[],
): void {
  const expected = byteLengthOf(specs);
  if (expected === undefined || found === expected) return;
  throw new TransferKitError(
    'WEIGHTS_DAMAGED',
    `expected ${String(expected)} bytes of weights for ${source}, got ${String(found)} in ${files}. ` +
      'The file is truncated or belongs to another model: fetch it again.',
    { source, files, expected, found },
  );
}

/** Total number of bytes. */
export function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
