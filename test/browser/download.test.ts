// Downloads and Cache Storage in a real page, from its own site and from another one.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ReadOptions } from '../../src/core/platform.ts';
import type { Reading } from './downloadPage.ts';
import { openPage, type OpenPage } from './harness.ts';

const content = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
const sum = content.reduce((all, byte) => all + byte, 0);
const digest = (algorithm: string): string => createHash(algorithm).update(content).digest('hex');

let opened: OpenPage;
let pageSite: string;
let server: Server;
/** The other site. It serves the page as well, so that it can be the page's own. */
let site: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let requests: IncomingMessage[] = [];
let files = 0;

beforeAll(async () => {
  opened = await openPage(fileURLToPath(new URL('downloadPage.ts', import.meta.url)));
  pageSite = opened.page.url();
  const script = await (await fetch(new URL('page.js', pageSite))).text();
  server = createServer((request, response) => {
    response.shouldKeepAlive = false;
    if (request.url === '/page.js') return void response.setHeader('content-type', 'text/javascript').end(script);
    if (request.url === '/') {
      const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
      return void response.setHeader('content-type', 'text/html').end(html);
    }
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  await opened.close();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests = [];
  answer = versioned;
});

async function visit(address: string): Promise<void> {
  await opened.page.goto(address);
  await opened.page.waitForFunction('window.read !== undefined');
}

/** A file that nothing has kept yet. */
function newFile(): string {
  return new URL(`weights-${files++}.h5`, site).href;
}

function read(address: string, options: ReadOptions = {}): Promise<Reading> {
  const given = JSON.stringify({ cacheDir: 'test', ...options });
  return opened.page.evaluate<Reading>(`window.read(${JSON.stringify(address)}, ${given})`);
}

function versioned(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', '*');
  // Keeps the browser's own cache out of it.
  response.setHeader('cache-control', 'no-store');
  response.setHeader('etag', '"v1"');
  response.setHeader('last-modified', 'Thu, 01 Jan 2026 00:00:00 GMT');
  if (request.headers['if-none-match'] === '"v1"') return void response.writeHead(304).end();
  const from = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
  if (from > 0) response.writeHead(206, { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` });
  else response.setHeader('content-length', content.length);
  response.end(content.subarray(from));
}

test('a file of another site is read without a preflight request, stored, and found without a connection', async () => {
  await visit(pageSite);
  const address = newFile();
  expect(await read(address)).toMatchObject({ length: content.length, sum });
  expect(await read(address)).toMatchObject({ length: content.length, sum });
  expect(requests.map(({ method }) => method)).toEqual(['GET', 'GET']);
  answer = (_, response) => response.destroy();
  expect(await read(address)).toMatchObject({ length: content.length, sum });
  const withoutCache = await read(address, { cacheDir: false, retries: 1 });
  expect(withoutCache).toMatchObject({ code: 'NOT_FOUND' });
});

test('a changed file of another site is detected', async () => {
  await visit(pageSite);
  const address = newFile();
  await read(address);
  answer = (_, response) => {
    const headers = { 'access-control-allow-origin': '*', 'last-modified': 'Fri, 02 Jan 2026 00:00:00 GMT' };
    response.writeHead(200, headers).end('changed');
  };
  expect(await read(address)).toMatchObject({ length: 7 });
});

test('a file with a hash is requested once; a wrong hash is refused', async () => {
  await visit(pageSite);
  for (const algorithm of ['sha256', 'md5'] as const) {
    const address = newFile();
    const hash = { algorithm, digest: digest(algorithm) };
    requests = [];
    expect(await read(address, { hash })).toMatchObject({ length: content.length, sum });
    expect(await read(address, { hash })).toMatchObject({ length: content.length, sum, received: [content.length] });
    expect(requests.length).toBe(1);
    const wrong = { ...hash, digest: 'a'.repeat(hash.digest.length) };
    expect(await read(address, { hash: wrong })).toMatchObject({ code: 'WEIGHTS_DAMAGED' });
  }
});

test('a site that does not allow it: the error explains CORS', async () => {
  await visit(pageSite);
  answer = (_, response) => response.end(content);
  const { code, message } = await read(newFile(), { retries: 0 });
  expect([code, message]).toEqual([
    'NOT_FOUND',
    expect.stringMatching(/Failed to fetch\. .*only if that site allows it \(CORS\).*option mirror/),
  ]);
});

test('compressed files of another site, where the browser hides the encoding', async () => {
  await visit(pageSite);
  const packed = gzipSync(content);
  answer = (_, response) => {
    const headers = { 'content-encoding': 'gzip', 'content-length': packed.length, 'access-control-allow-origin': '*' };
    response.writeHead(200, headers).end(packed);
  };
  expect(await read(newFile())).toMatchObject({ length: content.length, sum });
});

test.each(['its own', 'another'])('a broken download from %s site is completed', async (whose) => {
  await visit(whose === 'another' ? pageSite : site);
  answer = (_, response) => {
    answer = versioned;
    const headers = { etag: '"v1"', 'access-control-allow-origin': '*', 'cache-control': 'no-store' };
    response.writeHead(200, { 'content-length': content.length, ...headers });
    response.write(content.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 500));
  };
  expect(await read(newFile())).toMatchObject({ length: content.length, sum });
  expect(requests.map(({ headers }) => headers.range)).toEqual([
    undefined,
    whose === 'another' ? undefined : expect.stringMatching(/^bytes=\d+-$/),
  ]);
});

test("a file of the page's own site is requested by its version, and by a relative address", async () => {
  await visit(site);
  const address = newFile();
  await read(address);
  expect(await read(address)).toMatchObject({ length: content.length, sum, received: [content.length] });
  expect(requests[1]?.headers['if-none-match']).toBe('"v1"');
  expect(await read(new URL(address).pathname.slice(1))).toMatchObject({ length: content.length, sum });
});
