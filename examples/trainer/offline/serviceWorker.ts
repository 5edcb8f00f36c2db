// Keeps the page for visits without a network: its own files when it is installed, models when they are first used. Small models
// belong to its own files.
// The build replaces the two names below.
export {}; // a module: its names are its own

declare const pageFiles: readonly string[];
declare const pageVersion: string;
declare const self: ServiceWorkerGlobalScope;

const pageCache = `page-${pageVersion}`;
const modelCache = 'models';
/** Files are the same for every way to ask for them, whatever the server says of its headers. */
const asKept: CacheQueryOptions = { ignoreSearch: true, ignoreVary: true };

self.addEventListener('install', (event) => {
  event.waitUntil(install());
});

self.addEventListener('activate', (event) => {
  event.waitUntil(activate());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(answer(request));
});

async function install(): Promise<void> {
  const cache = await caches.open(pageCache);
  await cache.addAll(pageFiles.map((file) => new Request(file, { cache: 'no-cache' })));
  await self.skipWaiting();
}

async function activate(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith('page-') && name !== pageCache);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname.includes('/models/')) return newest(request);
  const kept = await caches.match(request, asKept);
  return kept ?? fetch(request);
}

/** From the network if there is one, so that another model of the same name is seen. */
async function newest(request: Request): Promise<Response> {
  const cache = await caches.open(modelCache);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await caches.match(request, asKept);
    if (kept !== undefined) return kept;
    throw error;
  }
}
