// Reads an address: from the cache if that copy is current, else from its server or the mirror. The bytes are checked
// before use.
import { TransferKitError } from '../core/errors.ts';
import { shortAddress, type ReadFile, type ReadOptions } from '../core/platform.ts';
import { forgiving, isOwnMachine, usesCache, type ByteCache } from './cache.ts';
import { checkDigest, hasHash, wrongHash, type HashOf } from './fileHash.ts';
import { transfer, type Fetched, type Outcome, type Wanted } from './transfer.ts';
import { parseUrl } from '../core/parseUrl.ts';

/** The differences between Node and browsers. */
export interface DownloadEnvironment {
  readonly hash: HashOf;
  /** Opens the cache for an option `cacheDir`; undefined where there is none. */
  openCache(cacheDir: string | undefined): Promise<ByteCache | undefined>;
  /** Whether requests to an address may have their own headers: false for requests of a page to another site. */
  isSameOrigin(address: string): boolean;
  /** The complete address: relative ones are resolved against the page's. */
  whole(address: string): string;
  /** Whether the global `fetch` reports the target of a redirect. */
  readonly seesRedirects: boolean;
  /** The default mirror. */
  readonly mirror: string | undefined;
}

/**
 * Reads the bytes of an address.
 *
 * @throws TransferKitError `NOT_FOUND` with the HTTP status or the reason; `NOT_TRUSTED` for a redirect; `ABORTED` when
 * the signal ends the read; `WEIGHTS_DAMAGED` when the hash differs; `OUT_OF_RANGE` above `maxBytes`; `INVALID_OPTION`.
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
      // The pieces may be of two versions.
      return fetchChecked({ ...wanted, partial: undefined, inOnePiece: true }, environment);
    }
    throw await wrongHash(wanted.address, outcome.bytes, options.hash, environment.hash);
  }
  const bytes = copy === undefined || isRefused(outcome) ? undefined : await copy.read();
  if (bytes !== undefined)
    return fileOf(await reported(location, bytes, options), location, copy?.reached, environment);
  if (outcome.kind === 'failed') throw outcome.error;
  return fetchChecked({ ...wanted, copy: undefined }, environment); // the copy is damaged
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

/** The address on the mirror: the path of the original after the mirror's scheme and host (and path, if it has one). */
function mirrored(location: string, mirror: string | false | undefined): string {
  if (mirror === undefined || mirror === false || mirror === '') return location;
  if (!/^https?:\/\//i.test(mirror) || parseUrl(mirror) === undefined) {
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
 * Raises unless the limits of a read are valid.
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

/** `fetch` refuses such addresses, and its text would show the password. */
function checkCredentials(address: string): void {
  const url = /^https?:/i.test(address) ? parseUrl(address) : undefined;
  if (url === undefined || (url.username === '' && url.password === '')) return;
  const text =
    `expected an address without a name and password in it, got one for ${shortAddress(address)}. ` +
    'Send them in a header instead: pass a fetch that adds it, in the option fetch.';
  throw new TransferKitError('INVALID_OPTION', text, { address: shortAddress(address) });
}

function notANumber(name: string, wanted: string, value: unknown): TransferKitError {
  const text = `expected ${name} to be ${wanted}, got ${String(value)}.`;
  return new TransferKitError('INVALID_OPTION', text, { [name]: value });
}
