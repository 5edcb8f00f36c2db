// Downloaded files in the browser's Cache Storage, which pages of one origin share and which replaces an entry in one
// step. Interrupted downloads are not stored there.
import { validatorsOf, type Announced, type ByteCache, type CachedCopy } from '../../download/cache.ts';

/** This package's header in stored entries: the origin of the final address. */
const reachedHeader = 'x-transferkit-reached';

/** Opens the cache of a name; undefined where the browser has none (pages that are neither https nor localhost). */
export async function openCacheStorage(name = 'transferkit'): Promise<ByteCache | undefined> {
  if (typeof caches === 'undefined') return undefined;
  // Private windows of some browsers have Cache Storage but refuse to open it.
  const storage = await caches.open(name).catch(() => undefined);
  if (storage === undefined) return undefined;
  return {
    find: async (address) => copyOf(await storage.match(address, { ignoreVary: true })),
    findPartial: async () => undefined,
    begin: async (address, announced) => ({
      append: async () => undefined,
      finish: (bytes) => put(storage, address, announced, bytes),
      leave: async () => undefined,
    }),
  };
}

function copyOf(response: Response | undefined): CachedCopy | undefined {
  if (response === undefined) return undefined;
  return {
    validators: validatorsOf(response.headers),
    reached: response.headers.get(reachedHeader) ?? undefined,
    read: async () => {
      const bytes = await response
        .clone()
        .arrayBuffer()
        .catch(() => undefined);
      if (bytes === undefined) return undefined;
      return bytes.byteLength === Number(response.headers.get('content-length')) ? new Uint8Array(bytes) : undefined;
    },
  };
}

/** When storage is full, the file is used but not stored. */
async function put(storage: Cache, address: string, announced: Announced, bytes: Uint8Array): Promise<void> {
  const { etag, lastModified } = announced.validators;
  const headers = new Headers({ 'content-type': 'application/octet-stream', 'content-length': String(bytes.length) });
  if (etag !== undefined) headers.set('etag', etag);
  if (lastModified !== undefined) headers.set('last-modified', lastModified);
  headers.set(reachedHeader, announced.reached);
  const body = new Blob([
    bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes.slice(),
  ]);
  await storage.put(address, new Response(body, { headers })).catch(() => undefined);
}
