// The failures of a download: which are temporary, and their error texts.
import { TransferKitError } from '../core/errors.ts';
import { shortAddress } from '../core/platform.ts';

/** Why an attempt failed. */
export interface Failure {
  readonly kind: 'failed';
  readonly error: TransferKitError;
  /** Whether another attempt may succeed. */
  readonly passing: boolean;
  /** Whether the server was reached and refused permanently: a cached copy must not be used then. */
  readonly refused: boolean;
  /** Whether there was no answer. */
  readonly unreachable: boolean;
  /** How long the server asks to wait, in milliseconds. */
  readonly wait?: number;
}

/**
 * Codes of Node and its fetch for temporary failures. A refused connection and an unknown host do not recover within
 * seconds.
 */
const passingCodes =
  /^(ECONNRESET|ETIMEDOUT|EPIPE|EAI_AGAIN|UND_ERR_(SOCKET|CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT))$/;
const lastingReasons = /redirect|bad port|scheme|parse URL|invalid/i;
const passingStatus = new Set([408, 425, 429, 500, 502, 503, 504]);
const longestWait = 30_000;

/** The failure when no answer came. */
export function unreachable(address: string, cause: unknown, otherOrigin: boolean): Failure {
  const reason = reasonOf(cause);
  const code = codeOf(cause);
  const passing = code === undefined ? !lastingReasons.test(reason) : passingCodes.test(code);
  const error = notThere(address, reason, adviceOn(reason, otherOrigin), cause);
  return { kind: 'failed', error, passing, refused: false, unreachable: true };
}

/** The failure when the connection broke in the middle of the file. */
export function cut(address: string, received: number, total: number | undefined, cause?: unknown): Failure {
  const of = total === undefined ? '' : ` of ${total}`;
  const why = cause === undefined ? 'the server sent no more' : reasonOf(cause);
  const error = notThere(address, `the download broke off after ${received}${of} bytes: ${why}`, checkBoth, cause);
  return { kind: 'failed', error, passing: true, refused: false, unreachable: false };
}

/** The failure when the server answered with an error. */
export function badStatus(address: string, response: Response): Failure {
  const { status } = response;
  const answer = `${status} ${response.statusText}`.trim();
  const passing = passingStatus.has(status);
  const error = notThere(address, `the server answered ${answer}`, adviceOnStatus(status, address));
  const wait = passing ? waitOf(response.headers.get('retry-after')) : undefined;
  const failure = { kind: 'failed', error, passing, refused: !passing, unreachable: false } as const;
  return wait === undefined ? failure : { ...failure, wait };
}

/** The error when the signal ended the read. */
export function aborted(address: string, cause: unknown): TransferKitError {
  const name = shortAddress(address);
  return new TransferKitError('ABORTED', `reading ${name} was stopped by its signal.`, { address: name }, cause);
}

const checkBoth = 'Check the address and the connection.';

function notThere(address: string, reason: string, advice: string, cause?: unknown): TransferKitError {
  const name = shortAddress(address);
  const text = `expected data at ${name}, but ${reason}. ${advice}`;
  return new TransferKitError('NOT_FOUND', text, { address: name, reason }, cause);
}

function adviceOn(reason: string, otherOrigin: boolean): string {
  if (/redirect/i.test(reason)) return 'The server sends in circles. Check the address.';
  if (!otherOrigin) return checkBoth;
  return (
    `${checkBoth} The other possibility: a page may read files of another site only if that site allows it (CORS), and ` +
    "the browser does not tell a program which it was; its console does. Then put the model's files on the page's own " +
    'site, or name with the option mirror a server that sends Access-Control-Allow-Origin.'
  );
}

function adviceOnStatus(status: number, address: string): string {
  if (status !== 401 && status !== 403) return checkBoth;
  const isHub = /^https?:\/\/([^/]+\.)?(tfhub\.dev|kaggle\.com)\//i.test(address);
  const why = isHub
    ? 'TF Hub has moved to Kaggle, which keeps some models from programs: download the model on its page with a browser, ' +
      'unpack it, and give the path of its model.json;'
    : 'It gives this file only to those it knows: download it with a browser and give its path, or sign in with the ' +
      'option fetch;';
  return `${why} or name with the option mirror a server that has it.`;
}

/** `Retry-After`: seconds or a date. */
function waitOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longestWait);
}

function codeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

/** fetch says "fetch failed" and puts the reason into `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return `${error.message} (${cause.message === '' ? (codeOf(error) ?? cause.name) : cause.message})`;
}
