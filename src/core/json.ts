// JSON as a type, and the few questions asked of it.

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** Whether a value is a JSON object: not null, not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is a list. */
export function isJsonList(value: Json | undefined): value is Json[] {
  return Array.isArray(value);
}

/** A primitive as text. Lists and objects of a file may hold a `toString` that is no function: they are only named. */
export function textOf(value: Json | undefined): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

/**
 * The name of a class or an operation, to be looked up in tables. Every object has members such as `constructor`: a file
 * that names one of them must not find it, so they come in quotation marks.
 */
export function classNameOf(value: Json | undefined): string {
  const text = textOf(value);
  return text in Object.prototype ? `'${text}'` : text;
}

/** A primitive as number, NaN for lists and objects: these may hold a `valueOf` that is no function. */
export function numericOf(value: Json | undefined): number {
  return typeof value === 'object' && value !== null ? NaN : Number(value);
}
