// Values of a page that its worker calls: callbacks, samples, places to load from and to save to.
import type { Sample, Samples } from '../core/types.ts';
import { samplesOf } from '../data/samples/defineSamples.ts';
import { labelsByHead } from '../data/samples/targetRecords.ts';
import type { Kind } from './kind.ts';
import { hasMethod, methodsOf } from './methods.ts';

/**
 * Callbacks: options such as `onEpoch`. Other functions give values that a verb needs at once, and cannot be sent. A verb
 * does not wait for `onProgress` before it goes on, but before it calls it again, and at the end.
 */
const callbacks: Kind = {
  name: 'callback',
  isLasting: false,
  offer: (value, key) =>
    typeof value === 'function' && /^on[A-Z]/.test(key)
      ? {
          fields: () => ({ isProgress: key === 'onProgress' }),
          members: { call: (...args) => Reflect.apply(value, undefined, args) as unknown },
        }
      : undefined,
  standIn(fields, call, scope) {
    const { isProgress } = fields as { readonly isProgress: boolean };
    if (!isProgress) return (...args: readonly unknown[]) => call('call', args);
    let latest: Promise<unknown> = Promise.resolve();
    scope.mustFinish(() => latest);
    return async (...args: readonly unknown[]) => {
      await latest;
      latest = call('call', args);
      // An error is raised by the next call, or at the end.
      latest.catch(() => undefined);
    };
  },
};

/** Samples: the targets are sent, and each input when it is read. */
const samples: Kind = {
  name: 'samples',
  isLasting: false,
  offer: (value) =>
    isSamples(value)
      ? { fields: () => targetsOf(value), members: { read: (index) => value.read(Number(index)) } }
      : undefined,
  standIn(fields, call) {
    // Made by `targetsOf`: both sides have the same version.
    const { onUnreadable, ...settled } = fields as ReturnType<typeof targetsOf>;
    return samplesOf({ settled, onUnreadable, read: (index) => call('read', [index]) as Promise<Sample> });
  },
};

/** Handlers of tfjs (`tf.io.browserFiles` …), checkpoint stores and targets of files: objects whose members are all asynchronous. */
const storage: Kind = {
  name: 'storage',
  isLasting: false,
  offer(value) {
    if (!['load', 'save', 'list', 'write'].some((name) => hasMethod(value, name))) return undefined;
    const members = methodsOf(value, ['load', 'save', 'list', 'read', 'write', 'remove']);
    return { fields: () => ({ names: Object.keys(members) }), members };
  },
  standIn(fields, call) {
    const { names } = fields as { readonly names: readonly string[] };
    return Object.fromEntries(names.map((name) => [name, (...args: readonly unknown[]) => call(name, args)]));
  },
};

/** Kinds of values that a page gives to its worker. */
export const pageKinds: readonly Kind[] = [callbacks, samples, storage];

function isSamples(value: unknown): value is Samples {
  return hasMethod(value, 'read') && hasMethod(value, 'target') && hasMethod(value, 'split');
}

function targetsOf(given: Samples) {
  const { size, labels, heads, onUnreadable } = given;
  const targets = Array.from({ length: size }, (_, index) => given.target(index));
  return { targets, labels, onUnreadable, ...(heads && { heads: labelsByHead(heads) }) };
}
