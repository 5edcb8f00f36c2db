// Values that are not sent: they stay where they are, and the other side gets a stand-in that calls them. Types only.
import type { Scope } from './scope.ts';

/** Calls a member of a value on the other side. */
export type CallMember = (name: string, args: readonly unknown[]) => Promise<unknown>;

/** A value that the other side may call. */
export interface Offer {
  /** Plain data about the value. */
  fields(): object;
  /** Whether a lasting value was disposed of, by whomever. */
  isGone?(): boolean;
  /** What may be called, by name. */
  readonly members: Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
}

/** A kind of values with stand-ins. */
export interface Kind {
  readonly name: string;
  /**
   * Whether a value stays until its `dispose` is called: its stand-in has the fields, and gets them anew after every call
   * that may have changed them. Otherwise the value is there for one call.
   */
  readonly isLasting: boolean;
  /**
   * Recognises a value.
   *
   * @param key - The name of the option that holds it.
   */
  readonly offer: (value: unknown, key: string) => Offer | undefined;
  /**
   * Makes a stand-in.
   *
   * @param fields - What `fields()` of the offer returned.
   * @param scope - Of the call that the value came with.
   */
  standIn(fields: object, call: CallMember, scope: Scope): object;
}
