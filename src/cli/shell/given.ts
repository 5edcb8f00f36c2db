// Options as the library takes them: without those that were not given.

/** The fields that have a value. */
export type Given<T> = { readonly [Name in keyof T]?: Exclude<T[Name], undefined> };

/** Leaves out fields without a value. */
export function given<T extends object>(options: T): Given<T> {
  // What is left has each of its values from T, and none that is undefined.
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<T>;
}
