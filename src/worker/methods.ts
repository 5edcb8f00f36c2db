// Methods of values that are called from the other side.
import type { Offer } from './kind.ts';

/** Those of the named methods that an object has. */
export function methodsOf(owner: unknown, names: readonly string[]): Offer['members'] {
  const methods = names.flatMap((name) => {
    const method: unknown = hasMethod(owner, name) ? Reflect.get(owner, name) : undefined;
    if (typeof method !== 'function') return [];
    return [[name, (...args: readonly unknown[]) => Reflect.apply(method, owner, args) as unknown] as const];
  });
  return Object.fromEntries(methods);
}

/** Whether a value has a method of this name. */
export function hasMethod(value: unknown, name: string): value is object {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function';
}
