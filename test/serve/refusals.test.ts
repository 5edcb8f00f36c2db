// What the service refuses: every bad request has a status of its own, a code and a reason, and nothing of the server.
import { memory } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBackend } from '../../src/index.ts';
import { serveModel, type AnswerReport, type ModelService } from '../../src/node.ts';
import { ask, openRaw, parseRaw, post, rawHeaders, type Received } from './requests.ts';
import { picture, pictureModel, until } from './served.ts';

const maxBytes = 200_000;
const reports: AnswerReport[] = [];
let service: ModelService;
let url = '';
let good: Uint8Array<ArrayBuffer>;
let tensors = 0;

beforeAll(async () => {
  await useBackend('cpu');
  const model = await pictureModel();
  good = await picture();
  const onAnswer = (report: AnswerReport): void => void reports.push(report);
  service = await serveModel(model, { port: 0, maxBytes, maxSeconds: 0.6, onAnswer });
  url = service.url;
  tensors = memory().numTensors;
});

afterAll(async () => {
  expect((await post(url, good)).status, 'it still serves').toBe(200);
  expect(memory().numTensors).toBe(tensors);
  await service.close();
  expect(reports.filter(({ error }) => error !== undefined)).toEqual([]);
});

/** Asserts a refusal with a reason that names nothing of the server. */
function expectRefusal({ status, body, headers }: Received, expected: number, code: string): void {
  expect({ status, body }).toMatchObject({ status: expected, body: { error: { code } } });
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  const { message } = (body as { error: { message: string } }).error;
  expect(message).toMatch(/\w+ \w+/);
  expect(message).not.toMatch(/\n|node_modules|file:|\.ts\b|transferkit\]/);
  expect(message).not.toContain(process.cwd());
}

const image = { 'Content-Type': 'image/png' };

describe('requests', () => {
  test.each([
    ['GET', '/predict', 'POST'],
    ['PUT', '/predict', 'POST'],
    ['OPTIONS', '/predict', 'POST'],
    ['POST', '/health', 'GET, HEAD'],
    ['DELETE', '/health', 'GET, HEAD'],
  ])('%s %s is refused, with the methods that are allowed', async (method, path, allowed) => {
    const answer = await ask(`${url}${path}`, { method });
    expectRefusal(answer, 405, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.allow).toBe(allowed);
  });

  test.each(['/', '/predict/', '/predictions', '/../predict/x', '/health/1', '/%70redict'])(
    'the path %s is unknown',
    async (path) => {
      expectRefusal(await ask(`${url}${path}`), 404, 'UNKNOWN_PATH');
    },
  );

  test.each([
    ['none', {}],
    ['text', { 'Content-Type': 'text/plain' }],
    ['JSON', { 'Content-Type': 'application/json' }],
    ['a form', { 'Content-Type': 'multipart/form-data; boundary=x' }],
    ['a list', { 'Content-Type': 'text/plain, image/png' }],
    ['a coding', { ...image, 'Content-Encoding': 'gzip' }],
  ])('the type: %s', async (_, headers: Record<string, string>) => {
    // A Blob without a type sets none.
    expectRefusal(await post(url, new Blob([good]), { headers }), 415, 'UNSUPPORTED_TYPE');
  });

  test('a query', async () => {
    const answer = await ask(`${url}/predict?input=/etc/passwd`, { method: 'POST', headers: image, body: good });
    expectRefusal(answer, 400, 'BAD_REQUEST');
  });
});

describe('pictures', () => {
  test.each<[string, () => Promise<BodyInit> | BodyInit]>([
    ['nothing', () => ''],
    ['garbage', () => new Uint8Array(5000).map((_, i) => (i * 7919) % 251)],
    ['a path', () => import.meta.filename],
    ['a path in JSON', () => JSON.stringify('/etc/passwd')],
    ['an address', () => `${url}/health`],
    ['a data: address', () => 'data:image/png;base64,iVBORw0KGgo='],
    ['a JPEG that is cut off', () => good.slice(0, good.length / 2)],
    ['a PNG with a damaged header', async () => (await picture('#123456', 'png')).fill(255, 16, 24)],
    ['SVG', () => '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>'],
  ])('%s', async (_, make) => {
    expectRefusal(await post(url, await make()), 422, 'UNREADABLE');
  });

  test('too many pixels', async () => {
    const huge = await picture('#123456', 'png');
    huge.set([0, 1, 0, 0, 0, 1, 0, 0], 16); // 65536 x 65536
    const answer = await post(url, huge);
    expectRefusal(answer, 422, 'UNREADABLE');
    expect(JSON.stringify(answer.body)).toContain('4294967296 pixels');
  });

  test('too many bytes, by the header', async () => {
    expectRefusal(await post(url, new Uint8Array(maxBytes + 1)), 413, 'CONTENT_TOO_LARGE');
  });

  test('fifty megabytes: the client can send them all, and reads why they are refused', async () => {
    expectRefusal(await post(url, new Uint8Array(50_000_000)), 413, 'CONTENT_TOO_LARGE');
  });

  test('a body in chunks without an end', async () => {
    const raw = openRaw(url);
    raw.write(rawHeaders(url, 'Transfer-Encoding: chunked'));
    const timer = setInterval(() => {
      raw.write(`2000\r\n${'x'.repeat(0x2000)}\r\n`);
    }, 2);
    const text = await raw.received();
    clearInterval(timer);
    expectRefusal(parseRaw(text), 413, 'CONTENT_TOO_LARGE');
  });

  test('chunks of one byte each are a picture', async () => {
    const raw = openRaw(url);
    raw.write(rawHeaders(url, 'Transfer-Encoding: chunked', 'Connection: close'));
    for (const byte of good) raw.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]));
    raw.write('0\r\n\r\n');
    expect(parseRaw(await raw.received()).status).toBe(200);
  });
});

describe('connections', () => {
  test('bytes that are no HTTP', async () => {
    const raw = openRaw(url);
    raw.write(Buffer.from(good));
    expectRefusal(parseRaw(await raw.received()), 400, 'BAD_REQUEST');
  });

  test('a damaged chunk', async () => {
    const raw = openRaw(url);
    raw.write(`${rawHeaders(url, 'Transfer-Encoding: chunked')}zz\r\n`);
    expectRefusal(parseRaw(await raw.received()), 400, 'BAD_REQUEST');
  });

  test('a length and chunks', async () => {
    const raw = openRaw(url);
    raw.write(`${rawHeaders(url, 'Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`);
    expectRefusal(parseRaw(await raw.received()), 400, 'BAD_REQUEST');
  });

  test('long headers', async () => {
    const raw = openRaw(url);
    raw.write(rawHeaders(url, `X-Long: ${'x'.repeat(20_000)}`));
    expectRefusal(parseRaw(await raw.received()), 431, 'HEADERS_TOO_LARGE');
  });

  test('headers that do not end', async () => {
    const raw = openRaw(url);
    raw.write('POST /predict HTTP/1.1\r\nHost: localhost\r\n');
    expectRefusal(parseRaw(await raw.received()), 408, 'TIMEOUT');
  });

  test('a body that arrives too slowly', async () => {
    const raw = openRaw(url);
    raw.write(rawHeaders(url, 'Content-Length: 1000'));
    const timer = setInterval(() => {
      raw.write('x');
    }, 50);
    const text = await raw.received();
    clearInterval(timer);
    expectRefusal(parseRaw(text), 408, 'TIMEOUT');
  });

  test('a tunnel', async () => {
    const raw = openRaw(url);
    raw.write('CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expectRefusal(parseRaw(await raw.received()), 405, 'METHOD_NOT_ALLOWED');
  });

  test('a client that hangs up in the middle of a picture is no failure', async () => {
    const raw = openRaw(url);
    raw.write(`${rawHeaders(url, 'Content-Length: 1000')}xxx`);
    const before = reports.length;
    setTimeout(() => raw.socket.resetAndDestroy(), 50);
    await until(() => reports.length > before);
    expect(reports.at(-1)).toMatchObject({ status: undefined, path: '/predict' });
  });

  test('a client that waits to be asked for its picture', async () => {
    const large = openRaw(url);
    large.write(rawHeaders(url, 'Expect: 100-continue', `Content-Length: ${String(maxBytes + 1)}`));
    const text = await large.received();
    expect(text).not.toContain('100 Continue');
    expectRefusal(parseRaw(text), 413, 'CONTENT_TOO_LARGE');

    const small = openRaw(url);
    small.write(rawHeaders(url, 'Expect: 100-continue', `Content-Length: ${String(good.length)}`, 'Connection: close'));
    await small.received(/100 Continue/);
    small.write(good);
    expect(parseRaw(await small.received()).status).toBe(200);
  });
});

describe('the header Host', () => {
  const request = (...hosts: string[]): string =>
    `GET /health HTTP/1.1\r\n${hosts.map((host) => `Host: ${host}\r\n`).join('')}Connection: close\r\n\r\n`;

  test.each([
    'evil.example',
    'evil.example:80',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'a@localhost',
    '',
    '[::1',
  ])("'%s' is refused", async (host) => {
    const raw = openRaw(url);
    raw.write(request(host));
    expectRefusal(parseRaw(await raw.received()), 421, 'HOST_NOT_ALLOWED');
  });

  test('two of them, or none', async () => {
    const two = openRaw(url);
    two.write(request('localhost', 'evil.example'));
    expectRefusal(parseRaw(await two.received()), 421, 'HOST_NOT_ALLOWED');
    const none = openRaw(url);
    none.write(request());
    expect(parseRaw(await none.received()).status).toBe(400);
    const old = openRaw(url);
    old.write('GET /health HTTP/1.0\r\n\r\n');
    expectRefusal(parseRaw(await old.received()), 421, 'HOST_NOT_ALLOWED');
  });

  test.each(['localhost', 'LOCALHOST:9', 'localhost.', 'app.localhost', '127.0.0.1:80', '192.168.0.7', '[::1]:80'])(
    "'%s' is served",
    async (host) => {
      const raw = openRaw(url);
      raw.write(request(host));
      expect(parseRaw(await raw.received()).status).toBe(200);
    },
  );
});
