// Downloads against real servers, most of them bad: each gives the right bytes or says what is wrong.
import { execFileSync, fork, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { md5 } from '../src/core/md5.ts';
import type { DownloadProgress, FileHash, ReadOptions } from '../src/core/platform.ts';
import { readAddress } from '../src/download/readAddress.ts';
import { tfHubAddress } from '../src/download/tfHub.ts';
import { loadBase, useBackend } from '../src/index.ts';
import { fileSystem } from '../src/node.ts';
import { readBytes } from '../src/platform/node/readBytes.ts';
import { tinyModel } from './support/tinyModel.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, nth: number) => void;

/** 300,000 bytes without a pattern. */
const content = Uint8Array.from({ length: 300_000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 255);
const sha256: FileHash = { algorithm: 'sha256', digest: createHash('sha256').update(content).digest('hex') };
const md5Hash: FileHash = { algorithm: 'md5', digest: createHash('md5').update(content).digest('hex') };
const quick = { retryDelay: 1 } as const;

let server: Server;
let address: string;
let answer: Answer;
let requests: IncomingMessage[];
let cacheDir: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    response.shouldKeepAlive = false;
    answer(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights.h5`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests = [];
  answer = whole;
  cacheDir = mkdtempSync(join(tmpdir(), 'transferkit-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  rmSync(cacheDir, { recursive: true, force: true });
});

function whole(_: IncomingMessage, response: ServerResponse): void {
  response.setHeader('content-length', content.length);
  response.end(content);
}

/** A good server: version, ranges, conditions. */
function versioned(etag = '"v1"', body = content): Answer {
  return (request, response) => {
    response.setHeader('etag', etag);
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end();
    const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const matches = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
    if (from === undefined || !matches) return void response.setHeader('content-length', body.length).end(body);
    response.writeHead(206, { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` });
    response.end(body.subarray(Number(from)));
  };
}

/** Sends the first bytes and breaks the connection. */
function broken(length: number, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(200, { 'content-length': content.length, ...headers });
    response.write(content.subarray(0, length), () => setTimeout(() => response.destroy(), 50));
  };
}

/** The first answers, then the last one for ever. */
function inTurn(...answers: readonly Answer[]): Answer {
  return (request, response, nth) => answers[Math.min(nth, answers.length) - 1]?.(request, response, nth);
}

function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_, response) => response.writeHead(code, headers).end('no');
}

/** Much faster than toEqual. */
function expectBytes(found: Uint8Array, expected: Uint8Array): void {
  expect(createHash('sha1').update(found).digest('hex')).toBe(createHash('sha1').update(expected).digest('hex'));
}

async function raised(reading: Promise<unknown>): Promise<unknown> {
  return reading.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function read(options: ReadOptions = {}, location = address): Promise<Uint8Array> {
  return readBytes(location, { ...quick, ...options });
}

/** Files of the cache, without the random part of names. */
function kept(): string[] {
  return readdirSync(cacheDir).map((name) => name.replace(/^[0-9a-f]{24}-/, '').replace(/[0-9a-f]{12}/, '…'));
}

test('a name and password in an address are refused, and never shown', async () => {
  const error = await raised(read({}, address.replace('http://', 'http://me:secret@')));
  expect(error).toMatchObject({ code: 'INVALID_OPTION', details: { address } });
  expect(String(error)).not.toMatch(/me:|secret/);
  expect(requests).toEqual([]);
});

describe('a file', () => {
  test('is read as a whole, into exactly its own memory, with progress to the end', async () => {
    const progress: DownloadProgress[] = [];
    const bytes = await read({ onProgress: (each) => progress.push(each) });
    expectBytes(bytes, content);
    expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, content.length]);
    expect(progress.at(-1)).toEqual({ address, received: content.length, total: content.length });
    expect(progress.map(({ received }) => received)).toEqual(
      progress.map(({ received }) => received).sort((a, b) => a - b),
    );
  });

  test('is read without a Content-Length', async () => {
    answer = (_, response) => {
      response.write(content.subarray(0, 1000));
      response.end(content.subarray(1000));
    };
    const progress: DownloadProgress[] = [];
    expectBytes(await read({ onProgress: (each) => progress.push(each) }), content);
    expect(progress.at(-1)).toEqual({ address, received: content.length, total: undefined });
  });

  test('is read compressed: Content-Length counts compressed bytes', async () => {
    const text = new TextEncoder().encode('{"layers":[]}'.repeat(1000));
    const packed = gzipSync(text);
    answer = (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
    };
    expectBytes(await read(), text);
  });

  test('that is compressed starts from its first byte after a broken connection', async () => {
    const packed = gzipSync(content);
    answer = (request, response, nth) => {
      expect(request.headers.range).toBeUndefined();
      const headers = { 'content-encoding': 'gzip', 'content-length': packed.length, etag: '"v"' };
      response.writeHead(200, headers);
      if (nth > 1) response.end(packed);
      else response.write(packed.subarray(0, packed.length / 2), () => setTimeout(() => response.destroy(), 50));
    };
    expectBytes(await read({ cacheDir }), content);
    expect(requests.length).toBe(2);
  });

  test('is read through redirects, and from a slow server', async () => {
    answer = (request, response) => {
      const hops = Number(request.url?.split('/').at(-1));
      if (hops > 0) return void response.writeHead(302, { location: `/hop/${hops - 1}` }).end();
      response.write(content.subarray(0, 10));
      setTimeout(() => response.end(content.subarray(10)), 60);
    };
    expectBytes(await read({}, new URL('/hop/3', address).href), content);
  });

  test('may be empty, a data: address, or the response of a custom fetch', async () => {
    answer = (_, response) => response.end();
    expectBytes(await read(), new Uint8Array(0));
    expectBytes(await readBytes('data:,abc'), new TextEncoder().encode('abc'));
    const own = async (): Promise<Response> => new Response(content);
    expectBytes(await readBytes('https://models.invalid/x', { fetch: own }), content);
  });
});

describe('bad servers', () => {
  test.each([404, 410, 400, 501])('status %i is final', async (code) => {
    answer = status(code);
    await expect(read()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(requests.length).toBe(1);
  });

  test.each([408, 429, 500, 502, 503, 504])('status %i is retried', async (code) => {
    answer = inTurn(status(code), status(code), whole);
    expectBytes(await read(), content);
    expect(requests.length).toBe(3);
  });

  test('one that never recovers is given up after the retries', async () => {
    answer = status(503);
    await expect(read({ retries: 2 })).rejects.toThrow(/but the server answered 503 Service Unavailable\. Check the/);
    expect(requests.length).toBe(3);
    await expect(read({ retries: 0 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(requests.length).toBe(4);
  });

  test('waiting times double, and Retry-After is respected', async () => {
    const times: number[] = [];
    answer = (_, response, nth) => {
      times.push(performance.now());
      if (nth === 3) response.setHeader('retry-after', '0');
      if (nth < 5) response.writeHead(503).end();
      else whole(_, response);
    };
    await read({ retryDelay: 40, retries: 4 });
    const waits = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(waits[0]).toBeGreaterThan(38);
    expect(waits[1]).toBeGreaterThan(78);
    expect(waits[2]).toBeLessThan(78);
    expect(waits[3]).toBeGreaterThan(300);
  });

  test('403 gives advice, for a hub and for others', async () => {
    answer = status(403);
    await expect(read()).rejects.toThrow(
      /answered 403 Forbidden\. It gives this file only to those it knows: .*option fetch/,
    );
    const fetch = async (): Promise<Response> => new Response('', { status: 403, statusText: 'Forbidden' });
    const reading = readBytes('https://www.kaggle.com/models/google/x/TfJs/y/1/model.json', { fetch, cacheDir: false });
    await expect(reading).rejects.toThrow(
      /TF Hub has moved to Kaggle, .* download the model on its page .*option mirror/,
    );
  });

  test('circular redirects end immediately', async () => {
    answer = (_, response) => response.writeHead(302, { location: address }).end();
    await expect(read()).rejects.toThrow(/redirect count exceeded.*The server sends in circles/);
    expect(requests.length).toBeLessThan(30);
  });

  test('an address without a server', async () => {
    const begun = performance.now();
    const options = { retryDelay: 5000 };
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const free = (other.address() as AddressInfo).port;
    await new Promise((resolve) => other.close(resolve));
    await expect(readBytes(`http://127.0.0.1:${free}/x`, options)).rejects.toThrow(/but fetch failed \(.*ECONNREFUSED/);
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  test('another site, in a page: the error explains CORS', async () => {
    const fetch = (): Promise<Response> => Promise.reject(new TypeError('Failed to fetch'));
    const environment = {
      hash: async () => '',
      openCache: async () => undefined,
      isSameOrigin: () => false,
      whole: (each: string) => each,
      seesRedirects: false,
      mirror: undefined,
    };
    const reading = readAddress('https://tfhub.dev/x/1', { fetch, ...quick }, environment);
    await expect(reading).rejects.toThrow(
      /Failed to fetch\. .*allows it \(CORS\).*mirror a server that sends Access-Control/,
    );
  });

  test('5 GB are refused before memory is taken; the limit can be raised and lowered', async () => {
    let closed = false;
    answer = (_, response) => {
      response.on('close', () => (closed = true));
      response.writeHead(200, { 'content-length': 5e9 }).write(content);
    };
    const before = process.memoryUsage().arrayBuffers;
    const error = await raised(read({ cacheDir }));
    expect(error).toMatchObject({ code: 'OUT_OF_RANGE', details: { bytes: 5e9, maxBytes: 2 ** 31 } });
    expect(String(error)).toMatch(
      /expected at most 2147483648 bytes at .*, but the server announces 5000000000\..*maxBytes/,
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e8);
    await vi.waitFor(() => {
      expect(closed).toBe(true);
    });
    expect(kept()).toEqual([]);
    answer = whole;
    await expect(read({ maxBytes: content.length - 1 })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    expectBytes(await read({ maxBytes: content.length }), content);
  });

  test('an endless response without a length is stopped at the limit', async () => {
    answer = (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(content));
      };
      response.on('drain', more);
      more();
    };
    await expect(read({ maxBytes: 1e6 })).rejects.toThrow(/at most 1000000 bytes at .*, but the server sent \d{7}\./);
  });

  test('a wrong hash: nothing is used or kept', async () => {
    const wrong = { algorithm: 'sha256', digest: 'ab'.repeat(32) } as const;
    await expect(read({ hash: wrong, cacheDir })).rejects.toMatchObject({ code: 'WEIGHTS_DAMAGED' });
    await expect(read({ hash: { ...md5Hash, digest: '0'.repeat(32) }, cacheDir })).rejects.toThrow(
      new RegExp(`to have the md5 0{32}, got ${md5Hash.digest} for 300000 bytes\\. It was damaged`),
    );
    expect(kept()).toEqual([]);
    expect(requests.length).toBe(2);
    expectBytes(await read({ hash: { ...sha256, digest: sha256.digest.toUpperCase() }, cacheDir }), content);
  });

  test('a wrong hash of a file on the disk is refused as well', async () => {
    const path = join(cacheDir, 'file');
    writeFileSync(path, content);
    expectBytes(await readBytes(path, { hash: sha256 }), content);
    writeFileSync(path, content.subarray(1));
    await expect(readBytes(path, { hash: sha256 })).rejects.toMatchObject({ code: 'WEIGHTS_DAMAGED' });
  });

  test.each<[string, ReadOptions, RegExp]>([
    [
      'a digest',
      { hash: { algorithm: 'sha256', digest: 'abc' } },
      /sha256 of a file as 64 hexadecimal digits, got 'abc'/,
    ],
    ['maxBytes', { maxBytes: 0 }, /expected maxBytes to be a number above 0, got 0/],
    ['retries', { retries: -1 }, /expected retries to be a whole number, 0 or more, got -1/],
    ['mirror', { mirror: 'my.host' }, /expected mirror to be an http: or https: address .*, got 'my\.host'/],
  ])('a bad option: %s', async (_, options, text) => {
    const error = await raised(read(options));
    expect(error).toMatchObject({ code: 'INVALID_OPTION' });
    expect(String(error)).toMatch(text);
    expect(requests).toEqual([]);
  });
});

describe('a download that breaks off', () => {
  test('continues where it stopped, if the server sends ranges', async () => {
    answer = inTurn(broken(100_000, { etag: '"v1"' }), versioned());
    const progress: number[] = [];
    const bytes = await read({ onProgress: ({ received }) => progress.push(received) });
    expectBytes(bytes, content);
    expect(bytes.buffer.byteLength).toBe(content.length);
    expect(requests[1]?.headers).toMatchObject({ range: 'bytes=100000-', 'if-range': '"v1"' });
    expect(progress.every((received, i) => i === 0 || received > (progress[i - 1] ?? 0))).toBe(true);
  });

  test('starts again if the server sends no ranges, or the file has changed', async () => {
    answer = inTurn(broken(100_000, { 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }), whole);
    expectBytes(await read(), content);
    requests = [];
    const changed = content.slice().fill(7, 50_000);
    answer = inTurn(broken(100_000, { etag: '"v1"' }), versioned('"v2"', changed));
    expectBytes(await read(), changed);
  });

  test('starts again if the file has no version to compare', async () => {
    answer = inTurn(broken(100_000, { etag: 'W/"weak"' }), whole);
    expectBytes(await read(), content);
    expect(requests[1]?.headers.range).toBeUndefined();
  });

  test.each<[string, Answer]>([
    [
      'a range that was not asked for',
      (_, r) => r.writeHead(206, { 'content-range': 'bytes 5-9/300000' }).end('abcde'),
    ],
    [
      'a file of another length',
      (_, r) => r.writeHead(206, { 'content-range': 'bytes 100000-100004/100005' }).end('abcde'),
    ],
    ['no range', (_, r) => r.writeHead(206).end('abcde')],
    ['416', status(416)],
  ])('starts again after %s', async (_, strange) => {
    answer = inTurn(broken(100_000, { etag: '"v1"' }), strange, whole);
    expectBytes(await read(), content);
    expect(requests[2]?.headers.range).toBeUndefined();
  });

  test('with parts of two versions is detected by its hash and downloaded as a whole', async () => {
    const changed = content.slice().fill(7, 50_000);
    answer = inTurn(broken(100_000), (request, response, nth) => {
      versioned('"v2"', nth === 2 ? changed : content)(request, response, nth);
    });
    expectBytes(await read({ hash: sha256, cacheDir }), content);
    expect(requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100000-', undefined]);
    expect(kept()).toEqual(['weights.h5']);
  });

  test('ends after several breaks with changed content', async () => {
    const changed = content.slice().fill(7, 50_000);
    answer = (request, response, nth) => {
      if (request.headers.range === undefined && nth < 8) broken(100_000)(request, response, nth);
      else versioned('"v2"', changed)(request, response, nth);
    };
    await expect(read({ hash: sha256, retries: 1 })).rejects.toThrow(/broke off after 100000/);
    await expect(read({ hash: sha256, retries: 9 })).rejects.toMatchObject({ code: 'WEIGHTS_DAMAGED' });
  });

  test('succeeds after many breaks if each attempt makes progress', async () => {
    const big = new Uint8Array(6 * 2 ** 20).map((_, i) => i % 251);
    answer = (request, response, nth) => {
      const from = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
      const to = Math.min(from + 1.2 * 2 ** 20, big.length);
      const range = { 'content-range': `bytes ${from}-${big.length - 1}/${big.length}` };
      response.writeHead(nth === 1 ? 200 : 206, {
        etag: '"v1"',
        'content-length': big.length - from,
        ...(nth === 1 ? {} : range),
      });
      response.write(big.subarray(from, to), () =>
        setTimeout(() => (to === big.length ? response.end() : response.destroy()), 50),
      );
    };
    expect(
      createHash('sha1')
        .update(await read({ retries: 1 }))
        .digest('hex'),
    ).toBe(createHash('sha1').update(big).digest('hex'));
    expect(requests.length).toBeGreaterThan(3);
  });

  test('and never recovers: the error contains the progress', async () => {
    answer = broken(100_000);
    await expect(read({ retries: 1 })).rejects.toThrow(
      /but the download broke off after 100000 of 300000 bytes: .*Check the/,
    );
  });

  test('continues in the next run', async () => {
    answer = broken(100_000, { etag: '"v1"' });
    await expect(read({ retries: 0, cacheDir })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(kept()).toEqual(['weights.h5.….partial']);
    answer = versioned();
    const progress: number[] = [];
    expectBytes(await read({ cacheDir, onProgress: ({ received }) => progress.push(received) }), content);
    expect(requests[1]?.headers).toMatchObject({ range: 'bytes=100000-', 'if-range': '"v1"' });
    expect(progress[0]).toBeGreaterThan(100_000);
    expect(kept()).toEqual(['weights.h5']);
    // And a file that changed meanwhile is fetched whole.
    rmSync(cacheDir, { recursive: true });
    answer = broken(100_000, { etag: '"v1"' });
    await raised(read({ retries: 0, cacheDir }));
    const changed = content.slice().fill(7, 50_000);
    answer = versioned('"v2"', changed);
    expectBytes(await read({ cacheDir }), changed);
    expect(kept()).toEqual(['weights.h5']);
  });
});

describe('a process that is killed in the middle', () => {
  test('keeps its bytes, and the next process continues from there', async () => {
    const folder = join(cacheDir, 'kept');
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': content.length, etag: '"v1"' }).write(content.subarray(0, 150_000));
    };
    const script = await bundleReader('await readBytes(address, { cacheDir });');
    const child = fork(script, [address, folder]);
    await vi.waitFor(() => {
      const [name = ''] = readdirSync(folder);
      expect(statSync(join(folder, name)).size).toBeGreaterThan(100_000);
    }, 20_000);
    child.kill('SIGKILL');
    await ended(child);
    answer = versioned();
    expectBytes(await read({ cacheDir: folder }), content);
    expect(requests.at(-1)?.headers.range).toMatch(/^bytes=1\d{5}-$/);
    expect(readdirSync(folder).length).toBe(1);
  });
});

describe('a signal', () => {
  test('stops before, between and during', async () => {
    expect(await raised(read({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'ABORTED' });
    answer = status(503);
    const waiting = read({ signal: AbortSignal.timeout(50), retryDelay: 60_000 });
    await expect(waiting).rejects.toThrow(/reading .*weights\.h5 was stopped by its signal\./);
    answer = (_, response) =>
      void response.writeHead(200, { etag: '"v1"', 'content-length': content.length }).write(content.subarray(0, 5000));
    const controller = new AbortController();
    const stop = (): void => {
      controller.abort();
    };
    await expect(read({ signal: controller.signal, cacheDir, onProgress: stop })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(kept()).toEqual(['weights.h5.….partial']);
    answer = versioned();
    expectBytes(await read({ cacheDir }), content);
    expect(requests.at(-1)?.headers.range).toBe('bytes=5000-');
  });

  test('stops reading from the cache, and leaves no listener', async () => {
    await read({ cacheDir, hash: sha256 });
    expect(await raised(read({ cacheDir, hash: sha256, signal: AbortSignal.abort() }))).toMatchObject({
      code: 'ABORTED',
    });
  });

  test('an error of the progress callback is raised unchanged', async () => {
    const onProgress = (): void => {
      throw new Error('mine');
    };
    await expect(read({ onProgress })).rejects.toThrow(/^mine$/);
    expect(requests.length).toBe(1);
  });
});

describe('the cache', () => {
  test('of a file with a hash is used without a request', async () => {
    for (const hash of [sha256, md5Hash]) expectBytes(await read({ cacheDir, hash }), content);
    expect(requests.length).toBe(1);
    const progress: DownloadProgress[] = [];
    const bytes = await read({ cacheDir, hash: md5Hash, onProgress: (each) => progress.push(each) });
    expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, content.length]);
    expect(progress).toEqual([{ address, received: content.length, total: content.length }]);
  });

  test('with damage is downloaded again', async () => {
    answer = versioned();
    for (const hash of [sha256, undefined]) {
      for (const damage of [
        (b: Buffer) => b.fill(1, 20_000, 20_010),
        (b: Buffer) => b.subarray(0, 10_000),
        () => Buffer.from('{}'),
      ]) {
        const options = { cacheDir, ...(hash === undefined ? {} : { hash }) };
        await read(options);
        const path = join(cacheDir, readdirSync(cacheDir)[0] ?? '');
        writeFileSync(path, damage(readFileSync(path)));
        const before = requests.length;
        expectBytes(await read(options), content);
        expect(requests.length).toBeGreaterThan(before);
        expectBytes(await read({ ...options, hash: sha256, fetch: () => Promise.reject(new Error('no')) }), content);
      }
    }
  });

  test.each<[string, Answer]>([
    ['an ETag', versioned()],
    [
      'Last-Modified',
      (request, response) => {
        const version = 'Thu, 01 Jan 2026 00:00:00 GMT';
        response.setHeader('last-modified', version);
        if (request.headers['if-modified-since'] === version) response.writeHead(304).end();
        else response.end(content);
      },
    ],
    ['an ETag of a server without conditions', (_, response) => response.setHeader('etag', '"v1"').end(content)],
  ])('without a hash is validated by %s', async (_, good) => {
    answer = good;
    await read({ cacheDir });
    let received = 0;
    expectBytes(await read({ cacheDir, onProgress: (each) => (received = each.received) }), content);
    expect([requests.length, received]).toEqual([2, content.length]);
  });

  test('never hides a file that changed', async () => {
    for (const [etag, fill] of [
      ['"v1"', 1],
      ['"v2"', 2],
    ] as const) {
      const body = content.slice().fill(fill);
      answer = versioned(etag, body);
      expectBytes(await read({ cacheDir }), body);
    }
    expect(kept()).toEqual(['weights.h5']);
  });

  test('is used without a connection and if the server fails, not if it refuses', async () => {
    answer = versioned();
    await read({ cacheDir });
    const offline = (): Promise<Response> => Promise.reject(new TypeError('fetch failed'));
    const begun = performance.now();
    expectBytes(await read({ cacheDir, fetch: offline, retryDelay: 10_000 }), content);
    expect(performance.now() - begun).toBeLessThan(2000);
    answer = status(503);
    expectBytes(await read({ cacheDir }), content);
    answer = status(404);
    await expect(read({ cacheDir })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(read({ cacheDir: false, fetch: offline, retries: 0 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('cacheDir false, and servers of this machine without a hash: nothing is stored', async () => {
    vi.stubEnv('TRANSFERKIT_CACHE', cacheDir);
    answer = versioned();
    await read();
    await read({ hash: sha256, cacheDir: false });
    expect(kept()).toEqual([]);
    await read({ hash: sha256 });
    expect(kept()).toEqual(['weights.h5']);
  });

  test('is in the folder TRANSFERKIT_CACHE, and stores files of other sites that can be validated', async () => {
    vi.stubEnv('TRANSFERKIT_CACHE', cacheDir);
    const from = (headers: Record<string, string>) => async (): Promise<Response> => new Response(content, { headers });
    await readBytes('https://models.invalid/a.bin', { fetch: from({}) });
    await readBytes('https://models.invalid/a.bin', { fetch: from({ etag: '"1"', 'cache-control': 'no-store' }) });
    expect(kept()).toEqual([]);
    await readBytes('https://models.invalid/a.bin?token=1', { fetch: from({ etag: '"1"' }) });
    await readBytes('https://models.invalid/b/a.bin', { fetch: from({ etag: '"1"' }) });
    expect(kept()).toEqual(['a.bin', 'a.bin']);
  });

  test('that cannot be written does not fail a download, unless it was set by option', async () => {
    const file = join(cacheDir, 'file');
    writeFileSync(file, '');
    await expect(read({ cacheDir: join(file, 'cache') })).rejects.toThrow(
      /expected to keep downloaded files in .*cache, but: ENOTDIR.* Choose another cacheDir, or false\./,
    );
    vi.stubEnv('TRANSFERKIT_CACHE', join(file, 'cache'));
    expectBytes(await read({ hash: sha256 }), content);
  });
});

/** Whether this process may mount a small disk that nobody else sees. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.runIf(canMount())('on a full disk leaves no open and no partial file', async () => {
  answer = versioned();
  const script = await bundleReader(`
    const { execFileSync } = await import('node:child_process');
    const { readdirSync, readlinkSync, rmSync, writeFileSync } = await import('node:fs');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', cacheDir]);
    const found = [];
    for (const free of [0, 4096, 100_000]) {
      rmSync(cacheDir + '/filler', { force: true });
      try { writeFileSync(cacheDir + '/filler', new Uint8Array(256 * 1024 - free)); } catch {}
      const code = await readBytes(address, { cacheDir, retries: 0 }).then(() => 'read', (error) => error.code);
      const open = readdirSync('/proc/self/fd').flatMap((fd) => {
        try { return readlinkSync('/proc/self/fd/' + fd).startsWith(cacheDir) ? [fd] : []; } catch { return []; }
      });
      found.push([code, readdirSync(cacheDir), open.length]);
    }
    console.log(JSON.stringify(found));`);
  const disk = join(cacheDir, 'disk');
  mkdirSync(disk);
  // The server is in this process: it must not wait for the other one.
  const child = spawn('unshare', ['-rm', process.execPath, script, address, disk], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (piece: Buffer) => (printed += piece.toString()));
  await once(child, 'close');
  expect(JSON.parse(printed)).toEqual([0, 1, 2].map(() => ['SAVE_FAILED', ['filler'], 0]));
});

describe('a mirror', () => {
  test('replaces scheme and host; the cache uses the original address', async () => {
    const mirror = new URL('/mirror/', address).href;
    const location = 'https://models.invalid/keras/a.h5?x=1';
    expectBytes(await readBytes(location, { mirror, cacheDir, hash: sha256 }), content);
    expect(requests[0]?.url).toBe('/mirror/keras/a.h5?x=1');
    expectBytes(await readBytes(location, { cacheDir, hash: sha256 }), content);
    expect(requests.length).toBe(1);
  });

  test('is set by TRANSFERKIT_MIRROR, unless false; not for this machine', async () => {
    vi.stubEnv('TRANSFERKIT_MIRROR', new URL('/mirror', address).href);
    await readBytes('https://models.invalid/a.h5', { cacheDir: false });
    await read();
    expect(requests.map(({ url }) => url)).toEqual(['/mirror/a.h5', '/weights.h5']);
    const fetch = async (resource: unknown): Promise<Response> => new Response(String(resource));
    const own = await readBytes('https://models.invalid/a.h5', { cacheDir: false, mirror: false, fetch });
    expect(new TextDecoder().decode(own)).toBe('https://models.invalid/a.h5');
  });
});

describe('loadBase', () => {
  let files: ReadonlyMap<string, Uint8Array>;
  const modelJson = (): Uint8Array => files.get('model.json') ?? new Uint8Array(0);

  beforeAll(async () => {
    await useBackend('cpu');
    const folder = mkdtempSync(join(tmpdir(), 'transferkit-'));
    const model = tinyModel();
    await model.save(fileSystem(folder));
    model.dispose();
    files = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
    rmSync(folder, { recursive: true });
  });

  test('finds a model of TF Hub on a mirror: every request has the query that the hub needs', async () => {
    answer = (request, response) => {
      const name = new URL(request.url ?? '', address).pathname.split('/').at(-1) ?? '';
      response.end(files.get(name));
    };
    const seen: DownloadProgress[] = [];
    const base = await loadBase('https://tfhub.dev/google/tiny/1', {
      mirror: new URL('/mirror', address).href,
      sha256: createHash('sha256').update(modelJson()).digest('hex'),
      cacheDir,
      onProgress: (progress) => seen.push(progress),
    });
    base.dispose();
    expect(requests.map(({ url }) => url)).toEqual(
      [...files.keys()].map((name) => `/mirror/google/tiny/1/${name}?tfjs-format=file`),
    );
    expect(files.size).toBe(2);
    expect(new Set(seen.map((progress) => progress.address)).size).toBe(2);
    expect(kept().length).toBe(2);
  });

  test('a shard that the server refuses: the error contains the reason', async () => {
    answer = (request, response) => {
      if (request.url?.includes('model.json')) response.end(modelJson());
      else response.writeHead(403).end();
    };
    await expect(loadBase(new URL('model.json', address))).rejects.toThrow(
      /weights\.\w+\.bin, but the server answered 403/,
    );
    await expect(
      loadBase(address.replace('weights.h5', 'model.json'), { sha256: '0'.repeat(64) }),
    ).rejects.toMatchObject({
      code: 'WEIGHTS_DAMAGED',
    });
  });
});

describe('two downloads at the same time', () => {
  test('in one process: both get the file, and one is stored', async () => {
    answer = versioned();
    const all = await Promise.all(Array.from({ length: 6 }, () => read({ cacheDir })));
    expect(all.every((bytes) => Buffer.compare(bytes, content) === 0)).toBe(true);
    expect(kept()).toEqual(['weights.h5']);
  });

  test('in two processes, while the file changes: no mixed file', async () => {
    const versions = [1, 2, 3, 4].map((version) => content.slice().fill(version));
    answer = (request, response, nth) => {
      const version = nth % versions.length;
      versioned(`"v${version}"`, versions[version])(request, response, nth);
    };
    const script = await bundleReader(`
      for (let i = 0; i < 40; i++) {
        const bytes = await readBytes(address, { cacheDir, retryDelay: 1 });
        if (bytes.length !== 300000 || bytes.some((byte) => byte !== bytes[0])) throw new Error('torn');
      }`);
    const folder = join(cacheDir, 'shared');
    const ends = [fork(script, [address, folder]), fork(script, [address, folder])].map(ended);
    expect(await Promise.all(ends)).toEqual([0, 0]);
    expect(readdirSync(folder).length).toBe(1);
  });
});

/** A program that another process can run. */
async function bundleReader(program: string): Promise<string> {
  const script = join(cacheDir, 'reader.mjs');
  await build({
    stdin: {
      contents: `import { readBytes } from './src/platform/node/readBytes.ts';
        const [address, cacheDir] = process.argv.slice(2);
        ${program}`,
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile: script,
    logLevel: 'silent',
  });
  return script;
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve));
}

describe('md5', () => {
  test.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['a', '0cc175b9c0f1b6a831c399e269772661'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 'd174ab98d277d9f5a5611c2c9f419d9f'],
    ['1234567890'.repeat(8), '57edf4a22be3c955ac49da2e2107b67a'],
  ])('of RFC 1321: %j', (text, digest) => {
    expect(md5(new TextEncoder().encode(text))).toBe(digest);
  });

  test('is that of Node at every length around a block, from any offset', () => {
    for (let length = 0; length < 200; length++) {
      const bytes = content.subarray(length % 7, (length % 7) + length);
      expect(md5(bytes)).toBe(createHash('md5').update(bytes).digest('hex'));
    }
    expect(md5(content)).toBe(md5Hash.digest);
  });
});

describe('TF Hub and Kaggle', () => {
  const kaggle = 'https://www.kaggle.com/models/google/mobilenet-v2';
  const file = '/model.json?tfjs-format=file';
  test.each([
    [
      'https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/classification/2',
      `https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/classification/2${file}`,
    ],
    ['https://tfhub.dev/a/b/1/', `https://tfhub.dev/a/b/1${file}`],
    [`https://tfhub.dev/a/b/1${file}`, `https://tfhub.dev/a/b/1${file}`],
    ['https://tfhub.dev/a/b/1?tfjs-format=file', `https://tfhub.dev/a/b/1${file}`],
    ['https://tfhub.dev/a/b/1?tf-hub-format=compressed', 'https://tfhub.dev/a/b/1?tf-hub-format=compressed'],
    [`${kaggle}/TfJs/100-224-feature-vector/3`, `${kaggle}/TfJs/100-224-feature-vector/3${file}`],
    [
      `${kaggle}/frameworks/tfJs/variations/100-224-feature-vector/versions/3`,
      `${kaggle}/tfJs/100-224-feature-vector/3${file}`,
    ],
    ['https://www.kaggle.com/datasets/x', 'https://www.kaggle.com/datasets/x'],
    ['https://my.host/tfhub.dev/model.json', 'https://my.host/tfhub.dev/model.json'],
    ['models/tfhub.dev', 'models/tfhub.dev'],
  ])('%s', (given, expected) => {
    expect(tfHubAddress(given)).toBe(expected);
  });

  test.each([
    [
      `${kaggle}/TensorFlow2/100-224/2`,
      /expected the address of a TF\.js variation on Kaggle, .*got the variation for TensorFlow2/,
    ],
    [kaggle, /got no variation with a version/],
  ])('%s is refused', (given, text) => {
    expect(() => tfHubAddress(given)).toThrow(text);
  });
});
