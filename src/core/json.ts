// JSON as a type, and checks of its values.
import { internalError } from './errors.ts';

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
/** A JSON object. */
export interface JsonObject {
  [key: string]: Json;
}

/** Returns whether a value is a JSON object: not null and not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns whether a value is a list. */
export function isJsonList(value: Json | undefined): value is Json[] {
  return Array.isArray(value);
}

/**
 * Converts a primitive to text. Lists and objects from a file may hold a `toString` that is not a function, so the text
 * only says that they are lists or objects.
 */
export function textOf(value: Json | undefined): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

/**
 * The name of a class or an operation, for lookup in tables. A file may contain a name that every object has as a
 * member, such as `constructor`. Such names are quoted, so that the lookup does not find the member.
 */
export function classNameOf(value: Json | undefined): string {
  const text = textOf(value);
  return text in Object.prototype ? `'${text}'` : text;
}

/** Converts a primitive to a number. Lists and objects give NaN: they may hold a `valueOf` that is not a function. */
export function numericOf(value: Json | undefined): number {
  return typeof value === 'object' && value !== null ? NaN : Number(value);
}

/** A copy without functions and undefined values. */
export function jsonCopy(value: object): JsonObject {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  if (!isJsonObject(copy)) throw internalError('a copy is no object');
  return copy;
}
