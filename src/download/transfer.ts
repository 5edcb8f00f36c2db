// Downloads one file from one server with retries. It continues an interrupted download where the server supports
// ranges.
import { isTransferKitError } from '../core/errors.ts';
import { pause } from '../core/pause.ts';
import { defaultMaxBytes, type ReadOptions } from '../core/platform.ts';
import { makeBody, type Body } from './body.ts';
import {
  isKnown,
  maybeKept,
  validatorsOf,
  type Announced,
  type ByteCache,
  type CachedCopy,
  type CacheWriter,
  type PartialCopy,
  type Validators,
} from './cache.ts';
import { aborted, badStatus, cut, unreachable, type Failure } from './failures.ts';
import { followRedirects, release, type Reached } from './followRedirects.ts';

/** What to download, and what the cache already has. */
export interface Wanted {
  /** Name of the file in the cache and in progress reports. */
  readonly location: string;
  /** Address that is requested. */
  readonly address: string;
  readonly options: ReadOptions;
  readonly cache: ByteCache | undefined;
  /** A complete copy, to be validated. */
  readonly copy: CachedCopy | undefined;
  /** The first part, to be continued. */
  readonly partial: PartialCopy | undefined;
  /** Whether an interrupted download must start again, because pieces did not fit together. */
  readonly inOnePiece: boolean;
  /**
   * Whether the address has the page's origin, or there is no page. Requests to other sites get no headers, because
   * they would be refused.
   */
  readonly sameOrigin: boolean;
  /** Whether the global `fetch` reports the target of a redirect. */
  readonly seesRedirects: boolean;
}

/** The result of the attempts. */
export type Outcome = Fetched | { readonly kind: 'unchanged' } | Failure;

/** A complete file, not yet checked. */
export interface Fetched {
  readonly kind: 'fetched';
  readonly bytes: Uint8Array;
  /** The final address. */
  readonly reached: string;
  /** Whether it was received in several pieces. */
  readonly pieced: boolean;
  readonly writer: CacheWriter | undefined;
}

/** The state of a file between attempts. */
interface Transfer {
  readonly body: Body;
  validators: Validators;
  total: number | undefined;
  packed: boolean;
  pieced: boolean;
  partial: PartialCopy | undefined;
  writer: CacheWriter | undefined;
}

/** An attempt that receives this many bytes resets the count of retries. */
const muchProgress = 2 ** 20;

/**
 * Downloads a file. A failure is returned; an error that is thrown is final.
 *
 * @throws TransferKitError `ABORTED`, `OUT_OF_RANGE`.
 */
export async function transfer(wanted: Wanted): Promise<Outcome> {
  const { retries = 3, retryDelay = 500, maxBytes = defaultMaxBytes, signal } = wanted.options;
  const body = makeBody(wanted.address, maxBytes);
  const state: Transfer = {
    body,
    validators: {},
    total: undefined,
    packed: false,
    pieced: false,
    partial: wanted.partial,
    writer: undefined,
  };
  let outcome: Outcome | undefined;
  try {
    for (let failures = 0; ; failures++) {
      const before = body.length;
      outcome = await attempt(wanted, state);
      if (outcome.kind !== 'failed') return outcome;
      if (body.length - before >= muchProgress) failures = 0;
      const hopeless = outcome.unreachable && wanted.copy !== undefined;
      if (!outcome.passing || hopeless || failures >= retries) return outcome;
      if (body.length > 0 && !canContinue(wanted, state)) await forget(state);
      await wait(outcome.wait ?? retryDelay * 2 ** failures, signal, wanted.address);
    }
  } finally {
    if (outcome?.kind !== 'fetched') await state.writer?.leave(canContinue(wanted, state));
  }
}

async function attempt(wanted: Wanted, state: Transfer): Promise<Outcome> {
  const { address, options, copy } = wanted;
  const begun = state.body.length > 0 ? state.body.length : (state.partial?.length ?? 0);
  let answer: Reached;
  try {
    answer = await ask(wanted, state, begun);
  } catch (cause) {
    if (options.signal?.aborted === true) throw aborted(address, cause);
    if (isTransferKitError(cause)) throw cause;
    return unreachable(address, cause, !wanted.sameOrigin);
  }
  const { response } = answer;
  if (response.status === 304 && copy !== undefined) return { kind: 'unchanged' };
  if (!response.ok) {
    release(response);
    if (response.status === 416 && begun > 0) return startOver(wanted, state);
    return badStatus(address, response);
  }
  if (response.status === 206 && begun > 0) {
    if (!(await joins(wanted, state, answer, begun))) return startOver(wanted, state);
  } else {
    if (copy !== undefined && isSame(copy.validators, validatorsOf(response.headers))) {
      release(response);
      return { kind: 'unchanged' };
    }
    await restart(wanted, state, answer);
  }
  return receive(wanted, state, answer);
}

function ask(wanted: Wanted, state: Transfer, begun: number): Promise<Reached> {
  const { address, options, copy, sameOrigin, seesRedirects } = wanted;
  const headers: Record<string, string> = {};
  if (sameOrigin && begun > 0) {
    headers.range = `bytes=${begun}-`;
    const version = versionOf(state.body.length > 0 ? state.validators : (state.partial?.validators ?? {}));
    if (version !== undefined) headers['if-range'] = version;
  } else if (sameOrigin && copy !== undefined) {
    const { etag, lastModified } = copy.validators;
    if (etag !== undefined) headers['if-none-match'] = etag;
    else if (lastModified !== undefined) headers['if-modified-since'] = lastModified;
  }
  const init: RequestInit = {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    // With this setting the browser's own cache validates its copy, which works across sites.
    ...(copy === undefined || sameOrigin ? {} : { cache: 'no-cache' }),
  };
  return followRedirects(address, init, options, seesRedirects);
}

/** Whether a received part continues the bytes that are present. */
async function joins(wanted: Wanted, state: Transfer, { response, reached }: Reached, begun: number): Promise<boolean> {
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '') ?? [];
  if (Number(from) !== begun || isPacked(response)) return false;
  const known = state.body.length > 0 ? state : state.partial;
  if (known?.total !== undefined && total !== '*' && Number(total) !== known.total) return false;
  state.pieced = true;
  if (state.body.length > 0 || state.partial === undefined) return true;
  const { partial } = state;
  state.total = total === '*' ? partial.total : Number(total);
  state.validators = partial.validators;
  state.body.restart(state.total);
  state.writer = await wanted.cache?.begin(wanted.location, announced(state, reached));
  await partial.read((piece) => add(state, piece));
  state.partial = undefined;
  return state.body.length === begun;
}

/** Drops the bytes that are present; the next attempt requests the whole file. */
async function startOver({ address }: Wanted, state: Transfer): Promise<Failure> {
  const failure = cut(address, state.body.length, state.total);
  await forget(state);
  return { ...failure, wait: 0 };
}

async function forget(state: Transfer): Promise<void> {
  await state.writer?.leave(false);
  state.writer = undefined;
  state.partial = undefined;
  state.pieced = false;
  state.body.restart(undefined);
}

/** Starts with the first byte of the whole file. */
async function restart({ location, options, cache }: Wanted, state: Transfer, answer: Reached): Promise<void> {
  const { response, reached } = answer;
  const { headers } = response;
  await forget(state);
  state.packed = isPacked(response);
  state.validators = validatorsOf(headers);
  const length = headers.get('content-length') ?? '';
  state.total = /^\d+$/.test(length) && !state.packed ? Number(length) : undefined;
  try {
    state.body.restart(state.total);
  } catch (error) {
    release(response);
    throw error;
  }
  if (maybeKept(headers, options)) state.writer = await cache?.begin(location, announced(state, reached));
}

/** Only the origin of the final address is stored: the rest may contain a signature. */
function announced({ validators, total }: Transfer, reached: string): Announced {
  return { validators, total, reached: new URL(reached).origin };
}

async function receive({ location, address, options }: Wanted, state: Transfer, answer: Reached): Promise<Outcome> {
  const { response, reached } = answer;
  const { body } = state;
  const { signal } = options;
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const read = await reader?.read().catch((cause: unknown) => ({ cause }));
      if (signal?.aborted === true) throw aborted(address, signal.reason);
      if (read !== undefined && 'cause' in read) return cut(address, body.length, state.total, read.cause);
      if (read?.value === undefined) break;
      await add(state, read.value);
      await options.onProgress?.({ address: location, received: body.length, total: state.total });
    }
  } finally {
    void reader?.cancel().catch(() => undefined);
  }
  // A browser hides for other sites that the bytes were compressed; the announced length is then not theirs.
  if (response.type !== 'cors' && body.length < (state.total ?? 0)) return cut(address, body.length, state.total);
  return { kind: 'fetched', bytes: body.joined(), reached, pieced: state.pieced, writer: state.writer };
}

async function add(state: Transfer, piece: Uint8Array): Promise<void> {
  state.body.append(piece);
  await state.writer?.append(piece);
}

/** Whether the rest can be requested alone: the server can detect a changed file, or the hash will. */
function canContinue(wanted: Wanted, { body, packed, validators }: Transfer): boolean {
  const { options, sameOrigin, inOnePiece } = wanted;
  if (!sameOrigin || inOnePiece || packed || body.length === 0) return false;
  return versionOf(validators) !== undefined || options.hash !== undefined;
}

/** A validator for `If-Range`: weak ETags are not allowed. */
function versionOf({ etag, lastModified }: Validators): string | undefined {
  return etag !== undefined && !etag.startsWith('W/') ? etag : lastModified;
}

/** Whether two answers have the same version, according to the server. */
function isSame(one: Validators, other: Validators): boolean {
  return isKnown(one) && one.etag === other.etag && one.lastModified === other.lastModified;
}

/** Whether a server compressed the answer: its length and ranges are then those of the compressed bytes. */
function isPacked({ headers }: Response): boolean {
  return !/^(identity)?$/i.test(headers.get('content-encoding') ?? '');
}

/** Waits, unless the signal aborts. */
async function wait(milliseconds: number, signal: AbortSignal | undefined, address: string): Promise<void> {
  await pause(milliseconds, signal === undefined ? [] : [signal]);
  if (signal?.aborted === true) throw aborted(address, signal.reason);
}
