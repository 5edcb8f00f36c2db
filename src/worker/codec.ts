// Values as messages: plain data is copied, elements of a page become pictures, signals and errors their fields. Values of
// the kinds of `kind.ts` become references.
import { TransferKitError } from '../core/errors.ts';
import { isObject } from '../core/optionChecks.ts';
import { kindOf } from '../core/shown.ts';
import { methodsOf } from './methods.ts';
import { isStandIn, type Reference, type References } from './references.ts';
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
  | { readonly is: 'object'; object: object }
  /** A user's object with the key of signs. */
  | { readonly is: 'data'; readonly data: object };

/** A part of a message with a sign. */
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

/** Most levels of lists and objects in a value. */
const mostLevels = 1000;

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
  try {
    const encoded = encodeNow(name, value, { ...parts, scope, pictures, around: new Set() });
    // Without elements the message is sent in the same turn: calls arrive in the order in which they were made.
    const drawn = pictures.length === 0 ? [] : await Promise.all(pictures);
    return { value: encoded, transfer: drawn.filter((picture) => picture !== undefined) };
  } catch (error) {
    for (const drawing of pictures) drawing.then(closePicture, () => undefined);
    throw error;
  }
}

interface Encoding extends CodecParts {
  readonly scope: Scope;
  readonly pictures: Promise<Transferable | undefined>[];
  /** The lists and objects that contain the present value. */
  readonly around: Set<object>;
}

function encodeNow(path: string, value: unknown, parts: Encoding): unknown {
  if (isPrimitive(value)) return value;
  const sign = signOf(path, value, parts);
  if (sign !== undefined) return signed(sign);
  if (typeof value === 'function') throw unsendable(path, 'a function');
  if (!Array.isArray(value) && !isPlain(value)) throw unsendable(path, kindOf(value, ofOwnClass));
  return encodeMembers(path, value, parts);
}

function encodeMembers(path: string, value: object, parts: Encoding): unknown {
  const { around } = parts;
  if (around.has(value)) throw unsendable(path, 'a value that contains itself');
  if (around.size === mostLevels) throw unsendable(path, `a value of more than ${String(mostLevels)} levels`);
  around.add(value);
  const encoded: unknown = Array.isArray(value)
    ? value.map((each: unknown, i) => (isPrimitive(each) ? each : encodeNow(`${path}[${String(i)}]`, each, parts)))
    : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, encodeNow(`${path}.${key}`, each, parts)]));
  around.delete(value);
  return isSigned(value) ? signed({ is: 'data', data: Object(encoded) as object }) : encoded;
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
  if (isStandIn(value)) throw ofAnotherWorker(path);
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
  const sign = { is: 'object' as const, object: withoutRest(object) };
  const picture = snapshot(object).then((drawn) => {
    if (drawn !== undefined) sign.object = drawn;
    return drawn;
  });
  // Another part of the value may be refused before this one is awaited.
  picture.catch(() => undefined);
  pictures.push(picture);
  return sign;
}

/** Frees a picture that nobody uses any more; does nothing to other values. */
export function closePicture(picture: object | undefined): void {
  void methodsOf(picture, ['close']).close?.();
}

/** Structured clone copies the whole buffer of a view: of a view of a part, only that part is sent. */
function withoutRest(object: object): object {
  if (!ArrayBuffer.isView(object) || object.byteLength === object.buffer.byteLength) return object;
  const { buffer, byteOffset, byteLength, constructor: type } = object;
  const part = buffer.slice(byteOffset, byteOffset + byteLength);
  // Node's Buffer arrives as Uint8Array anyway.
  if (object instanceof Uint8Array) return new Uint8Array(part);
  return Object(Reflect.construct(type, [part])) as object;
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
    return visitFields(value);
  };
  const visitFields = (value: object): object =>
    Object.fromEntries(Object.entries(value).map(([key, each]) => [key, visit(each)]));
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
      case 'data':
        return visitFields(sign.data);
    }
  };
  return visit(value);
}

function signed(sign: Sign): Signed {
  return { 'transferkit:sign': sign };
}

function isPrimitive(value: unknown): value is Exclude<unknown, object> {
  return !isObject(value) && typeof value !== 'function';
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

const ofOwnClass = 'an object of a class that only this thread has, such as a tensor or a network';

function unsendable(path: string, got: string): Error {
  const text =
    `expected data that can be sent to another thread in ${path}, got ${got}. Use names, addresses, arrays or files, or give ` +
    'the worker a function of your own: serveTransferKit({ functions: { … } }).';
  return new TransferKitError('INVALID_OPTION', text, { path });
}

function ofAnotherWorker(path: string): Error {
  const text =
    `expected a model, base or classifier of this worker in ${path}, got one of another worker. Make it by the same kit: ` +
    'save it there and load it here.';
  return new TransferKitError('INVALID_OPTION', text, { path });
}

function ofThisThread(path: string, kind: string): Error {
  const text =
    `expected a ${kind} of the worker in ${path}, got one of this thread. Make it in the worker: ` +
    'kit.loadBase, kit.replaceHead, kit.load or kit.knn.';
  return new TransferKitError('INVALID_OPTION', text, { path, kind });
}
