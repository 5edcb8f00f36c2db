// What an address gives: from the cache if it is right, else from its server or the mirror, checked before anybody uses it.
import { TransferKitError } from '../core/errors.ts';
import { shortAddress, type ReadFile, type ReadOptions } from '../core/platform.ts';
import { forgiving, isOwnMachine, usesCache, type ByteCache } from './cache.ts';
import { checkDigest, hasHash, wrongHash, type HashOf } from './fileHash.ts';
import { transfer, type Fetched, type Outcome, type Wanted } from './transfer.ts';

/** What Node and browsers do differently. */
export interface DownloadEnvironment {
  readonly hash: HashOf;
  /** The cache for an option `cacheDir`; undefined where there is none. */
  openCache(cacheDir: string | undefined): Promise<ByteCache | undefined>;
  /** Whether requests to an address may have headers of their own: not those of a page to another site. */
  isSameOrigin(address: string): boolean;
  /** The address in full: relative ones begin at the page's. */
  whole(address: string): string;
  /** Whether the global `fetch` shows where a redirect leads. */
  readonly seesRedirects: boolean;
  /** Mirror, unless the options name one. */
  readonly mirror: string | undefined;
}

/**
 * What an address gives.
 *
 * @throws TransferKitError `NOT_FOUND` with the HTTP status or the reason; `NOT_TRUSTED` for a redirect; `ABORTED` when the signal ends the read;
 * `WEIGHTS_DAMAGED` when the hash is another one; `OUT_OF_RANGE` above `maxBytes`; `INVALID_OPTION`.
 */
export async function readAddress(
  location: string,
  options: ReadOptions,
  environment: DownloadEnvironment,
): Promise<ReadFile> {
  checkLimits(options);
  const { hash, cacheDir } = options;
  const address = environment.whole(mirrored(location, options.mirror ?? environment.mirror));
  checkCredentials(address);
  const named = cacheDir === false || cacheDir === '' ? undefined : cacheDir;
  const opened = usesCache(location, options) ? await environment.openCache(named) : undefined;
  const cache = opened !== undefined && named === undefined ? forgiving(opened) : opened;
  const copy = await cache?.find(location);
  const kept = hash === undefined ? undefined : await copy?.read('unchecked');
  if (kept !== undefined && (await hasHash(kept, hash, environment.hash))) {
    return fileOf(await reported(location, kept, options), location, copy?.reached, environment);
  }
  const wanted: Wanted = {
    location,
    address,
    options,
    cache,
    copy: hash === undefined ? copy : undefined,
    partial: await cache?.findPartial(location),
    inOnePiece: false,
    sameOrigin: environment.isSameOrigin(address),
    seesRedirects: environment.seesRedirects,
  };
  return fetchChecked(wanted, environment);
}

async function fetchChecked(wanted: Wanted, environment: DownloadEnvironment): Promise<ReadFile> {
  const { location, options, copy } = wanted;
  const outcome = await transfer(wanted);
  if (outcome.kind === 'fetched') {
    if (await hasHash(outcome.bytes, options.hash, environment.hash)) {
      return fileOf(await keep(outcome), location, outcome.reached, environment);
    }
    await outcome.writer?.leave(false);
    if (outcome.pieced || options.hash === undefined) {
      // Pieces of two versions, perhaps.
      return fetchChecked({ ...wanted, partial: undefined, inOnePiece: true }, environment);
    }
    throw await wrongHash(wanted.address, outcome.bytes, options.hash, environment.hash);
  }
  const bytes = copy === undefined || isRefused(outcome) ? undefined : await copy.read();
  if (bytes !== undefined)
    return fileOf(await reported(location, bytes, options), location, copy?.reached, environment);
  if (outcome.kind === 'failed') throw outcome.error;
  return fetchChecked({ ...wanted, copy: undefined }, environment); // the copy turned out to be damaged
}

function fileOf(
  bytes: Uint8Array,
  location: string,
  reached: string | undefined,
  environment: DownloadEnvironment,
): ReadFile {
  return { bytes, origin: { location: environment.whole(location), reached: environment.whole(reached ?? location) } };
}

async function keep({ bytes, writer }: Fetched): Promise<Uint8Array> {
  await writer?.finish(bytes);
  return bytes;
}

function isRefused(outcome: Outcome): boolean {
  return outcome.kind === 'failed' && outcome.refused;
}

async function reported(location: string, bytes: Uint8Array, { onProgress, signal }: ReadOptions): Promise<Uint8Array> {
  if (signal?.aborted === true) {
    const text = `reading ${shortAddress(location)} was stopped by its signal.`;
    throw new TransferKitError('ABORTED', text, { address: shortAddress(location) }, signal.reason);
  }
  await onProgress?.({ address: location, received: bytes.length, total: bytes.length });
  return bytes;
}

/** The address on the mirror: its scheme and host (and path, if it has one) before the path of the original. */
function mirrored(location: string, mirror: string | false | undefined): string {
  if (mirror === undefined || mirror === false || mirror === '') return location;
  if (!/^https?:\/\//i.test(mirror) || !URL.canParse(mirror)) {
    const text = `expected mirror to be an http: or https: address such as 'https://my.host/models/', got '${mirror}'.`;
    throw new TransferKitError('INVALID_OPTION', text, { mirror });
  }
  if (!/^https?:/i.test(location) || isOwnMachine(location)) return location;
  const base = mirror.replace(/\/+$/, '');
  if (location.startsWith(`${base}/`)) return location;
  const { pathname, search } = new URL(location);
  return `${base}${pathname}${search}`;
}

/**
 * Sees that the limits of a read can be ones.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function checkLimits({ hash, maxBytes, retries }: ReadOptions): void {
  if (hash !== undefined) checkDigest(hash);
  if (maxBytes !== undefined && !(maxBytes > 0)) throw notANumber('maxBytes', 'a number above 0', maxBytes);
  if (retries !== undefined && !(Number.isInteger(retries) && retries >= 0)) {
    throw notANumber('retries', 'a whole number, 0 or more', retries);
  }
}

/** `fetch` refuses such addresses, with the password in its text. */
function checkCredentials(address: string): void {
  if (!/^https?:/i.test(address) || !URL.canParse(address)) return;
  const { username, password } = new URL(address);
  if (username === '' && password === '') return;
  const text =
    `expected an address without a name and password in it, got one for ${shortAddress(address)}. ` +
    'Send them in a header instead: pass a fetch that adds it, in the option fetch.';
  throw new TransferKitError('INVALID_OPTION', text, { address: shortAddress(address) });
}

function notANumber(name: string, wanted: string, value: unknown): TransferKitError {
  const text = `expected ${name} to be ${wanted}, got ${String(value)}.`;
  return new TransferKitError('INVALID_OPTION', text, { [name]: value });
}
