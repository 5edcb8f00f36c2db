// Where files may lead: shards that a model.json names, redirects of servers, files that are larger than allowed.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { assertRedirect, resolveReference } from '../src/core/references.ts';
import { isTransferKitError, load, loadBase, useBackend, type LoadBaseOptions } from '../src/index.ts';
import { fileSystem } from '../src/node.ts';
import { readBytes } from '../src/platform/node/readBytes.ts';
import { expectNoLeak } from './support/tensors.ts';

const weights = [{ name: 'dense/kernel', shape: [3, 2], dtype: 'float32' }];
const shard = new Uint8Array(24);
const dataShard = `data:application/octet-stream;base64,${Buffer.from(shard).toString('base64')}`;
const layer = {
  class_name: 'Dense',
  config: { name: 'dense', units: 2, use_bias: false, batch_input_shape: [null, 3] },
};

function modelJson(...paths: string[]): string {
  const modelTopology = { class_name: 'Sequential', config: { name: 's', layers: [layer] } };
  return JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest: [{ paths, weights }] });
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that notes what it was asked for. */
interface Site {
  readonly server: Server;
  readonly origin: string;
  answer: Answer;
  asked: string[];
}

async function openSite(): Promise<Site> {
  const site: Site = {
    server: createServer((request, response) => {
      site.asked.push(request.url ?? '');
      site.answer(request, response);
    }),
    origin: '',
    answer: (_, response) => response.end(shard),
    asked: [],
  };
  await new Promise<void>((resolve) => site.server.listen(0, '127.0.0.1', resolve));
  return Object.assign(site, { origin: `http://127.0.0.1:${(site.server.address() as AddressInfo).port}` });
}

let own: Site;
let other: Site;
let folder: string;
beforeAll(async () => {
  await useBackend('cpu');
  [own, other] = [await openSite(), await openSite()];
});
afterAll(() => {
  for (const { server } of [own, other]) {
    server.closeAllConnections();
    server.close();
  }
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'transferkit-trust-'));
  own.asked = [];
  other.asked = [];
  other.answer = (_, response) => response.end(shard);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The site gives a model.json that names these shards, and a shard at any other address. */
function serveModel(site: Site, ...paths: string[]): void {
  site.answer = ({ url = '' }, response) => response.end(url.includes('.json') ? modelJson(...paths) : shard);
}

const loads = async (source: string, options: LoadBaseOptions = {}): Promise<string> =>
  loadBase(source, { cacheDir: false, retries: 0, ...options }).then(
    (base) => {
      base.dispose();
      return 'loads';
    },
    (error: unknown) => (isTransferKitError(error) ? error.code : String(error)),
  );

const far = { location: 'https://a.host/m/model.json?token=S', reached: 'https://a.host/m/model.json?token=S' };
const near = { location: '/models/x/model.json', reached: '/models/x/model.json' };

describe('a file of a server names', () => {
  test.each([
    ['w.bin', 'https://a.host/m/w.bin?token=S'],
    ['w.bin?v=1', 'https://a.host/m/w.bin?v=1'],
    ['sub/w.bin', 'https://a.host/m/sub/w.bin?token=S'],
    ['../w.bin', 'https://a.host/w.bin?token=S'],
    ['/w.bin', 'https://a.host/w.bin?token=S'],
    ['https://a.host:443/w.bin', 'https://a.host/w.bin?token=S'],
    [dataShard, dataShard],
  ])('%s of its origin', (name, expected) => {
    expect(resolveReference(name, far)).toBe(expected);
  });

  test.each([
    ['https://b.host/w.bin', 'https://b.host/w.bin'],
    ['//b.host/w.bin', 'https://b.host/w.bin'],
    ['\\\\b.host\\w.bin', 'https://b.host/w.bin'],
    [' https://b.host/w.bin', 'https://b.host/w.bin'],
    ['https://a.host:8443/w.bin', 'https://a.host:8443/w.bin'],
    ['https://a.host.b.host/w.bin', 'https://a.host.b.host/w.bin'],
    ['https://user:password@10.0.0.1/w.bin', 'https://user:password@10.0.0.1/w.bin'],
  ])('%s of another origin only where that is allowed, and without the query', (name, expected) => {
    expect(() => resolveReference(name, far)).toThrow(
      /expected https:\/\/a\.host\/m\/model\.json\S* to name files that belong to it, got .*, but it is not on https:\/\/a\.host\. If that is meant, .*allowElsewhere: true/,
    );
    expect(resolveReference(name, far, true)).toBe(expected);
  });

  test.each([
    ['file:///etc/passwd', 'must not lead out of it'],
    ['FILE:/etc/passwd', 'must not lead out of it'],
    ['\tfi\nle:///etc/passwd', 'must not lead out of it'],
    ['file://localhost/dev/zero', 'must not lead out of it'],
    ['blob:https://a.host/0-0', 'must not lead out of it'],
    ['ftp://a.host/w.bin', 'must not lead out of it'],
    ['javascript:1', 'must not lead out of it'],
    ['http://a.host/m/w.bin', 'https: must not lead to http:'],
    ['http://b.host/w.bin', 'https: must not lead to http:'],
    ['https://[', 'it is no address'],
  ])('never %s, whatever is allowed', (name, text) => {
    expect(() => resolveReference(name, far)).toThrow(new RegExp(text));
    expect(() => resolveReference(name, far, true)).toThrow(new RegExp(`${text}.*Nothing allows that`));
  });

  test('files of the origin that it was redirected to, and of the storage of its site', () => {
    const moved = {
      location: 'https://a.host/m/model.json?token=S',
      reached: 'https://cdn.host/9/model.json?signature=T',
    };
    expect(resolveReference('w.bin', moved)).toBe('https://a.host/m/w.bin?token=S');
    expect(resolveReference('https://cdn.host/w.bin', moved)).toBe('https://cdn.host/w.bin');
    expect(() => resolveReference('https://b.host/w.bin', moved)).toThrow(
      /not on https:\/\/a\.host or https:\/\/cdn\.host/,
    );
    const hub = { location: 'https://huggingface.co/a/b/model.json', reached: 'https://huggingface.co/a/b/model.json' };
    expect(resolveReference('https://cdn-lfs.hf.co/w.bin', hub)).toBe('https://cdn-lfs.hf.co/w.bin');
    expect(() => resolveReference('https://hf.co.evil.host/w.bin', hub)).toThrow(/is not on/);
  });

  test('no file by http: if its server requires https:', () => {
    const insists = { location: 'http://a.host/m/model.json', reached: 'https://a.host/m/model.json' };
    expect(() => resolveReference('http://a.host/m/w.bin', insists, true)).toThrow('https: must not lead to http:');
  });

  test('files by https: if its server requires it', () => {
    const secured = { location: 'http://a.host/m/model.json', reached: 'https://a.host/m/model.json' };
    expect(resolveReference('w.bin', secured)).toBe('https://a.host/m/w.bin');
  });

  test.each([
    ['models%2Fx%2Fmodel.json?alt=media&token=S', 'w.bin', 'models%2Fx%2Fw.bin?alt=media&token=S'],
    ['models%2fx%2fmodel.json', 'sub/w 1.bin', 'models%2fx%2fsub%2Fw%201.bin'],
    ['a:b%2Fmodel.json', 'w%201.bin', 'a:b%2Fw%201.bin'],
    ['models%2Fx%2Fmodel.json?alt=media', '/w.bin', '/w.bin?alt=media'],
  ])('files of a folder whose slashes are encoded: %s, %s', (file, name, expected) => {
    const location = `https://a.host/v0/b/p/o/${file}`;
    const folderOf = expected.startsWith('/') ? 'https://a.host' : 'https://a.host/v0/b/p/o/';
    expect(resolveReference(name, { location, reached: location })).toBe(`${folderOf}${expected}`);
  });
});

describe('a file on a disk names', () => {
  test.each(['w.bin', 'sub/w.bin', './w.bin', 'sub\\w.bin', '..w.bin', 'w..bin', 'w%201.bin', 'w#1?.bin'])(
    '%s in its folder',
    (name) => {
      expect(resolveReference(name, near)).toBe(`/models/x/${name}`);
    },
  );

  test.each([
    '../w.bin',
    'sub/../../w.bin',
    '..\\w.bin',
    '.. /w.bin',
    '..',
    '%2e%2e/w.bin',
    '%2E.%2fw.bin',
    '/etc/passwd',
    '\\\\server\\share',
    '%2fetc/passwd',
    'C:w.bin',
    'c:\\w.bin',
    'file:///etc/passwd',
    'https://a.host/w.bin',
    'blob:x',
    'w\0.bin',
  ])('nothing outside, such as %j, unless that is allowed', (name) => {
    expect(() => resolveReference(name, near)).toThrow(/leads out of the folder of the file\. .*allowElsewhere: true/);
    expect(() => resolveReference(name, near, true)).not.toThrow();
  });

  test('in another folder or on a server where that is allowed', () => {
    expect(resolveReference('../w.bin', near, true)).toBe('/models/x/../w.bin');
    expect(resolveReference('/w.bin', near, true)).toBe('/w.bin');
    expect(resolveReference('https://a.host/w.bin', near, true)).toBe('https://a.host/w.bin');
    expect(resolveReference(dataShard, near)).toBe(dataShard);
  });
});

describe('a file of a data: or blob: address names', () => {
  test.each(['data:application/json,{}', 'blob:https://a.host/0-0'])('%s: only data', (location) => {
    const from = { location, reached: location };
    expect(resolveReference(dataShard, from)).toBe(dataShard);
    expect(() => resolveReference('w.bin', from)).toThrow(/there are no files\. Put its files in as data: addresses/);
    expect(() => resolveReference('file:///w.bin', from, true)).toThrow(/there are no files/);
    expect(() => resolveReference('https://b.host/w.bin', from)).toThrow(/allowElsewhere/);
    expect(resolveReference('https://b.host/w.bin', from, true)).toBe('https://b.host/w.bin');
  });
});

describe('a redirect', () => {
  const asked = 'https://a.host/w.bin';
  test.each([
    [asked, 'https://a.host/v2/w.bin', undefined],
    [asked, 'https://cdn.host/w.bin', undefined],
    ['http://a.host/', 'https://a.host/', undefined],
    ['http://localhost:1/', 'http://127.0.0.1:2/', undefined],
    [asked, 'https://a.host/v2/w.bin', far],
    [
      'https://huggingface.co/w.bin',
      'https://cas-bridge.xethub.hf.co/w.bin',
      { location: 'https://huggingface.co/m', reached: 'https://huggingface.co/m' },
    ],
    [
      'https://tfhub.dev/w.bin',
      'https://storage.googleapis.com/w.bin',
      { location: 'https://tfhub.dev/m', reached: 'https://www.kaggle.com/m' },
    ],
    [asked, 'https://cdn.host/w.bin', { ...far, reached: 'https://cdn.host/m/model.json' }],
  ])('from %s to %s is followed', (first, to, from) => {
    expect(() => {
      assertRedirect({ asked: first, by: first, to, from });
    }).not.toThrow();
  });

  test.each([
    [asked, 'http://a.host/w.bin', undefined, 'https: must not lead to http:'],
    [asked, 'file:///etc/passwd', undefined, 'it is no address of a server'],
    [asked, 'data:,abc', undefined, 'it is no address of a server'],
    [asked, 'http://', undefined, 'it is no address of a server'],
    [asked, 'http://cdn.host/w.bin', { ...far, reached: 'http://cdn.host/' }, 'https: must not lead to http:'],
  ])('from %s to %s is not followed, whatever is allowed', (first, to, from, text) => {
    expect(() => {
      assertRedirect({ asked: first, by: first, to, from }, true);
    }).toThrow(`expected the server to have ${first}, but it redirects to ${to}, and ${text}. Nothing allows that`);
  });

  test.each([
    'https://localhost/',
    'https://x.localhost/',
    'https://metadata.google.internal/',
    'https://printer.local/',
    'https://127.1.2.3/',
    'https://2130706433/',
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://169.254.169.254/',
    'https://100.64.0.1/',
    'https://0.0.0.0/',
    'https://[::1]/',
    'https://[::]/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://[::ffff:10.0.0.1]/',
  ])('from the internet to %s only where that is allowed', (to) => {
    const redirect = { asked, by: asked, to, from: undefined };
    expect(() => {
      assertRedirect(redirect);
    }).toThrow(/it is in a private network\. .*allowElsewhere: true/);
    expect(() => {
      assertRedirect(redirect, true);
    }).not.toThrow();
    expect(() => {
      assertRedirect({ ...redirect, to: 'https://8.8.8.8/' });
    }).not.toThrow();
  });

  test('of a file that a model names stays on the origin of the model, unless allowed', () => {
    const redirect = { asked, by: asked, to: 'https://cdn.host/w.bin', from: far };
    expect(() => {
      assertRedirect(redirect);
    }).toThrow(/must come from the origin of the model\. .*allowElsewhere: true/);
    expect(() => {
      assertRedirect(redirect, true);
    }).not.toThrow();
  });
});

describe('loadBase from a server', () => {
  test('reads no local file', async () => {
    writeFileSync(join(folder, 'w.bin'), shard);
    for (const name of [pathToFileURL(join(folder, 'w.bin')).href, 'file:///dev/zero']) {
      serveModel(own, name);
      for (const allowElsewhere of [false, true]) {
        const options = { cacheDir: false as const, maxBytes: 1e6, allowElsewhere };
        await expectNoLeak(() =>
          expect(loadBase(`${own.origin}/model.json`, options)).rejects.toMatchObject({ code: 'NOT_TRUSTED' }),
        );
      }
    }
  });

  test('requests no other origin unless that is allowed, and sends it no token', async () => {
    serveModel(own, `${other.origin}/w.bin`);
    expect(await loads(`${own.origin}/model.json?token=SECRET`)).toBe('NOT_TRUSTED');
    await expect(load(`${own.origin}/model.json?token=SECRET`, { cacheDir: false })).rejects.toMatchObject({
      code: 'NOT_TRUSTED',
    });
    expect(other.asked).toEqual([]);
    expect(await loads(`${own.origin}/model.json?token=SECRET`, { allowElsewhere: true })).toBe('loads');
    expect(other.asked).toEqual(['/w.bin']);
  });

  test('requests nothing if one of the names is not allowed', async () => {
    serveModel(own, 'w.bin', `${other.origin}/w.bin`);
    expect(await loads(`${own.origin}/model.json`)).toBe('NOT_TRUSTED');
    expect(own.asked).toEqual(['/model.json']);
  });

  test('after a redirect the new origin counts as its own too', async () => {
    own.answer = ({ url = '' }, response) => {
      if (url.includes('model.json')) response.writeHead(302, { location: `${other.origin}/9/model.json` }).end();
      else response.end(shard);
    };
    for (const name of ['w.bin', `${other.origin}/w.bin`]) {
      serveModel(other, name);
      expect(await loads(`${own.origin}/m/model.json?token=S`)).toBe('loads');
    }
    expect(own.asked.filter((url) => !url.includes('.json'))).toEqual(['/m/w.bin?token=S']);
    expect(other.asked).toEqual(['/9/model.json', '/9/model.json', '/w.bin']);
  });

  test('a shard is not redirected to another origin unless that is allowed', async () => {
    own.answer = ({ url = '' }, response) => {
      if (url.includes('.json')) response.end(modelJson('w.bin'));
      else response.writeHead(302, { location: `${other.origin}/inner` }).end();
    };
    expect(await loads(`${own.origin}/model.json`)).toBe('NOT_TRUSTED');
    expect(other.asked).toEqual([]);
    expect(await loads(`${own.origin}/model.json`, { allowElsewhere: true })).toBe('loads');
    expect(other.asked).toEqual(['/inner']);
  });

  test('with a custom fetch, which follows redirects itself, the last address is checked', async () => {
    const answers: Record<string, string> = { 'https://a.host/model.json': 'http://a.host/model.json' };
    const fetched = (async (input) => {
      if (String(input).startsWith('data:')) return globalThis.fetch(input);
      const response = new Response(modelJson(dataShard));
      Object.defineProperty(response, 'url', { value: answers[String(input)] ?? String(input) });
      return response;
    }) as typeof fetch;
    expect(await loads('https://b.host/model.json', { fetch: fetched })).toBe('loads');
    expect(await loads('https://a.host/model.json', { fetch: fetched })).toBe('NOT_TRUSTED');
  });

  test('cached files keep their origin', async () => {
    own.answer = ({ url = '' }, response) => {
      if (url.includes('model.json')) response.writeHead(302, { location: `${other.origin}/model.json` }).end();
      else response.end(shard);
    };
    serveModel(other, `${other.origin}/w.bin`);
    const cacheDir = join(folder, 'cache');
    expect(await loads(`${own.origin}/model.json`, { cacheDir })).toBe('loads');
    own.answer = (_, response) => response.writeHead(500).end();
    other.answer = (_, response) => response.writeHead(500).end();
    expect(await loads(`${own.origin}/model.json`, { cacheDir })).toBe('loads');
  });

  test('takes shards that are data: addresses', async () => {
    serveModel(own, dataShard);
    expect(await loads(`${own.origin}/model.json`)).toBe('loads');
    expect(await loads(`data:application/json,${encodeURIComponent(modelJson(dataShard))}`)).toBe('loads');
    expect(await loads(`data:application/json,${encodeURIComponent(modelJson('w.bin'))}`)).toBe('NOT_TRUSTED');
    serveModel(own, dataShard.replace('base64,', 'base64,AAAA'));
    expect(await loads(`${own.origin}/model.json`)).toBe('WEIGHTS_DAMAGED');
    expect(await loads(`${own.origin}/model.json`, { maxBytes: 20 })).toBe('OUT_OF_RANGE');
  });

  test('finds the shards of a folder whose slashes are encoded, and of an address with a query', async () => {
    serveModel(own, 'w.bin');
    for (const address of [
      '/o/models%2Fx%2Fmodel.json?alt=media',
      '/o/models%2Fx?alt=media',
      '/o/models%2Fx%2F?alt=media',
    ]) {
      expect(await loads(`${own.origin}${address}`)).toBe('loads');
      expect(own.asked.splice(0)).toEqual(['/o/models%2Fx%2Fmodel.json?alt=media', '/o/models%2Fx%2Fw.bin?alt=media']);
    }
    expect(await loads(`${own.origin}/m/?token=S#here`)).toBe('loads');
    expect(own.asked).toEqual(['/m/model.json?token=S', '/m/w.bin?token=S']);
  });

  test('refuses more shards than the weights need', async () => {
    serveModel(own, ...Array.from({ length: 1000 }, (_, i) => `w${i}.bin`));
    expect(await loads(`${own.origin}/model.json`)).toBe('WEIGHTS_DAMAGED');
    expect(own.asked.length).toBeLessThan(20);
  });
});

describe('loadBase from a disk', () => {
  beforeEach(() => {
    mkdirSync(join(folder, 'm'));
    writeFileSync(join(folder, 'w.bin'), shard);
  });
  const write = (...paths: string[]): void => {
    writeFileSync(join(folder, 'm', 'model.json'), modelJson(...paths));
  };

  test.each(['up', 'absolute', 'file:'])('stays in the folder: %s', async (kind) => {
    const outside = join(folder, 'w.bin');
    write({ up: '../w.bin', absolute: outside }[kind] ?? pathToFileURL(outside).href);
    expect(await loads(join(folder, 'm'))).toBe('NOT_TRUSTED');
    expect(await loads(pathToFileURL(join(folder, 'm')).href)).toBe('NOT_TRUSTED');
    await expect(loadBase(fileSystem(join(folder, 'm')))).rejects.toMatchObject({ code: 'NOT_TRUSTED' });
    expect(await loads(join(folder, 'm'), { allowElsewhere: true })).toBe('loads');
  });

  test('follows links that the user made', async () => {
    write('link.bin');
    symlinkSync(join(folder, 'w.bin'), join(folder, 'm', 'link.bin'));
    expect(await loads(join(folder, 'm'))).toBe('loads');
  });

  test('requests a server only if that is allowed', async () => {
    write(`${other.origin}/w.bin`);
    expect(await loads(join(folder, 'm'))).toBe('NOT_TRUSTED');
    expect(other.asked).toEqual([]);
    expect(await loads(join(folder, 'm'), { allowElsewhere: true })).toBe('loads');
  });
});

describe('maxBytes and signal hold for', () => {
  const maxBytes = 1e6;

  test('a file', async () => {
    const path = join(folder, 'big');
    writeFileSync(path, new Uint8Array(20));
    await expect(readBytes(path, { maxBytes: 10 })).rejects.toThrow(
      /expected at most 10 bytes at .*big, but it has 20\./,
    );
    expect(await readBytes(path, { maxBytes: 20 })).toEqual(new Uint8Array(20));
    await expect(readBytes(path, { maxBytes: -1 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(readBytes(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('an HDF5 file that is read in place', async () => {
    const path = join(folder, 'big.h5');
    writeFileSync(path, Buffer.concat([Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), new Uint8Array(5000)]));
    expect(await loads(path, { maxBytes: 1000 })).toBe('OUT_OF_RANGE');
  });

  test.runIf(existsSync('/dev/zero'))('a device', async () => {
    const before = process.memoryUsage.rss();
    await expect(readBytes('/dev/zero', { maxBytes })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await expect(readBytes('/dev/zero', { signal: AbortSignal.timeout(1) })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(process.memoryUsage.rss() - before).toBeLessThan(500e6);
    await expect(readBytes('/proc/self/status')).resolves.toHaveProperty('0');
  });

  test.runIf(process.platform !== 'win32')('a pipe, with and without a writer', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const writer = spawn('sh', ['-c', `while :; do printf 0123456789; done > '${path}'`], { stdio: 'ignore' });
    const ended = once(writer, 'exit');
    await expect(readBytes(path, { maxBytes: 1000 })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    writer.kill('SIGKILL');
    await ended;
    await expect(readBytes(path, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ code: 'ABORTED' });
    spawn('sh', ['-c', `printf 0123456789 > '${path}'`], { stdio: 'ignore' });
    expect(await readBytes(path)).toEqual(new TextEncoder().encode('0123456789'));
  });
});
