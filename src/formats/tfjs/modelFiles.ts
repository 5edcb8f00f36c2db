// Reads a tfjs model from files: `model.json`, on a disk, on a server or in a browser's store, and the shards that it
// names.
import { platform } from '#platform';
import { isTransferKitError, TransferKitError } from '../../core/errors.ts';
import { lookAgain } from '../../core/lookAgain.ts';
import { isAddress, type FileOrigin, type ReadOptions } from '../../core/platform.ts';
import { resolveReference } from '../../core/references.ts';
import { assertShardHash } from '../../core/shardNames.ts';
import { byteLengthOf } from '../../core/weightBytes.ts';
import { teachableMachineHints, type ClassifierHints } from './classifierHints.ts';
import { assertLength, fromModelJson, lengthOf, readHandler, type ModelArtefact } from './modelArtefact.ts';
import { storeToLoad } from './modelStores.ts';
import { manifestOf, type ManifestGroup } from './weightSpecs.ts';

/** Number of shards that are read at the same time. */
const together = 8;

/**
 * Reads `model.json` and its shards from a path or an address.
 *
 * @param location - That of `model.json`, or of its folder; `indexeddb://…` and `localstorage://…` in a browser.
 * @throws TransferKitError `NOT_FOUND`, `NOT_A_MODEL`, `NOT_TRUSTED` for a shard at a place that is not allowed,
 * `WEIGHTS_DAMAGED`, `UNSUPPORTED_SOURCE` for a store that does not exist here.
 */
export async function readModelFiles(location: string, options: ReadOptions = {}): Promise<ModelArtefact> {
  const handler = storeToLoad(location);
  if (handler !== undefined) return readHandler(handler, location);
  const address = modelJsonAddress(location);
  const { hash: _ofModelJson, ...shardOptions } = options;
  let origin: FileOrigin = { location: address, reached: address };
  const readList = async (): Promise<Uint8Array> => {
    const file = await platform.readFile(address, options);
    origin = file.origin;
    return file.bytes;
  };
  return lookAgain(readList, async (bytes) => {
    const json = parseModelJson(bytes, address);
    const parts: Uint8Array[] = [];
    for (const group of manifestOf(json, address)) {
      parts.push(...(await readGroup(group, address, { ...shardOptions, from: origin })));
    }
    return { ...fromModelJson(json, parts, address), origin };
  });
}

/**
 * Reads the hints of a `metadata.json` next to a `model.json`, as Teachable Machine writes it; {} where there is none
 * that the model may refer to.
 *
 * @throws TransferKitError `ABORTED`, and the errors of reading an existing file.
 */
export async function readHintsBeside(artefact: ModelArtefact, options: ReadOptions = {}): Promise<ClassifierHints> {
  const { origin, beside } = artefact;
  const packed = beside?.('metadata.json');
  if (packed !== undefined) return teachableMachineHints(parseJson(packed));
  if (origin === undefined || !/model\.json($|[?#])/.test(origin.location)) return {};
  const { hash: _ofModelJson, ...reading } = options;
  const place = resolveReference('metadata.json', origin, options.allowElsewhere);
  const bytes = await platform.readBytes(place, { ...reading, from: origin }).catch((error: unknown) => {
    if (isTransferKitError(error) && ['NOT_FOUND', 'NOT_TRUSTED'].includes(error.code)) return undefined;
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

/**
 * Returns the address of the `model.json` in a folder, placed before the query; an address of a file stays unchanged.
 */
function modelJsonAddress(location: string): string {
  if (/^(data|blob):/i.test(location)) return location;
  if (platform.name === 'node' && !isAddress(location)) {
    return location.endsWith('.json') ? location : `${location.replace(/[/\\]$/, '')}/model.json`;
  }
  if (/\.json($|[?#])/.test(location)) return location;
  const [, folder = '', query = ''] = /^([^?#]*)(.*)$/s.exec(location) ?? [];
  const separator = /%2F[^/]*$/i.test(folder) ? '%2F' : '/';
  return `${folder.replace(/(\/|%2F)$/i, '')}${separator}model.json${query}`;
}

/** Reads the shards of a group. All names are checked before the first request; bytes beyond the weights stop it. */
async function readGroup(group: ManifestGroup, address: string, options: ReadOptions): Promise<Uint8Array[]> {
  const { paths, weights } = group;
  const { from, allowElsewhere } = options;
  const places = paths.map((name) => ({
    name,
    location: from === undefined ? name : resolveReference(name, from, allowElsewhere),
  }));
  const shards: Uint8Array[] = [];
  const enough = byteLengthOf(weights) ?? Infinity;
  for (let next = 0; next < places.length && lengthOf(shards) <= enough; next += together) {
    const some = places.slice(next, next + together);
    shards.push(...(await Promise.all(some.map(async ({ location }) => readShard(location, options)))));
  }
  assertLength(address, paths.join(', '), lengthOf(shards), weights);
  for (const [i, { name, location }] of places.entries()) {
    await assertShardHash(name, shards[i], location, (data) => platform.sha256(data));
  }
  return shards;
}

async function readShard(location: string, options: ReadOptions): Promise<Uint8Array> {
  return platform.readBytes(location, options).catch((error: unknown) => {
    const isMissing = isTransferKitError(error) && /answered (404|410)|ENOENT/.test(String(error.details.reason));
    if (!isMissing) throw error;
    const text = `expected the weight shard ${location} that model.json names, found none. Copy all files of the model.`;
    throw new TransferKitError('WEIGHTS_DAMAGED', text, { shard: location, missing: true }, error);
  });
}

/**
 * Returns the content of a model.json.
 *
 * @throws TransferKitError `NOT_A_MODEL`.
 */
export function parseModelJson(bytes: Uint8Array, address: string): object {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof json === 'object' && json !== null && 'modelTopology' in json) return json;
  } catch (error) {
    throw notAModel(address, 'something that is not JSON', error);
  }
  throw notAModel(address, 'JSON without modelTopology');
}

function notAModel(address: string, found: string, cause?: unknown): TransferKitError {
  const text = `expected a tfjs model.json at ${address}, got ${found}.`;
  return new TransferKitError('NOT_A_MODEL', text, { address }, cause);
}
