// Requests that are no HTTP, and the rest of requests that were refused early.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { asRawHttp, refuse, type Answer } from './answer.ts';

/** Milliseconds that a refused connection has left to read its answer. */
const farewell = 1000;

/** Answers what the server cannot parse, and tunnels. */
export function refuseMalformed(server: Server, refused: (answer: Answer) => void): void {
  const answer = (socket: Duplex, refusal: Answer, phrase: string): void => {
    if (socket.writableEnded || socket.destroyed) return;
    refused(refusal);
    // Not destroyed at once: what has arrived and was not read would reset the connection before the answer is read.
    socket.end(asRawHttp(refusal, phrase));
    setTimeout(() => socket.destroy(), farewell);
  };
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || hasBegunAnswer(socket)) socket.destroy();
    else answer(socket, ...refusalFor(error.code));
  });
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    const headers = { Allow: 'GET, HEAD, POST' };
    answer(socket, refuse(405, 'METHOD_NOT_ALLOWED', 'expected GET, HEAD or POST.', { headers }), 'Method Not Allowed');
  });
}

/** Connections that are accepted before a computation if they wait: a flood of them must not hold it up. */
const fewest = 4;
/** Milliseconds in which more are accepted. */
const acceptingTime = 10;

/**
 * Makes a function that waits until the connections that wait are accepted. Node accepts one in each pass of its event
 * loop, and a computation holds up a pass: without this, as many connections as pictures would be accepted.
 */
export function acceptance(server: Server): () => Promise<void> {
  let accepted = 0;
  server.on('connection', () => {
    accepted++;
  });
  return async () => {
    const end = performance.now() + acceptingTime;
    const mayGoOn = (passes: number): boolean => passes < fewest || performance.now() < end;
    for (let before = -1, passes = 0; before !== accepted && mayGoOn(passes); passes++) {
      before = accepted;
      // The first one may end the pass that this was called in, after its connection was accepted.
      await nextPass();
      await nextPass();
    }
  };
}

function nextPass(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function refusalFor(code: string | undefined): [refusal: Answer, phrase: string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [refuse(431, 'HEADERS_TOO_LARGE', 'expected shorter headers.'), 'Request Header Fields Too Large'];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [refuse(408, 'TIMEOUT', 'expected the headers of a request sooner.'), 'Request Timeout'];
    default:
      return [refuse(400, 'BAD_REQUEST', 'expected a valid request of HTTP/1.1.'), 'Bad Request'];
  }
}

/** Whether an answer is on its way already, which further bytes would damage. Node keeps it here, and asks the same. */
function hasBegunAnswer(socket: Duplex): boolean {
  const message: unknown = Reflect.get(socket, '_httpMessage');
  return typeof message === 'object' && message !== null && Reflect.get(message, '_headerSent') === true;
}

/**
 * Reads and discards what is left of a request that has its answer, so that the client can read it: a connection that is
 * closed while bytes arrive is reset. After some seconds it is closed all the same.
 */
export function discardRest(request: IncomingMessage, seconds: number): void {
  if (request.complete) return;
  const timer = setTimeout(() => request.socket.destroy(), seconds * 1000);
  request.on('close', () => {
    clearTimeout(timer);
  });
  request.resume();
}
