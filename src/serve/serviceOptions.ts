// Options of the service: defaults and checks.
import { assertWhole, invalidOption } from '../core/optionChecks.ts';
import { assertOptions, type NamesOf } from '../core/optionNames.ts';
import { parseUrl } from '../core/parseUrl.ts';
import type { PictureLimits } from '../core/pictureLimits.ts';
import type { AnswerReport } from './answer.ts';

/** Options of `serveModel`. */
export interface ServeModelOptions {
  /**
   * Address or name of the network interface to listen on. Default `'127.0.0.1'`: programs of this computer alone.
   * `'0.0.0.0'` listens on all interfaces.
   */
  readonly host?: string;
  /** Port, 0 to 65535. 0 takes a free one, which `url` names. Default 8080. */
  readonly port?: number;
  /**
   * Names that the header `Host` of a request may have, such as `'photos.example.org'`, besides IP addresses, `localhost`
   * and `host`. Requests with another name are refused: a page could have pointed its own name to this computer (DNS
   * rebinding). Default: none.
   */
  readonly allowHosts?: readonly string[];
  /**
   * Origins of pages that may call the service (CORS), such as `'https://example.org'`; `'*'` for every page. Default:
   * none.
   */
  readonly allowOrigin?: string | readonly string[];
  /** Most bytes of a picture. All requests together hold at most eight times as many. Default 16 MiB. */
  readonly maxBytes?: number;
  /**
   * Most seconds that a request may take to arrive, and most seconds that it waits for its turn. Default 30. The
   * computation itself is not limited.
   */
  readonly maxSeconds?: number;
  /**
   * Number of pictures that are worked on at the same time: one is computed while the next ones are decoded. Default 4.
   */
  readonly parallel?: number;
  /** Number of pictures that may wait; further requests are answered with 503. Default 64. */
  readonly queue?: number;
  /** Number of labels in an answer, the most probable first; for several heads, of each. Default: all labels. */
  readonly topK?: number;
  /** Limits on pictures, as for `load`. For a path only: a model in memory has its own already. */
  readonly pictures?: PictureLimits;
  /** Ends the service as `close` does. */
  readonly signal?: AbortSignal;
  /**
   * Called after each answer, for a log. It is not waited for. If it throws or rejects, the service goes on, and warns once
   * on the console.
   */
  readonly onAnswer?: (report: AnswerReport) => unknown;
}

/** Options of the service itself, with every default filled in. */
export interface ServiceSettings extends Numbers {
  readonly host: string;
  readonly allowHosts: readonly string[];
  readonly allowOrigin: readonly string[];
  readonly onAnswer: ServeModelOptions['onAnswer'];
}

type Numbers = Required<Pick<ServeModelOptions, 'port' | 'maxBytes' | 'maxSeconds' | 'parallel' | 'queue'>>;

const names: NamesOf<ServeModelOptions> = {
  host: true,
  port: true,
  allowHosts: true,
  allowOrigin: true,
  maxBytes: true,
  maxSeconds: true,
  parallel: true,
  queue: true,
  topK: true,
  pictures: true,
  signal: true,
  onAnswer: true,
};

/**
 * Fills in defaults and checks the options.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleService(options: ServeModelOptions): ServiceSettings {
  assertOptions(options, names, { example: '{ port: 8080 }' });
  const { host = '127.0.0.1', allowHosts = [], allowOrigin = [], onAnswer, topK = 1, signal } = options;
  if (typeof host !== 'string' || host === '') throw invalidOption("host to be an address such as '127.0.0.1'", host);
  assertHosts(allowHosts);
  const origins = typeof allowOrigin === 'string' ? [allowOrigin] : allowOrigin;
  assertOrigins(origins);
  assertWhole('topK', topK, 1);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidOption('signal to be an AbortSignal', signal);
  }
  if (onAnswer !== undefined && typeof onAnswer !== 'function') {
    throw invalidOption('onAnswer to be a function', onAnswer);
  }
  return { ...settleNumbers(options), host, allowHosts, allowOrigin: origins, onAnswer };
}

function settleNumbers({
  port = 8080,
  maxBytes = 2 ** 24,
  maxSeconds = 30,
  parallel = 4,
  queue = 64,
}: ServeModelOptions): Numbers {
  assertWhole('port', port, 0);
  if (port > 65535) throw invalidOption('port to be at most 65535', port);
  assertWhole('maxBytes', maxBytes, 1);
  assertWhole('parallel', parallel, 1);
  assertWhole('queue', queue, 0);
  if (!(typeof maxSeconds === 'number' && maxSeconds > 0 && maxSeconds <= longestSeconds)) {
    throw invalidOption(`maxSeconds to be a number above 0, at most ${String(longestSeconds)}`, maxSeconds);
  }
  return { port, maxBytes, maxSeconds, parallel, queue };
}

/** A day: timers count to 2^31 milliseconds. */
const longestSeconds = 86_400;

function assertHosts(hosts: readonly string[]): void {
  if (!Array.isArray(hosts)) throw invalidOption('allowHosts to be a list of names', hosts);
  const bad: unknown = hosts.find((name: unknown) => typeof name !== 'string' || !/^[^\s:/?#@]+$/.test(name));
  if (bad !== undefined) {
    throw invalidOption("allowHosts to have names without scheme and port, such as 'photos.example.org'", bad);
  }
}

function assertOrigins(origins: readonly string[]): void {
  if (!Array.isArray(origins)) throw invalidOption('allowOrigin to be an origin or a list of origins', origins);
  const bad: unknown = origins.find((origin: unknown) => typeof origin !== 'string' || !isOrigin(origin));
  if (bad !== undefined) throw invalidOption("allowOrigin to be '*' or an origin such as 'https://example.org'", bad);
}

function isOrigin(text: string): boolean {
  return text === '*' || parseUrl(text)?.origin === text;
}
