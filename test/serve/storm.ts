// Many clients at once, most of them bad ones, and what each of them was answered.
import { Agent, request } from 'node:http';
import { ask, openRaw, parseRaw, post, rawHeaders, type Received } from './requests.ts';

/** What a storm has found. */
export interface StormReport {
  /** Number of requests by kind and status. */
  readonly answers: Readonly<Record<string, number>>;
  /** Answers that a kind must not get, and answers without a reason. */
  readonly unexpected: readonly string[];
  /** Milliseconds until the answers to good pictures, ascending. */
  readonly milliseconds: readonly number[];
}

/** One kind of client. */
interface Kind {
  readonly name: string;
  readonly expected: readonly number[];
  readonly ask: (url: string) => Promise<Received | undefined>;
}

/** A picture that takes more than the service accepts. */
const large = new Uint8Array(50_000_000);

/** The kinds of clients; sixteen of them are in the storm. */
function kindsOf(good: Uint8Array): Kind[] {
  // The service may always have too much to do.
  const kind = (name: string, expected: number, ask: Kind['ask'], ...or: number[]): Kind => ({
    name,
    expected: [expected, ...or, 503],
    ask,
  });
  const garbage = new Uint8Array(30_000).map((_, i) => (i * 7919) % 251);
  const type = (value: string): RequestInit => ({ headers: { 'Content-Type': value } });
  return [
    ...Array.from({ length: 7 }, () => kind('good', 200, keptConnection(good))),
    kind('garbage', 422, (url) => post(url, garbage)),
    kind('cut off', 422, (url) => post(url, good.slice(0, good.length / 2))),
    kind('text', 415, (url) => post(url, '/etc/passwd', type('text/plain'))),
    kind('wrong path', 404, (url) => ask(`${url}/${String(good.length)}`)),
    kind('50 MB', 413, (url) => post(url, large)),
    kind('without end', 413, endless, 408), // whichever limit comes first

    kind('slow', 408, slow),
    kind('hangs up', 0, hangUp),
    kind('no HTTP', 400, noHttp),
  ];
}

/** Lets sixteen clients, or those of some kinds, ask a service for some seconds. */
export async function storm(
  url: string,
  good: Uint8Array,
  seconds: number,
  names?: readonly string[],
): Promise<StormReport> {
  const answers: Record<string, number> = {};
  const unexpected: string[] = [];
  const milliseconds: number[] = [];
  const end = performance.now() + seconds * 1000;
  const client = async ({ name, expected, ask }: Kind): Promise<void> => {
    while (performance.now() < end) {
      const since = performance.now();
      const received = await ask(url).catch((error: unknown) => String(error));
      const status = typeof received === 'object' ? received.status : (received ?? 0);
      const key = `${name}: ${String(status)}`;
      answers[key] = (answers[key] ?? 0) + 1;
      if (typeof status === 'string' || !expected.includes(status) || !hasReason(received)) {
        unexpected.push(`${key} ${JSON.stringify(received)}`);
      }
      if (name === 'good' && status === 200) milliseconds.push(performance.now() - since);
    }
  };
  const kinds = kindsOf(good).filter(({ name }) => names?.includes(name) ?? true);
  await Promise.all(kinds.map(client));
  return { answers, unexpected, milliseconds: milliseconds.sort((a, b) => a - b) };
}

function hasReason(received: Received | string | undefined): boolean {
  if (typeof received !== 'object' || received.status === 200) return true;
  const { error } = received.body as { readonly error?: { readonly code: string; readonly message: string } };
  return error !== undefined && error.code !== '' && error.message.includes(' ');
}

/**
 * Sends a picture over a connection of its own, which is kept. `fetch` shares connections between all clients of a process: a
 * good picture would wait for a connection that a bad one has left in ruins.
 */
function keptConnection(good: Uint8Array): Kind['ask'] {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { 'Content-Type': 'image/jpeg', 'Content-Length': String(good.length) };
  return (url) =>
    new Promise((resolve, reject) => {
      const asked = request(`${url}/predict`, { method: 'POST', agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: {}, body: JSON.parse(text) as unknown });
        });
      });
      asked.on('error', reject);
      asked.end(good);
    });
}

/** Chunks until the answer is there. */
async function endless(url: string): Promise<Received> {
  const raw = openRaw(url);
  raw.write(rawHeaders(url, 'Transfer-Encoding: chunked'));
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  const write = (): void => {
    while (!raw.socket.destroyed && raw.socket.write(chunk));
  };
  raw.socket.on('drain', write);
  write();
  const text = await raw.received(/\}\n$/);
  raw.socket.destroy();
  return parseRaw(text);
}

/** A byte now and then. */
async function slow(url: string): Promise<Received> {
  const raw = openRaw(url);
  raw.write(rawHeaders(url, 'Content-Length: 1000000'));
  const timer = setInterval(() => {
    raw.write('x');
  }, 20);
  const text = await raw.received(/\}\n$/);
  clearInterval(timer);
  raw.socket.destroy();
  return parseRaw(text);
}

async function hangUp(url: string): Promise<undefined> {
  const raw = openRaw(url);
  raw.write(`${rawHeaders(url, 'Content-Length: 1000000')}${'x'.repeat(50_000)}`);
  await later(5);
  raw.socket.resetAndDestroy();
  await raw.received();
}

async function noHttp(url: string): Promise<Received> {
  const raw = openRaw(url);
  raw.write(new Uint8Array(2000).map((_, i) => (i * 31) % 256));
  return parseRaw(await raw.received());
}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
