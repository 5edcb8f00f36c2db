// Values as messages: plain data is copied, elements of a page become pictures, signals and errors their fields. Values of
// the kinds of `kind.ts` become references.
import { TransferKitError } from '../core/errors.ts';
import { isObject } from '../core/optionChecks.ts';
import { kindOf } from '../core/shown.ts';
import type { Reference, References } from './references.ts';
import type { Scope } from './scope.ts';
import { describeError, remakeError, type SentError } from './sentErrors.ts';
import type { SentSignal, Signals } from './signals.ts';

/** Parts of messages that stand for something else. */
type Sign =
  | { readonly is: 'reference'; readonly reference: Omit<Reference, 'fields'>; readonly fields: unknown }
  /** A stand-in that goes back to where its value is. */
  | { readonly is: 'yours'; readonly id: number }
  | { readonly is: 'signal'; readonly signal: SentSignal }
  | { readonly is: 'error'; readonly error: SentError }
  | { readonly is: 'url'; readonly address: string }
  /** An object of the environment, or the picture of an element. */
  | { readonly is: 'object'; object: object };

/** A part of a message with a sign. No user's object has this key. */
interface Signed {
  readonly 'transferkit:sign': Sign;
}

/** What converting needs of a side. */
export interface CodecParts {
  readonly references: References;
  readonly signals: Signals;
  /** A picture of an element; undefined for other values. */
  readonly snapshot: (value: unknown) => Promise<Transferable | undefined>;
}

/** A message's part, and what moves with it. */
export interface Encoded {
  readonly value: unknown;
  readonly transfer: readonly Transferable[];
}

/**
 * Converts a value. Elements are drawn at once.
 *
 * @param name - Of the value in error texts.
 * @throws TransferKitError `INVALID_OPTION` for a value that cannot be sent, `UNREADABLE` for an element without picture.
 */
export async function encode(name: string, value: unknown, scope: Scope, parts: CodecParts): Promise<Encoded> {
  const pictures: Promise<Transferable | undefined>[] = [];
  const encoded = encodeNow(name, value, { ...parts, scope, pictures });
  // Without elements the message is sent in the same turn: calls arrive in the order in which they were made.
  const drawn = pictures.length === 0 ? [] : await Promise.all(pictures);
  return { value: encoded, transfer: drawn.filter((picture) => picture !== undefined) };
}

interface Encoding extends CodecParts {
  readonly scope: Scope;
  readonly pictures: Promise<Transferable | undefined>[];
}

function encodeNow(path: string, value: unknown, parts: Encoding): unknown {
  if (!isObject(value) && typeof value !== 'function') return value;
  const sign = signOf(path, value, parts);
  if (sign !== undefined) return signed(sign);
  if (typeof value === 'function') throw unsendable(path, value);
  if (Array.isArray(value)) return value.map((each, i) => encodeNow(`${path}[${String(i)}]`, each, parts));
  if (!isPlain(value)) throw unsendable(path, value);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, encodeNow(`${path}.${key}`, each, parts)]),
  );
}

function signOf(path: string, value: object, parts: Encoding): Sign | undefined {
  const { references, signals, scope } = parts;
  if (value instanceof AbortSignal) return { is: 'signal', signal: signals.give(value, scope) };
  if (value instanceof Error) return { is: 'error', error: describeError(value) };
  if (value instanceof URL) return { is: 'url', address: value.href };
  // Elements of a page have methods of many names.
  if (isOfEnvironment(value)) return objectSign(value, parts);
  const id = references.numberOf(value);
  if (id !== undefined) return { is: 'yours', id };
  const given = references.give(value, path.split('.').at(-1) ?? '', scope);
  if (given !== undefined) {
    const { fields, ...reference } = given;
    return { is: 'reference', reference, fields: encodeNow(path, fields, parts) };
  }
  const foreign = references.kindOf(value);
  if (foreign !== undefined) throw ofThisThread(path, foreign);
  return undefined;
}

function objectSign(object: object, { snapshot, pictures }: Encoding): Sign {
  const sign = { is: 'object' as const, object };
  const picture = snapshot(object).then((drawn) => {
    if (drawn !== undefined) sign.object = drawn;
    return drawn;
  });
  // Another part of the value may be refused before this one is awaited.
  picture.catch(() => undefined);
  pictures.push(picture);
  return sign;
}

/**
 * Converts a message's part back.
 *
 * @param see - Called with every object of the environment in it, such as a Blob or a picture.
 */
export function decode(
  value: unknown,
  scope: Scope,
  parts: CodecParts,
  see: (value: object) => void = () => undefined,
): unknown {
  const visit = (value: unknown): unknown => {
    if (!isObject(value)) return value;
    if (Array.isArray(value)) return value.map(visit);
    if (isSigned(value)) return resolve(value['transferkit:sign']);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, visit(each)]));
  };
  const resolve = (sign: Sign): unknown => {
    switch (sign.is) {
      case 'error':
        return remakeError(sign.error);
      case 'url':
        return new URL(sign.address);
      case 'signal':
        return parts.signals.take(sign.signal, scope);
      case 'yours':
        return parts.references.given(sign.id, scope);
      case 'reference':
        return parts.references.standIn({ ...sign.reference, fields: Object(visit(sign.fields)) as object }, scope);
      case 'object':
        see(sign.object);
        return sign.object;
    }
  };
  return visit(value);
}

function signed(sign: Sign): Signed {
  return { 'transferkit:sign': sign };
}

function isSigned(value: object): value is Signed {
  return 'transferkit:sign' in value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether a value is of a class of the environment, such as Blob or Float32Array. Instances of others would lose it. */
function isOfEnvironment(value: object): boolean {
  if (typeof value === 'function' || Array.isArray(value) || isPlain(value)) return false;
  const { constructor: type } = value;
  return typeof type === 'function' && Reflect.get(globalThis, type.name) === type;
}

function unsendable(path: string, value: unknown): Error {
  const got =
    typeof value === 'function'
      ? 'a function'
      : kindOf(value, 'an object of a class that only this thread has, such as a tensor or a network');
  const text =
    `expected data that can be sent to another thread in ${path}, got ${got}. Use names, addresses, arrays or files, or give ` +
    'the worker a function of your own: serveTransferKit({ functions: { … } }).';
  return new TransferKitError('INVALID_OPTION', text, { path });
}

function ofThisThread(path: string, kind: string): Error {
  const text =
    `expected a ${kind} of the worker in ${path}, got one of this thread. Make it in the worker: ` +
    'kit.loadBase, kit.replaceHead, kit.load or kit.knn.';
  return new TransferKitError('INVALID_OPTION', text, { path, kind });
}
