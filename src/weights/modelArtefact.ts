// A model as it lies on a disk, on a server, in a tfjs IOHandler or in an npm module: topology, weight list, bytes.
import { io, type NamedTensorMap } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import { TransferKitError } from '../core/errors.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { ReadOptions } from '../core/platform.ts';
import { byteLengthOf, weightBytes } from '../core/weightBytes.ts';
import { checkWeightSpecs, manifestOf } from './weightSpecs.ts';

/** What every source of a model comes to. */
export interface ModelArtefact {
  /** Where it came from, for messages. */
  readonly source: string;
  readonly topology: unknown;
  readonly metadata: JsonObject;
  /**
   * The weights whose names (`layer/weight`) pass `wanted`. The caller owns the tensors.
   *
   * @param layers - Layers as the graph names them: they tell equally named layers of a live model apart. A file names
   * its weights itself.
   */
  weights(wanted: (name: string) => boolean, layers?: readonly PlacedLayer[]): NamedTensorMap;
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
  const parts: Uint8Array[] = [];
  for (const group of manifestOf(json, address)) {
    const shards = await Promise.all(group.paths.map((path) => readShard(neighbour(address, path), options)));
    assertLength(
      address,
      group.paths.join(', '),
      shards.reduce((sum, shard) => sum + shard.length, 0),
      group.weights,
    );
    parts.push(...shards);
  }
  return fromModelJson(json, parts, address);
}

/** The artefact of the content of a `model.json` and the bytes of its shards, in order. */
export function fromModelJson(json: object, shards: readonly Uint8Array[], source: string): ModelArtefact {
  const specs = manifestOf(json, source).flatMap((group) => group.weights);
  const data = concatenate(shards);
  assertLength(source, 'its shards', data.byteLength, specs);
  return {
    source,
    topology: 'modelTopology' in json ? json.modelTopology : undefined,
    metadata: 'userDefinedMetadata' in json && isJsonObject(json.userDefinedMetadata) ? json.userDefinedMetadata : {},
    weights: (wanted) => decodeWeights(source, data, specs, wanted),
  };
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
  const data =
    artifacts.weightData === undefined ? new ArrayBuffer(0) : io.CompositeArrayBuffer.join(artifacts.weightData);
  const specs = checkWeightSpecs(artifacts.weightSpecs ?? [], source, 'weightSpecs');
  assertLength(source, 'its weight data', data.byteLength, specs);
  return {
    source,
    topology: artifacts.modelTopology,
    metadata: isJsonObject(artifacts.userDefinedMetadata) ? artifacts.userDefinedMetadata : {},
    weights: (wanted) => decodeWeights(source, data, specs, wanted),
  };
}

function decodeWeights(
  source: string,
  data: ArrayBuffer,
  specs: readonly io.WeightsManifestEntry[],
  wanted: (name: string) => boolean,
): NamedTensorMap {
  const kept: io.WeightsManifestEntry[] = [];
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const spec of specs) {
    const length = weightBytes(spec);
    if (wanted(spec.name)) {
      if (kept.some(({ name }) => name === spec.name)) throw repeated(source, spec.name);
      kept.push(spec);
      parts.push(new Uint8Array(data, offset, length));
    }
    offset += length;
  }
  return io.decodeWeights(concatenate(parts), kept);
}

/** Of two weights with one name nobody can tell which is meant. */
function repeated(source: string, name: string): TransferKitError {
  const text =
    `expected each weight once in ${source}, got '${name}' twice. Nested models whose layers share a name are saved like ` +
    'that: rename the layers, or hand in the LayersModel itself.';
  return new TransferKitError('WEIGHTS_DAMAGED', text, { source, name });
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
    if (!(error instanceof TransferKitError) || error.code !== 'NOT_FOUND') throw error;
    const text = `expected the weight shard ${address} that model.json names, found none. Copy all files of the model.`;
    throw new TransferKitError('WEIGHTS_DAMAGED', text, { shard: address }, error);
  });
}

/** The address of a file beside another one. */
function neighbour(address: string, name: string): string {
  if (/^[a-z]+:\/\//i.test(address)) return new URL(name, address).href;
  return address.slice(0, Math.max(address.lastIndexOf('/'), address.lastIndexOf('\\')) + 1) + name;
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

function concatenate(parts: readonly Uint8Array[]): ArrayBuffer {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all.buffer;
}

function notAModel(address: string, found: string, cause?: unknown): TransferKitError {
  return new TransferKitError(
    'NOT_A_MODEL',
    `expected a tfjs model.json at ${address}, got ${found}.`,
    { address },
    cause,
  );
}
