// Requests to a service, by fetch and byte by byte.
import { connect, type Socket } from 'node:net';

/** An answer as received. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Sends bytes as one picture, or what `init` says. */
export async function post(url: string, body: BodyInit | Uint8Array, init: RequestInit = {}): Promise<Received> {
  return ask(`${url}/predict`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/jpeg' },
    body: body as BodyInit, // Typed arrays are bodies; the types of Node 20 take some of them only.
    ...init,
  });
}

/** Any request. */
export async function ask(address: string, init: RequestInit = {}): Promise<Received> {
  const response = await fetch(address, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
  };
}

/** A connection that is written to by hand. */
export interface RawConnection {
  readonly socket: Socket;
  write(bytes: string | Uint8Array): void;
  /** Waits for the end of the connection, or until what was received matches. */
  received(until?: RegExp): Promise<string>;
}

/** Opens one. A reset counts as its end. */
export function openRaw(url: string): RawConnection {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  let isOver = false;
  let look = (): void => undefined;
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    look();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isOver = true;
    look();
  });
  return {
    socket,
    write: (bytes) => {
      if (!socket.destroyed) socket.write(bytes);
    },
    received: (until = /(?!)/) =>
      new Promise((resolve) => {
        look = () => {
          if (isOver || until.test(text)) resolve(text);
        };
        look();
      }),
  };
}

/** The headers of a request for predictions; `more` are further lines. */
export function rawHeaders(url: string, ...more: string[]): string {
  const lines = [`Host: ${new URL(url).host}`, 'Content-Type: image/jpeg', ...more];
  return `POST /predict HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** Status and JSON of the last answer in received text. */
export function parseRaw(text: string): Received {
  const [head = '', body = ''] = text.slice(text.lastIndexOf('HTTP/1.1 ')).split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => line.toLowerCase().split(': ') as [string, string]));
  return {
    status: Number(first.split(' ')[1]),
    headers,
    body: body === '' ? undefined : (JSON.parse(body) as unknown),
  };
}
