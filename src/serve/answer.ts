// Answers of the service: JSON with a status. Refusals have a code and a reason.
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Codes of refusals that are about the request, beside `UNREADABLE` for its picture. */
export type RefusalCode =
  | 'BAD_REQUEST'
  | 'CONTENT_TOO_LARGE'
  | 'HEADERS_TOO_LARGE'
  | 'HOST_NOT_ALLOWED'
  | 'INTERNAL'
  | 'METHOD_NOT_ALLOWED'
  | 'OVERLOADED'
  | 'STOPPING'
  | 'TIMEOUT'
  | 'UNKNOWN_PATH'
  | 'UNREADABLE'
  | 'UNSUPPORTED_TYPE';

/** An answer before it is sent. */
export interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Code of a refusal. */
  readonly code?: RefusalCode;
  /** What the service failed with, for its owner alone. */
  readonly error?: unknown;
}

/** What `onAnswer` receives. */
export interface AnswerReport {
  /** HTTP status; undefined if the client hung up before it had an answer. */
  readonly status: number | undefined;
  /** Code of a refusal, as in its JSON. */
  readonly code?: string;
  /** Method and path as received, at most 200 characters; empty for requests that are no HTTP. */
  readonly method: string;
  readonly path: string;
  /** Bytes of the picture. */
  readonly bytes: number;
  /** Seconds since the headers of the request arrived. */
  readonly seconds: number;
  /** With status 500: what the service failed with. */
  readonly error?: unknown;
}

/** An answer that refuses, with the reason. */
export function refuse(
  status: number,
  code: RefusalCode,
  reason: string,
  rest: Pick<Answer, 'headers' | 'error'> = {},
): Answer {
  return { status, code, body: { error: { code, message: reason } }, ...rest };
}

/** A refusal that may succeed later. */
export function refuseForNow(code: RefusalCode, reason: string): Answer {
  return refuse(503, code, reason, { headers: { 'Retry-After': '1' } });
}

const always = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/** Sends an answer; the answer to `HEAD` has no body. */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, headers }: Answer,
  further: Readonly<Record<string, string>>,
): void {
  const text = status === 204 ? '' : textOf(body);
  response.writeHead(status, {
    ...always,
    'Content-Length': String(Buffer.byteLength(text)),
    ...further,
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** An answer as the bytes of HTTP, for connections that never became a request. The connection ends with it. */
export function asRawHttp({ status, body, headers }: Answer, phrase: string): string {
  const text = textOf(body);
  const lines = Object.entries({
    ...always,
    'Content-Length': String(Buffer.byteLength(text)),
    Connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  return `HTTP/1.1 ${String(status)} ${phrase}\r\n${lines.join('\r\n')}\r\n\r\n${text}`;
}

function textOf(body: object): string {
  return `${JSON.stringify(body)}\n`;
}
