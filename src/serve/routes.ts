// What the service answers to a request.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isTransferKitError, reasonOf } from '../core/errors.ts';
import { refuse, refuseForNow, type Answer } from './answer.ts';
import { preflightHeaders } from './cors.ts';
import { hostCheck } from './hosts.ts';
import { countMemory, readBody, type BodyLimits } from './readBody.ts';
import type { ServiceSettings } from './serviceOptions.ts';
import { refuseFull, waitingLine, type WaitingLine } from './waitingLine.ts';

/** Predictions for the bytes of a picture. Nothing else of a request reaches it: bytes can name no path and no address. */
export type PredictBytes = (picture: Uint8Array<ArrayBuffer>) => Promise<unknown>;

/** A request that is being answered. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Bytes of the picture, once they are known. */
  bytes: number;
}

/** Answers a request; undefined if the client hung up. */
export type AnswerTo = (exchange: Exchange) => Promise<Answer | undefined>;

interface Route {
  readonly methods: readonly string[];
  readonly answer: AnswerTo;
}

/**
 * Makes the function that answers requests.
 *
 * @param isStopping - Whether the service is about to end.
 */
export function routes(settings: ServiceSettings, predict: PredictBytes, isStopping: () => boolean): AnswerTo {
  const isHost = hostCheck([settings.host, ...settings.allowHosts]);
  const line = waitingLine(settings);
  const limits = { ...settings, memory: countMemory(8 * settings.maxBytes) };
  const known = new Map<string, Route>([
    ['/health', { methods: ['GET', 'HEAD'], answer: async () => health(line, isStopping()) }],
    ['/predict', { methods: ['POST'], answer: async (exchange) => predictions(exchange, line, limits, predict) }],
  ]);
  return async (exchange) => {
    const { request } = exchange;
    if (!isHost(request)) {
      const text = "expected an address, 'localhost' or an allowed name in the header Host. See the option allowHosts.";
      return refuse(421, 'HOST_NOT_ALLOWED', text);
    }
    const route = known.get(pathOf(request));
    if (route === undefined) return refuse(404, 'UNKNOWN_PATH', 'expected POST /predict or GET /health.');
    const { method = '' } = request;
    const methods = route.methods.join(', ');
    if (method === 'OPTIONS' && settings.allowOrigin.length > 0) {
      return { status: 204, body: {}, headers: preflightHeaders(methods) };
    }
    if (!route.methods.includes(method)) {
      return refuse(405, 'METHOD_NOT_ALLOWED', `expected ${methods}.`, { headers: { Allow: methods } });
    }
    if (isStopping() && method === 'POST') return refuseForNow('STOPPING', 'the service is about to end.');
    return route.answer(exchange);
  };
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

function health({ running, waiting }: WaitingLine, isStopping: boolean): Answer {
  return isStopping
    ? { status: 503, body: { status: 'stopping', running, waiting } }
    : { status: 200, body: { status: 'ok', running, waiting } };
}

async function predictions(
  exchange: Exchange,
  line: WaitingLine,
  limits: BodyLimits,
  predict: PredictBytes,
): Promise<Answer | undefined> {
  const { request, response } = exchange;
  const refusal = refusalOf(request) ?? (line.isFull ? refuseFull() : undefined);
  if (refusal !== undefined) return refusal;
  if (request.headers.expect !== undefined && Number(request.headers['content-length'] ?? 0) <= limits.maxBytes) {
    response.writeContinue();
  }
  const body = await readBody(request, limits);
  if (body === undefined || 'status' in body) return body;
  exchange.bytes = body.bytes.length;
  try {
    return await line.work(
      async () => predicted(body.bytes, predict),
      () => !response.destroyed && !request.socket.destroyed,
    );
  } finally {
    body.release();
  }
}

/** What the headers and the address of a request are refused for. */
function refusalOf({ url = '', headers }: IncomingMessage): Answer | undefined {
  if (url.includes('?')) return refuse(400, 'BAD_REQUEST', 'expected no query: the body is the picture.');
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!/^(image\/.+|application\/octet-stream)$/.test(type)) {
    const text =
      'expected the bytes of one picture with Content-Type image/* or application/octet-stream, such as: ' +
      'curl --data-binary @photo.jpg -H "Content-Type: image/jpeg" …';
    return refuse(415, 'UNSUPPORTED_TYPE', text);
  }
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding !== 'identity') {
    return refuse(415, 'UNSUPPORTED_TYPE', 'expected a picture without Content-Encoding.');
  }
  return undefined;
}

async function predicted(picture: Uint8Array<ArrayBuffer>, predict: PredictBytes): Promise<Answer> {
  try {
    return { status: 200, body: { predictions: await predict(picture) } };
  } catch (error) {
    if (isTransferKitError(error, 'UNREADABLE')) return refuse(422, 'UNREADABLE', reasonOf(error));
    return refuse(500, 'INTERNAL', 'the service failed to compute this picture.', { error });
  }
}
