// What one side holds for the other, by number, and the stand-ins of what the other side holds.
import { internalError, TransferKitError } from '../core/errors.ts';
import type { Kind, Offer } from './kind.ts';
import type { Change, Target } from './messages.ts';
import type { Scope } from './scope.ts';

/** A value of this side, as the other side gets it. */
export interface Reference {
  readonly kind: string;
  readonly id: number;
  readonly fields: object;
}

/** Values that the other side may call, and stand-ins of its values. */
export interface References {
  /** Offers a value; undefined for values of no kind. */
  give(value: object, key: string, scope: Scope): Reference | undefined;
  /** The value of a number. Raises DISPOSED when it is gone. */
  given(id: number, scope: Scope): unknown;
  /** Calls a member of a value. */
  call(id: number, name: string, args: readonly unknown[], scope: Scope): unknown;
  /** The present fields of the lasting values that a call has used, and those that are gone: they are forgotten. */
  changes(scope: Scope): readonly Change[];
  /** The stand-in of a value of the other side. */
  standIn(reference: Reference, scope: Scope): object;
  /** The number that a stand-in has on the other side; undefined for other values. */
  numberOf(value: object): number | undefined;
  /** The kind of a value that belongs on the other side, where only its stand-in should be here; undefined for others. */
  kindOf(value: object): string | undefined;
  /** Gives a stand-in new fields, or forgets it. */
  update(change: Change): void;
}

/** Settings of {@link openReferences}. */
export interface ReferenceSettings {
  /** Kinds that this side gives to the other. */
  readonly gives: readonly Kind[];
  /** Kinds that this side gets from the other. */
  readonly takes: readonly Kind[];
  readonly request: (target: Target, args: readonly unknown[]) => Promise<unknown>;
}

/** Stand-ins of all connections. */
const allStandIns = new WeakSet<object>();

/** Whether a value is a stand-in, of this or another worker. */
export function isStandIn(value: object): boolean {
  return allStandIns.has(value);
}

/** Opens the tables of one side. */
export function openReferences({ gives, takes, request }: ReferenceSettings): References {
  const held = new Map<number, { readonly value: object; readonly offer: Offer }>();
  const numbers = new WeakMap<object, number>();
  const standIns = new Map<number, object>();
  const standInNumbers = new WeakMap<object, number>();
  let last = 0;

  const find = (id: number) => {
    const found = held.get(id);
    if (found !== undefined) return found;
    throw new TransferKitError(
      'DISPOSED',
      'expected a model, base or classifier that is alive, got one that was disposed of.',
    );
  };

  return {
    give(value, key, scope) {
      for (const { name, isLasting, offer: recognise } of gives) {
        const offer = recognise(value, key);
        if (offer === undefined) continue;
        const id = (isLasting ? numbers.get(value) : undefined) ?? ++last;
        held.set(id, { value, offer });
        if (isLasting) numbers.set(value, id);
        else scope.atEnd(() => held.delete(id));
        return { kind: name, id, fields: offer.fields() };
      }
      return undefined;
    },
    given(id, scope) {
      scope.used.add(id);
      return find(id).value;
    },
    call(id, name, args, scope) {
      scope.used.add(id);
      const { value, offer } = find(id);
      const member = offer.members[name];
      if (member === undefined) throw internalError(`no member '${name}' may be called`);
      if (name === 'dispose') {
        held.delete(id);
        numbers.delete(value);
      }
      return member(...args);
    },
    changes({ used }) {
      const gone = [...held].filter(([, { offer }]) => offer.isGone?.() === true).map(([id]) => id);
      for (const id of gone) held.delete(id);
      const changed = [...used].flatMap((id) => {
        const found = held.get(id);
        return found === undefined ? [] : [{ id, fields: found.offer.fields() }];
      });
      return [...changed, ...gone.map((id) => ({ id, fields: undefined }))];
    },
    standIn({ kind: name, id, fields }, scope) {
      const existing = standIns.get(id);
      if (existing !== undefined) return Object.assign(existing, fields);
      const kind = takes.find((each) => each.name === name);
      if (kind === undefined) throw internalError(`no stand-in for a ${name}`);
      const standIn = kind.standIn(
        fields,
        (member, args) => {
          if (member === 'dispose') standIns.delete(id);
          return request({ of: id, name: member }, args);
        },
        scope,
      );
      if (!kind.isLasting) return standIn;
      standIns.set(id, standIn);
      standInNumbers.set(standIn, id);
      allStandIns.add(standIn);
      return Object.assign(standIn, fields);
    },
    kindOf: (value) => takes.find((kind) => kind.isLasting && kind.offer(value, '') !== undefined)?.name,
    numberOf: (value) => standInNumbers.get(value),
    update({ id, fields }) {
      if (fields === undefined) standIns.delete(id);
      else Object.assign(standIns.get(id) ?? {}, fields);
    },
  };
}
