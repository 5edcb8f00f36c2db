// The addresses and paths that a file may refer to: the files that it names, and the redirects of its server. Every
// format and every download uses these rules.
import { TransferKitError } from './errors.ts';
import { shortAddress, type FileOrigin } from './platform.ts';
import { parseUrl } from './parseUrl.ts';

/** Sites that store big files on another host, to which they redirect. */
const storageOf: readonly (readonly [site: RegExp, storage: RegExp])[] = [
  [
    /^(www\.)?(tfhub\.dev|kaggle\.com)$/,
    /^((www\.)?kaggle\.com|storage\.googleapis\.com|([\w-]+\.)+kaggleusercontent\.com)$/,
  ],
  [/^huggingface\.co$/, /^([\w-]+\.)+hf\.co$/],
  [/^github\.com$/, /^[\w-]+\.githubusercontent\.com$/],
];

/**
 * Resolves the name of a file in another file to a path or address.
 *
 * A file from the network may refer only to the network: to its own origin, with `allowElsewhere` to others, never from
 * https: to http:. The query, which may hold a token, is sent only to the origin that it was given for. A file on a
 * disk may refer to files in its folder and below it, with `allowElsewhere` to any. A `data:` address contains its own
 * bytes and may not refer to other files.
 *
 * @param name - As written in the file.
 * @param from - The file that contains the name.
 * @throws TransferKitError `NOT_TRUSTED` when the file may not refer to it.
 */
export function resolveReference(name: string, from: FileOrigin, allowElsewhere = false): string {
  if (/^data:/i.test(name)) return name;
  if (isNetwork(from.reached)) return onNetwork(name, from, allowElsewhere);
  if (/^(data|blob):/i.test(from.reached)) return fromMemory(name, from, allowElsewhere);
  return onDisk(name, from, allowElsewhere);
}

/** A redirect: its origin and its target. */
export interface Redirect {
  /** The address that was requested first. */
  readonly asked: string;
  /** The address that redirects. */
  readonly by: string;
  /** The target. */
  readonly to: string;
  /** The file that named the address; undefined when the user did. */
  readonly from: FileOrigin | undefined;
}

/**
 * Raises unless a redirect may be followed. It may never change to another protocol or from https: to http:. For a file
 * that another one named, the rules of {@link resolveReference} hold. For a file that the user named, every target is
 * allowed except from the internet into a private network.
 *
 * @throws TransferKitError `NOT_TRUSTED`.
 */
export function assertRedirect({ asked, by, to, from }: Redirect, allowElsewhere = false): void {
  const target = parseUrl(to);
  if (target === undefined || !isNetwork(to)) throw redirected(by, to, 'it is no address of a server', noWay);
  if (isWeaker(target, by)) throw redirected(by, to, 'https: must not lead to http:', noWay);
  const known = from === undefined ? [asked] : [asked, from.location, from.reached];
  if (allowElsewhere || known.some((address) => isOriginOf(address, target))) return;
  if (from === undefined) {
    if (isPrivate(target) && !isPrivate(new URL(asked)))
      throw redirected(by, to, 'it is in a private network', someWay);
  } else if (!isStorage(target, known)) {
    throw redirected(by, to, 'a file that a model names must come from the origin of the model', someWay);
  }
}

function onNetwork(name: string, from: FileOrigin, allowElsewhere: boolean): string {
  const base = secured(from);
  const target = beside(name, base);
  if (target === undefined) throw refused(name, from, 'it is no address', noWay);
  if (!isNetwork(target.href)) throw refused(name, from, 'what came from the network must not lead out of it', noWay);
  if (target.origin === base.origin) {
    if (target.search === '') target.search = base.search;
    return target.href;
  }
  const known = [from.location, from.reached];
  // A server that insists on https: was asked by http: all the same, and would be known by both.
  const isSecured = isWeaker(target, base.href);
  if (!isSecured && known.some((address) => isOriginOf(address, target))) return target.href;
  if (isSecured || isWeaker(target, from.reached)) throw refused(name, from, 'https: must not lead to http:', noWay);
  if (allowElsewhere || isStorage(target, known)) return target.href;
  throw refused(name, from, `it is not on ${[...new Set(known.map(originOf))].join(' or ')}`, someWay);
}

/** Names are resolved against the requested address, with https: if its server redirects to that. */
function secured({ location, reached }: FileOrigin): URL {
  const [asked, end] = [isNetwork(location) ? new URL(location) : new URL(reached), new URL(reached)];
  if (asked.protocol === 'https:' || end.protocol === 'http:' || asked.hostname !== end.hostname) return asked;
  asked.protocol = end.protocol;
  asked.port = end.port;
  return asked;
}

/** The address of a name. Object stores encode the slashes before it: `…/o/models%2Fx%2Fmodel.json`. */
function beside(name: string, base: URL): URL | undefined {
  const [folder] = /[^/]*%2F/i.exec(base.pathname.slice(base.pathname.lastIndexOf('/'))) ?? [];
  const isPlain = !/^([a-z][a-z0-9+.-]*:|[/\\?#])/i.test(name);
  const text = folder === undefined || !isPlain ? name : `./${folder}${encodeURIComponent(decoded(name))}`;
  return parseUrl(text, base);
}

/** A file without a folder may name only complete addresses. */
function fromMemory(name: string, from: FileOrigin, allowElsewhere: boolean): string {
  if (!isNetwork(name) || parseUrl(name) === undefined) {
    throw refused(
      name,
      from,
      'beside a data: or blob: address there are no files',
      'Put its files in as data: addresses.',
    );
  }
  if (!allowElsewhere) throw refused(name, from, 'it is an address of a server', someWay);
  return name;
}

function onDisk(name: string, from: FileOrigin, allowElsewhere: boolean): string {
  const folder = from.location.slice(0, Math.max(from.location.lastIndexOf('/'), from.location.lastIndexOf('\\')) + 1);
  if ([name, decoded(name)].every(isBelow)) return `${folder}${name}`;
  if (!allowElsewhere) throw refused(name, from, 'it leads out of the folder of the file', someWay);
  return /^([a-z][a-z0-9+.-]*:|[/\\])/i.test(name) ? name : `${folder}${name}`;
}

/** Whether a name stays in its folder on every system: no scheme, drive or root, no step up. */
function isBelow(name: string): boolean {
  if (/^([a-z][a-z0-9+.-]*:|[/\\])/i.test(name) || name.includes('\0')) return false;
  return !name.split(/[/\\]/).some((part) => /^\.\.[. ]*$/.test(part));
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function isNetwork(address: string): boolean {
  return /^https?:/i.test(address);
}

function originOf(address: string): string {
  return parseUrl(address)?.origin ?? address;
}

function isOriginOf(address: string, { origin }: URL): boolean {
  return isNetwork(address) && originOf(address) === origin;
}

function isWeaker({ protocol }: URL, from: string): boolean {
  return protocol === 'http:' && /^https:/i.test(from);
}

function isStorage({ protocol, hostname }: URL, known: readonly string[]): boolean {
  const hosts = known.filter(isNetwork).map((address) => new URL(address).hostname);
  const isOwn = storageOf.some(([site, storage]) => storage.test(hostname) && hosts.some((host) => site.test(host)));
  return protocol === 'https:' && isOwn;
}

/**
 * Addresses of this machine and of private networks (RFC 1918, 4193, 3927), as written: host names are not resolved.
 */
function isPrivate({ hostname }: URL): boolean {
  const host = hostname.toLowerCase();
  return (
    /^(localhost|.*\.(localhost|local|internal))\.?$/.test(host) ||
    /^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(host) ||
    /^\[(::1?|f[cd]..:.*|fe[89ab].:.*|::ffff:.*)\]$/.test(host)
  );
}

const someWay = 'If that is meant, look at where it leads and pass allowElsewhere: true.';
const noWay = 'Nothing allows that: check where the file comes from.';

function refused(name: string, from: FileOrigin, reason: string, advice: string): TransferKitError {
  const [file, reference] = [shortAddress(from.reached), shortAddress(name)];
  const text = `expected ${file} to name files that belong to it, got ${reference}, but ${reason}. ${advice}`;
  return new TransferKitError('NOT_TRUSTED', text, { file, reference, reason });
}

function redirected(by: string, to: string, reason: string, advice: string): TransferKitError {
  const [file, reference] = [shortAddress(by), shortAddress(to)];
  const text = `expected the server to have ${file}, but it redirects to ${reference}, and ${reason}. ${advice}`;
  return new TransferKitError('NOT_TRUSTED', text, { file, reference, reason });
}
