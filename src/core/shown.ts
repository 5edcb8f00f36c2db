// The user's values in error texts, shortened so that the text around them stays readable.
import { exceededBy } from './exceededBy.ts';

/** Most characters of a value that are shown. */
const most = 200;

/** Most levels and members of a value that are written as JSON at all. */
const mostLevels = 100;
const mostValues = 10_000;

/** Shortens a text to 200 characters: the beginning, the end and the length of a longer one. */
export function shorten(text: string): string {
  if (text.length <= most) return text;
  const length = ` (${String(text.length)} characters)`;
  return `${text.slice(0, 110)}…${text.slice(-50)}${length}`;
}

/** What is said of a promise where its value was expected: `await` is what is forgotten most. */
const unawaited = 'a promise: put await before it';

/** Returns a user's value as JSON for an error text, at most 200 characters. */
export function shown(value: unknown): string {
  if (isPromise(value)) return unawaited;
  if (typeof value === 'function') return `a function${value.name === '' ? '' : ` '${shorten(value.name)}'`}`;
  const isPlain = typeof value === 'string' || (typeof value === 'object' && value !== null);
  return shorten(isPlain ? jsonOf(value) : String(value));
}

/**
 * Names the kind of a user's value for an error text, where the value itself would say too little or too much.
 *
 * @param object - What is said of an object that is neither a list nor a promise.
 */
export function kindOf(value: unknown, object = 'an object of another kind'): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'object') return `a value of type ${typeof value}`;
  return isPromise(value) ? unawaited : object;
}

/** Whether a value is a promise, of any library. */
export function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/**
 * Circular values, BigInts and getters that raise have no JSON. A value that is too deep or too large is only
 * described.
 */
function jsonOf(value: object | string): string {
  const kind = Array.isArray(value) ? 'a list' : 'an object';
  try {
    const exceeded = exceededBy(value, mostLevels, mostValues);
    if (exceeded === 'levels') return `${kind} of more than ${String(mostLevels)} levels`;
    if (exceeded === 'values') return `${kind} of more than ${String(mostValues)} values`;
    const text: unknown = JSON.stringify(value);
    return typeof text === 'string' ? text : 'an object that is no plain data';
  } catch {
    return 'an object that is no plain data';
  }
}

/** Values in quotes in error texts: names and JSON. */
const quoted = /(?<=^|[\s([{,:])(['"])((?:(?!\1)[\s\S])+)\1(?!\w)/g;

/**
 * Shortens every value in an error text: quoted text, and text without spaces, such as a path, an address, a list of
 * numbers or base64.
 */
export function withShortValues(text: string): string {
  if (text.length <= most) return text;
  return text
    .replace(quoted, (_, quote: string, value: string) => `${quote}${shorten(value)}${quote}`)
    .replace(/\S{200,}[^\s.,;:)'"]/g, shorten); // punctuation after it belongs to the text
}
