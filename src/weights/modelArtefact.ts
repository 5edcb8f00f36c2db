// A model as it lies on a disk, on a server, in a tfjs IOHandler or in an npm module: topology, weight list, bytes.
import { io } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import { isTransferKitError, TransferKitError } from '../core/errors.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { ReadOptions } from '../core/platform.ts';
import { byteLengthOf } from '../core/weightBytes.ts';
import type { WeightSource } from '../core/weightSource.ts';
import { teachableMachineHints, type ClassifierHints } from './classifierHints.ts';
import { storedWeights } from './storedWeights.ts';
import { withoutSuffixes } from './suffixes.ts';
import { checkWeightSpecs, manifestOf } from './weightSpecs.ts';

/** What every source of a model comes to. */
export interface ModelArtefact {
  /** Where it came from, for messages. */
  readonly source: string;
  readonly topology: unknown;
  readonly metadata: JsonObject;
  /**
   * The weights whose names (`layer/weight`) pass `wanted`. Each is read when it is asked for.
   *
   * @param layers - Layers as the graph names them: they tell equally named layers of a live model apart. A file names
   * its weights itself.
   */
  weights(wanted: (name: string) => boolean, layers?: readonly PlacedLayer[]): WeightSource;
}

/** A layer of a graph, and the names that lead to it in the model it came from. */
export interface PlacedLayer {
  readonly name: string;
  readonly path: readonly string[];
}

/**
 * Reads `model.json` and its shards from a path or an address.
 *
 * @param location - Of `model.json`, or of the folder it lies in; `indexeddb://…` and `localstorage://…` in a browser.
 * @throws TransferKitError `NOT_FOUND`, `NOT_A_MODEL`, `WEIGHTS_DAMAGED`.
 */
export async function readModelFiles(location: string, options: ReadOptions = {}): Promise<ModelArtefact> {
  const [handler] = /^(indexeddb|localstorage):\/\//.test(location) ? io.getLoadHandlers(location) : [];
  if (handler !== undefined) return readHandler(handler, location);
  const address = /\.json($|\?)/.test(location) ? location : `${location.replace(/[/\\]$/, '')}/model.json`;
  const json = parseModelJson(await platform.readBytes(address, options), address);
  const { hash: _ofModelJson, ...shardOptions } = options;
  const parts: Uint8Array[] = [];
  for (const group of manifestOf(json, address)) {
    const shards = await Promise.all(group.paths.map((path) => readShard(neighbour(address, path), shardOptions)));
    assertLength(address, group.paths.join(', '), lengthOf(shards), group.weights);
    parts.push(...shards);
  }
  return fromModelJson(json, parts, address);
}

/**
 * Hints of a `metadata.json` that lies beside a `model.json`, as Teachable Machine writes it; {} where there is none.
 *
 * @throws TransferKitError `ABORTED`, and what reading a file that is there raises.
 */
export async function readHintsBeside({ source }: ModelArtefact, options: ReadOptions = {}): Promise<ClassifierHints> {
  if (!/model\.json($|\?)/.test(source)) return {};
  const { hash: _ofModelJson, ...reading } = options;
  const bytes = await platform.readBytes(neighbour(source, 'metadata.json'), reading).catch((error: unknown) => {
    if (isTransferKitError(error) && error.code === 'NOT_FOUND') return undefined;
    throw error;
  });
  return bytes === undefined ? {} : teachableMachineHints(parseJson(bytes));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** The artefact of the content of a `model.json` and the bytes of its shards, in order. */
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

/** What the model's maker wrote into it; ml5 has a field of its own for that. */
function metadataOf(json: object): JsonObject {
  const own = 'userDefinedMetadata' in json && isJsonObject(json.userDefinedMetadata) ? json.userDefinedMetadata : {};
  return 'ml5Specs' in json && isJsonObject(json.ml5Specs) ? { ...own, ml5Specs: json.ml5Specs } : own;
}

/**
 * Reads a tfjs IOHandler.
 *
 * @throws TransferKitError `NOT_FOUND` with the handler's reason, `WEIGHTS_DAMAGED`; what our own handlers raise, as it is.
 */
export async function readHandler(handler: io.IOHandler, source = 'an IOHandler'): Promise<ModelArtefact> {
  if (handler.load === undefined) {
    throw new TransferKitError('UNSUPPORTED_SOURCE', `expected an IOHandler that can load, got one without load().`);
  }
  const artifacts = await handler.load().catch((error: unknown) => {
    if (error instanceof TransferKitError) throw error;
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

/** The artefact that tfjs's own save and load pass around. */
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

function parseModelJson(bytes: Uint8Array, address: string): object {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof json === 'object' && json !== null && 'modelTopology' in json) return json;
  } catch (error) {
    throw notAModel(address, 'something that is not JSON', error);
  }
  throw notAModel(address, 'JSON without modelTopology');
}

async function readShard(address: string, options: ReadOptions): Promise<Uint8Array> {
  return platform.readBytes(address, options).catch((error: unknown) => {
    const isMissing =
      error instanceof TransferKitError && /answered (404|410)|ENOENT/.test(String(error.details.reason));
    if (!isMissing) throw error;
    const text = `expected the weight shard ${address} that model.json names, found none. Copy all files of the model.`;
    throw new TransferKitError('WEIGHTS_DAMAGED', text, { shard: address }, error);
  });
}

/** The address of a file beside another one, with the same query: TF Hub and signed addresses ask for it. */
function neighbour(address: string, name: string): string {
  if (!/^[a-z]+:\/\//i.test(address)) {
    return address.slice(0, Math.max(address.lastIndexOf('/'), address.lastIndexOf('\\')) + 1) + name;
  }
  const beside = new URL(name, address);
  if (beside.search === '') beside.search = new URL(address).search;
  return beside.href;
}

function assertLength(source: string, files: string, found: number, specs: readonly io.WeightsManifestEntry[]): void {
  const expected = byteLengthOf(specs);
  if (expected === undefined || found === expected) return;
  throw new TransferKitError(
    'WEIGHTS_DAMAGED',
    `expected ${String(expected)} bytes of weights for ${source}, got ${String(found)} in ${files}. ` +
      'The file is truncated or belongs to another model: fetch it again.',
    { source, files, expected, found },
  );
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function notAModel(address: string, found: string, cause?: unknown): TransferKitError {
  return new TransferKitError(
    'NOT_A_MODEL',
    `expected a tfjs model.json at ${address}, got ${found}.`,
    { address },
    cause,
  );
}
