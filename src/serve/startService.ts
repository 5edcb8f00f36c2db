// The service: an HTTP server that listens, answers and ends.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import { TransferKitError } from '../core/errors.ts';
import { pause } from '../core/pause.ts';
import { shorten } from '../core/shown.ts';
import { warnOnce } from '../core/warnOnce.ts';
import { refuse, send, type Answer, type AnswerReport } from './answer.ts';
import { acceptance, discardRest, refuseMalformed } from './connections.ts';
import { corsHeaders } from './cors.ts';
import { routes, type Exchange, type PredictBytes } from './routes.ts';
import type { ServiceSettings } from './serviceOptions.ts';

/** A service that runs. */
export interface ModelService {
  /** Address that it listens on, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /**
   * Ends the service: no further requests, answers to those that have begun, then all connections are closed. Requests that
   * are not finished after `maxSeconds` are cut off. May be called again, and then waits for the same end.
   */
  close(): Promise<void>;
}

/** Connections beyond these are closed at once. */
const maxConnections = 512;
/** Silent connections are closed after this time, or later. */
const silentSeconds = 120;
/** Headers of a request take at most this time. */
const headerSeconds = 10;

/**
 * Starts a service.
 *
 * @throws TransferKitError `INVALID_OPTION` for a port or host that cannot be used.
 */
export async function startService(settings: ServiceSettings, predict: PredictBytes): Promise<ModelService> {
  const { maxSeconds } = settings;
  const running = new Set<Promise<unknown>>();
  let ended: Promise<void> | undefined;
  const server = createServer({
    headersTimeout: Math.min(headerSeconds, maxSeconds) * 1000,
    // Bodies have a timer of their own, which also runs while the service ends.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(1000, maxSeconds * 500),
  });
  server.maxConnections = maxConnections;
  // A client that neither sends nor reads: long, since nothing is sent during a computation either.
  server.timeout = Math.max(silentSeconds, 4 * maxSeconds) * 1000;
  const acceptAll = acceptance(server);
  const predictInTurn: PredictBytes = async (picture) => {
    await acceptAll();
    return predict(picture);
  };
  const report = reporter(server, settings);
  const answerTo = routes(settings, predictInTurn, () => ended !== undefined);
  const cors = corsHeaders(settings.allowOrigin);

  const handle = async (exchange: Exchange): Promise<void> => {
    const { request, response } = exchange;
    const begin = performance.now();
    const answer = await answerTo(exchange).catch((error: unknown) =>
      refuse(500, 'INTERNAL', 'the service failed.', { error }),
    );
    const isSent = answer !== undefined && !response.destroyed;
    if (isSent) {
      // A client that waits to be asked for its body gets this answer instead, and may not send it any more.
      const isLast = ended !== undefined || (request.headers.expect !== undefined && !request.complete);
      send(request, response, answer, { ...cors(request), ...(isLast ? { Connection: 'close' } : {}) });
      discardRest(request, maxSeconds);
    }
    const seconds = (performance.now() - begin) / 1000;
    report(request, isSent ? answer : undefined, { bytes: exchange.bytes, seconds });
  };
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    const left = new Promise((resolve) => response.on('close', resolve));
    const work = Promise.all([handle({ request, response, bytes: 0 }), left]).finally(() => running.delete(work));
    running.add(work);
  };
  server.on('request', begin).on('checkContinue', begin);
  refuseMalformed(server, (answer) => {
    report(undefined, answer, { bytes: 0, seconds: 0 });
  });

  const end = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    const finished = new AbortController();
    const all = Promise.all(running).finally(() => {
      finished.abort();
    });
    await Promise.race([all, pause(maxSeconds * 1000, [finished.signal])]);
    server.closeAllConnections();
    await closed;
  };
  const url = await listen(server, settings);
  return { url, close: async () => (ended ??= end()) };
}

type Report = (
  request: IncomingMessage | undefined,
  answer: Answer | undefined,
  figures: Pick<AnswerReport, 'bytes' | 'seconds'>,
) => void;

/** Hands reports to `onAnswer`. Without it, failures of the service itself are on the console, once. */
function reporter(server: Server, { onAnswer }: ServiceSettings): Report {
  return (request, answer, figures) => {
    if (onAnswer === undefined) {
      if (answer?.error !== undefined) {
        warnOnce(
          server,
          `serveModel: a request failed: ${String(answer.error)} See the option onAnswer for all of them.`,
        );
      }
      return;
    }
    const failed = (error: unknown): void => {
      warnOnce(onAnswer, `serveModel: onAnswer failed: ${String(error)}`);
    };
    const { status, code, error } = answer ?? {};
    const [method, path] = [shorten(request?.method ?? ''), shorten(request?.url ?? '')];
    const facts = { ...(code === undefined ? {} : { code }), ...(error === undefined ? {} : { error }) };
    try {
      Promise.resolve(onAnswer({ status, method, path, ...figures, ...facts })).catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  };
}

/** Listens, and returns the address. */
async function listen(server: Server, { host, port }: ServiceSettings): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(cannotListen(error, host, port));
    };
    server.once('error', fail);
    server.listen({ host, port }, () => {
      // Without a listener an error of a later connection, such as too many open files, would end the process.
      server.off('error', fail).on('error', ({ message }) => {
        warnOnce(server, `serveModel: a connection failed: ${message}.`);
      });
      resolve();
    });
  });
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${String(taken)}`;
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): TransferKitError {
  const details = { host, port, reason: error.code ?? error.message };
  const text =
    error.code === 'EADDRINUSE'
      ? `expected a free port, got ${String(port)}, which another program uses on ${host}. Take another port, or 0 for a free one.`
      : error.code === 'EACCES'
        ? `expected a port that this user may use, got ${String(port)}. Take one from 1024.`
        : `expected a host and port of this computer, got '${shorten(host)}' and ${String(port)}: ${error.message}.`;
  return new TransferKitError('INVALID_OPTION', text, details, error);
}
