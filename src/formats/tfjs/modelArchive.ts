// Reads a tfjs model from a ZIP archive: its model.json, and the files that this names. All other entries stay packed.
import { platform } from '#platform';
import { TransferKitError } from '../../core/errors.ts';
import { defaultMaxBytes, type ReadOptions } from '../../core/platform.ts';
import { resolveReference } from '../../core/references.ts';
import { assertShardHash } from '../../core/shardNames.ts';
import { quoted } from '../../core/names.ts';
import { tooBig } from '../../download/body.ts';
import { unzip, zipEntries, type ZipEntry } from '../zip.ts';
import { assertLength, fromModelJson, type ModelArtefact } from './modelArtefact.ts';
import { parseModelJson } from './modelFiles.ts';
import { manifestOf } from './weightSpecs.ts';

/** A list of layers and weights with more bytes than this is refused. */
const largestJson = 256 * 1024 * 1024;

/**
 * Reads a model from the bytes of a ZIP archive. Its `model.json` may be in a folder of the archive.
 *
 * @param source - Where the archive came from, for error texts.
 * @param reading - `maxBytes` limits the unpacked bytes as well.
 * @throws TransferKitError `NOT_A_MODEL` without exactly one usable `model.json`, `WEIGHTS_DAMAGED` for a damaged
 * archive or one that lacks a file, `NOT_TRUSTED` for the name of a file outside the archive, `OUT_OF_RANGE`.
 */
export async function readModelArchive(
  bytes: Uint8Array,
  source: string,
  { maxBytes = defaultMaxBytes }: Pick<ReadOptions, 'maxBytes'> = {},
): Promise<ModelArtefact> {
  const entries = new Map(zipEntries(bytes, source).map((entry) => [entry.name, entry]));
  const list = listOf([...entries.values()], source);
  const take = (entry: ZipEntry): Uint8Array => {
    if (entry.size > maxBytes) throw tooBig(source, entry.size, maxBytes, `its '${entry.name}' claims`);
    return unzip(bytes, entry, source);
  };
  const json = parseModelJson(take(list), `${source} (${list.name})`);
  const names = manifestOf(json, source).map(({ paths, weights }) => {
    const found = paths.map((path) => shardOf(path, list.name, { entries, source }));
    // Before anything is unpacked.
    const size = found.reduce((sum, entry) => sum + entry.size, 0);
    assertLength(source, paths.join(', '), size, weights);
    return found;
  });
  const total = names.flat().reduce((sum, { size }) => sum + size, 0);
  if (total > maxBytes) throw tooBig(source, total, maxBytes, 'its weights take');
  const shards = new Map<ZipEntry, Uint8Array>();
  for (const entry of new Set(names.flat())) {
    const shard = take(entry);
    await assertShardHash(entry.name, shard, `${source} (${entry.name})`, (data) => platform.sha256(data));
    shards.set(entry, shard);
  }
  const parts = names.flat().map((entry) => shards.get(entry) ?? new Uint8Array(0));
  return {
    ...fromModelJson(json, parts, source),
    beside: (name) => {
      const entry = entries.get(`${folderOf(list.name)}${name}`);
      return entry === undefined || entry.size > largestJson ? undefined : take(entry);
    },
  };
}

/** The entry of the model.json. */
function listOf(entries: readonly ZipEntry[], source: string): ZipEntry {
  const found = entries.filter(({ name }) => /(^|\/)model\.json$/.test(name));
  const [list] = found;
  if (list !== undefined && found.length === 1 && list.size <= largestJson) return list;
  const got = found.length === 1 ? `one of ${String(list?.size)} bytes` : quoted(found.map(({ name }) => name));
  const text = `expected one model.json in the ZIP archive ${source}, got ${got}. Pack the files of one model.`;
  throw new TransferKitError('NOT_A_MODEL', text, { source, names: found.map(({ name }) => name) });
}

/** The entry of a file that model.json names, which must be in the archive. */
function shardOf(
  path: string,
  list: string,
  { entries, source }: { readonly entries: ReadonlyMap<string, ZipEntry>; readonly source: string },
): ZipEntry {
  const name = resolveReference(path, { location: list, reached: list });
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  const text =
    `expected the weight file '${name}' that model.json names in the ZIP archive ${source}, found none. ` +
    'Pack all files of the model.';
  throw new TransferKitError('WEIGHTS_DAMAGED', text, { source, files: name, missing: true });
}

function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1);
}
