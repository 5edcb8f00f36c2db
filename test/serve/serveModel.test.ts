// The service: its answers, its limits on work, and its end.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  definePreprocessor,
  loadBase,
  predict,
  replaceHead,
  save,
  useBackend,
  type TransferModel,
} from '../../src/index.ts';
import { serveModel, type AnswerReport } from '../../src/node.ts';
import { expectNoLeak, raisedBy } from '../support/tensors.ts';
import { tinyTransfer } from '../support/tinyTask.ts';
import { tinyModel } from '../support/tinyModel.ts';
import { ask, openRaw, parseRaw, post, rawHeaders } from './requests.ts';
import { gate, picture, pictureModel, until, whileServed } from './served.ts';

let model: TransferModel<'classes'>;
let good: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  await useBackend('cpu');
  model = await pictureModel();
  good = await picture();
});

describe('answers', () => {
  test.each(['jpeg', 'png', 'webp'] as const)('to a %s: what predict gives for its bytes', async (format) => {
    const bytes = await picture('#3060d0', format);
    const predictions = await predict(model, bytes);
    await whileServed(model, {}, async (url) => {
      for (const type of [`image/${format}`, 'application/octet-stream', 'IMAGE/JPEG; quality=1']) {
        const { status, body } = await post(url, bytes, { headers: { 'Content-Type': type } });
        expect({ status, body }).toEqual({ status: 200, body: { predictions } });
      }
    });
  });

  test('as many labels as topK', async () => {
    await whileServed(model, { topK: 1 }, async (url) => {
      const { body } = await post(url, good);
      expect(body).toEqual({ predictions: await predict(model, good, { topK: 1 }) });
    });
  });

  test('of several heads, by name', async () => {
    const source = tinyModel();
    const base = await loadBase(source, { cut: 'relu2', preprocess: 'unit' });
    source.dispose();
    const several = replaceHead(base, { heads: { kind: { labels: ['a', 'b'] }, age: { task: 'regression' } } });
    const service = await serveModel(several, { port: 0 });
    expect((await post(service.url, good)).body).toEqual({ predictions: await predict(several, good) });
    await service.close();
    several.dispose();
  });

  test('to many at once are those of each alone', async () => {
    const colours = Array.from({ length: 20 }, (_, i) => `#${String(100000 + i * 40000)}`);
    const pictures = await Promise.all(colours.map((colour) => picture(colour)));
    const alone = await Promise.all(pictures.map((bytes) => predict(model, bytes)));
    await whileServed(model, {}, async (url) => {
      const answers = await Promise.all(pictures.map((bytes) => post(url, bytes)));
      expect(answers.map(({ body }) => body)).toEqual(alone.map((predictions) => ({ predictions })));
    });
  });

  test('about its health', async () => {
    await whileServed(model, {}, async (url) => {
      const { status, body, headers } = await ask(`${url}/health?t=1`);
      expect({ status, body }).toEqual({ status: 200, body: { status: 'ok', running: 0, waiting: 0 } });
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
      expect(await ask(`${url}/health`, { method: 'HEAD' })).toMatchObject({ status: 200, body: undefined });
    });
  });
});

describe('a model by its path', () => {
  test('is loaded, and freed at the end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'transferkit-serve-'));
    try {
      await save(model, folder);
      const before = tf.memory().numTensors;
      const service = await serveModel(folder, { port: 0, pictures: { maxPixels: 1600 } });
      expect((await post(service.url, good)).body).toEqual({ predictions: await predict(model, good) });
      expect((await post(service.url, await picture('#fff', 'png', 41))).status).toBe(422);
      await service.close();
      expect(tf.memory().numTensors).toBe(before);
      const { port } = new URL(service.url);
      await whileServed(model, { port: Number(port) }, async () => {
        expect(await raisedBy(() => serveModel(folder, { port: Number(port) }))).toMatchObject({
          code: 'INVALID_OPTION',
          raisedBy: 'serveModel',
          details: { port: Number(port), reason: 'EADDRINUSE' },
        });
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('that is missing', async () => {
    expect(await raisedBy(() => serveModel('no-such-folder'))).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('does not start', () => {
  test.each<[string, object]>([
    ['a port beyond 65535', { port: 65536 }],
    ['a port that is a text', { port: '80' }],
    ['an empty host', { host: '' }],
    ['no time', { maxSeconds: 0 }],
    ['endless time', { maxSeconds: Infinity }],
    ['no picture at once', { parallel: 0 }],
    ['half a picture in the queue', { queue: 0.5 }],
    ['no bytes', { maxBytes: 0 }],
    ['no labels', { topK: 0 }],
    ['an origin with a path', { allowOrigin: 'https://example.org/' }],
    ['a host with a scheme', { allowHosts: ['http://example.org'] }],
    ['a signal that is none', { signal: {} }],
    ['a log that is none', { onAnswer: 'console' }],
    ['limits of pictures for a model in memory', { pictures: { maxPixels: 1 } }],
    ['an address of another computer', { host: '192.0.2.1' }],
    ['a port that is not ours', { host: 'no such host' }],
  ])('with %s', async (_, options) => {
    expect(await raisedBy(() => serveModel(model, { port: 0, ...options }))).toMatchObject({
      code: 'INVALID_OPTION',
      raisedBy: 'serveModel',
    });
  });

  test('for a model whose inputs are tensors', async () => {
    const tensors = await tinyTransfer();
    expect(await raisedBy(() => serveModel(tensors, { port: 0 }))).toMatchObject({ details: { kind: 'tensor' } });
    tensors.dispose();
  });

  test('with a signal that was aborted, or a model that was freed', async () => {
    const signal = AbortSignal.abort();
    expect(await raisedBy(() => serveModel(model, { port: 0, signal }))).toMatchObject({ code: 'ABORTED' });
    const freed = await pictureModel();
    freed.dispose();
    expect(await raisedBy(() => serveModel(freed, { port: 0 }))).toMatchObject({ code: 'DISPOSED' });
  });
});

describe('limits', () => {
  test('more pictures than may run and wait: 503 at once; the others get their answers', async () => {
    const door = gate();
    const slow = await pictureModel(door.preprocess);
    await whileServed(slow, { parallel: 2, queue: 3 }, async (url) => {
      door.close();
      const asked = Array.from({ length: 5 }, () => post(url, good));
      await until(() => door.inside() === 2);
      await vi.waitFor(async () => {
        expect((await ask(`${url}/health`)).body).toEqual({ status: 'ok', running: 2, waiting: 3 });
      });
      const refused = await post(url, good);
      expect(refused).toMatchObject({ status: 503, body: { error: { code: 'OVERLOADED' } } });
      expect(refused.headers['retry-after']).toBe('1');
      door.open();
      expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      expect((await post(url, good)).status).toBe(200);
    });
    slow.dispose();
  });

  test('a picture that waits too long, and one that nobody waits for', async () => {
    const door = gate();
    const slow = await pictureModel(door.preprocess);
    await whileServed(slow, { parallel: 1, maxSeconds: 0.2 }, async (url) => {
      door.close();
      const first = post(url, good);
      await until(() => door.inside() === 1);
      const late = post(url, good);
      const left = new AbortController();
      const gone = post(url, good, { signal: left.signal }).catch(() => 'gone');
      await new Promise((resolve) => setTimeout(resolve, 300));
      left.abort();
      expect(await gone).toBe('gone');
      door.open();
      expect((await first).status).toBe(200);
      expect(await late).toMatchObject({ status: 503, body: { error: { code: 'OVERLOADED' } } });
    });
    expect(door.entered(), 'the first, and the one at the start of the service').toBe(2);
    slow.dispose();
  });

  test('a computation may take longer than a request may', async () => {
    const door = gate();
    const slow = await pictureModel(door.preprocess);
    await whileServed(slow, { maxSeconds: 0.1 }, async (url) => {
      door.close();
      const asked = post(url, good);
      await new Promise((resolve) => setTimeout(resolve, 900));
      door.open();
      expect((await asked).status).toBe(200);
    });
    slow.dispose();
  });

  test('new connections are accepted between two computations, however many they are', async () => {
    const blocks = (): tf.Tensor => {
      const end = performance.now() + 20;
      while (performance.now() < end);
      return tf.zeros([16, 16, 3]);
    };
    const busy = await pictureModel(definePreprocessor({ name: 'blocks', apply: blocks }));
    let computed = 0;
    const count = ({ path }: AnswerReport): void => {
      if (path === '/predict') computed++;
    };
    await whileServed(busy, { onAnswer: count }, async (url) => {
      let isOver = false;
      const work = async (): Promise<void> => {
        while (!isOver) await post(url, good);
      };
      const workers = Array.from({ length: 8 }, work);
      await until(() => computed > 16);
      const before = computed;
      const connections = Array.from({ length: 40 }, () => openRaw(url));
      for (const each of connections)
        each.write('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      await Promise.all(connections.map((each) => each.received()));
      const meanwhile = computed - before;
      isOver = true;
      await Promise.all(workers);
      expect(meanwhile).toBeLessThan(80);
    });
    busy.dispose();
  });

  test('pictures that arrive slowly hold a bounded number of bytes, and free them', async () => {
    const maxBytes = 20_000;
    await whileServed(model, { maxBytes }, async (url) => {
      const slow = Array.from({ length: 8 }, () => openRaw(url));
      for (const each of slow)
        each.write(Buffer.concat([Buffer.from(rawHeaders(url, 'Content-Length: 20000')), Buffer.alloc(19_000)]));
      await vi.waitFor(async () => {
        expect(await post(url, good)).toMatchObject({ status: 503, body: { error: { code: 'OVERLOADED' } } });
      });
      for (const each of slow) each.socket.destroy();
      await vi.waitFor(async () => {
        expect((await post(url, good)).status).toBe(200);
      });
    });
  });

  test('pages of other origins are answered only if they are allowed', async () => {
    const preflight = { method: 'OPTIONS', headers: { 'Access-Control-Request-Method': 'POST' } };
    const cors = async (allowOrigin: string | string[], origin: string) => {
      let found: unknown;
      await whileServed(model, { allowOrigin }, async (url) => {
        const headers = { Origin: origin, 'Content-Type': 'image/jpeg' };
        const [asked, answer] = [await ask(`${url}/predict`, preflight), await post(url, good, { headers })];
        found = [asked.status, answer.status, answer.headers['access-control-allow-origin']];
      });
      return found;
    };
    expect(await cors('*', 'https://a.example')).toEqual([204, 200, '*']);
    expect(await cors(['https://a.example', 'https://b.example'], 'https://b.example')).toEqual([
      204,
      200,
      'https://b.example',
    ]);
    expect(await cors('https://a.example', 'https://b.example')).toEqual([204, 200, undefined]);
    expect(await cors([], 'https://a.example')).toEqual([405, 200, undefined]);
  });

  test('a name of its own', async () => {
    await whileServed(model, { allowHosts: ['Photos.example'] }, async (url) => {
      const raw = openRaw(url);
      raw.write('GET /health HTTP/1.1\r\nHost: photos.example:443\r\nConnection: close\r\n\r\n');
      expect(parseRaw(await raw.received()).status).toBe(200);
    });
  });
});

describe('the end', () => {
  test('waits for what was begun, refuses the rest, and closes idle connections', async () => {
    const door = gate();
    const slow = await pictureModel(door.preprocess);
    const service = await serveModel(slow, { port: 0, parallel: 1 });
    const idle = openRaw(service.url);
    idle.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await idle.received(/"ok"/);
    door.close();
    const asked = [post(service.url, good), post(service.url, good)];
    await until(() => door.inside() === 1);
    await vi.waitFor(async () => {
      expect((await ask(`${service.url}/health`)).body).toMatchObject({ waiting: 1 });
    });
    const ends = [service.close(), service.close()];
    await expect(post(service.url, good)).rejects.toThrow();
    await idle.received();
    door.open();
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200]);
    await Promise.all(ends);
    slow.dispose();
  });

  test('cuts off what does not finish', async () => {
    const service = await serveModel(model, { port: 0, maxSeconds: 0.3 });
    const raw = openRaw(service.url);
    raw.write(rawHeaders(service.url, 'Content-Length: 1000'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const unfinished = openRaw(service.url);
    unfinished.write('GET /hea');
    await service.close();
    await Promise.all([raw.received(), unfinished.received()]);
  });

  test('comes by a signal', async () => {
    const controller = new AbortController();
    const service = await serveModel(model, { port: 0, signal: controller.signal });
    expect((await post(service.url, good)).status).toBe(200);
    controller.abort();
    await service.close();
    await expect(post(service.url, good)).rejects.toThrow();
  });

  test('frees the port', async () => {
    const service = await serveModel(model, { port: 0 });
    await service.close();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(Number(new URL(service.url).port), '127.0.0.1', resolve));
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('onAnswer', () => {
  test('receives each answer', async () => {
    const reports: AnswerReport[] = [];
    await whileServed(model, { onAnswer: (report) => reports.push(report) }, async (url) => {
      await post(url, good);
      await ask(`${url}/${'x'.repeat(900)}`);
    });
    expect(reports).toMatchObject([
      { status: 200, method: 'POST', path: '/predict', bytes: good.length },
      { status: 404, code: 'UNKNOWN_PATH', method: 'GET', bytes: 0 },
    ]);
    expect(reports[1]!.path.length).toBeLessThan(250);
    expect(reports[0]!.seconds).toBeGreaterThan(0);
  });

  test('may fail', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    for (const onAnswer of [
      () => Promise.reject(new Error('log')),
      () => {
        throw new Error('log');
      },
    ]) {
      await whileServed(model, { onAnswer }, async (url) => {
        expect((await post(url, good)).status).toBe(200);
        expect((await post(url, good)).status).toBe(200);
      });
    }
    expect(warn.mock.calls.flat()).toEqual([
      expect.stringContaining('onAnswer failed'),
      expect.stringContaining('onAnswer failed'),
    ]);
    warn.mockRestore();
  });

  test('receives what the service failed with, which clients do not', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const reports: AnswerReport[] = [];
    for (const onAnswer of [undefined, (report: AnswerReport) => reports.push(report)]) {
      const served = await pictureModel();
      const service = await serveModel(served, { port: 0, ...(onAnswer && { onAnswer }) });
      served.dispose();
      const answer = await post(service.url, good);
      expect(answer).toMatchObject({ status: 500, body: { error: { code: 'INTERNAL' } } });
      expect(JSON.stringify(answer.body)).not.toContain('DISPOSED');
      await service.close();
    }
    expect(reports).toMatchObject([{ status: 500, code: 'INTERNAL', error: { code: 'DISPOSED' } }]);
    expect(warn.mock.calls.flat().filter((text) => String(text).includes('a request failed'))).toHaveLength(1);
    warn.mockRestore();
  });
});

test('nothing is left in memory', async () => {
  await whileServed(model, {}, async (url) => {
    await post(url, good);
    await expectNoLeak(async () => {
      await Promise.all(Array.from({ length: 30 }, (_, i) => post(url, i % 2 === 0 ? good : good.slice(0, 300))));
    });
  });
});
