// The messages between a page and a worker. Types only, and the version of both.
import type { SentError } from './sentErrors.ts';

/** Both sides must speak the same. It changes with the form of messages. */
export const protocol = 1;

/** What a call is for: a function by its name, or a member of a value that the other side holds. */
export interface Target {
  /** Id of the value; missing for a function. */
  readonly of?: number;
  readonly name: string;
}

/** Messages. The key `transferkit` tells them from those that an app sends to the same worker. */
export type Message =
  /** From the worker: it listens. */
  | { readonly transferkit: 'listening' }
  /** From the page: the name under which the worker shows that it lives. */
  | { readonly transferkit: 'hello'; readonly protocol: number; readonly life: string }
  /** From the worker: the names of the app's own functions. */
  | {
      readonly transferkit: 'ready';
      readonly protocol: number;
      readonly functions: readonly string[];
      /** Whether the worker shows that it lives. */
      readonly isShown: boolean;
    }
  | { readonly transferkit: 'call'; readonly id: number; readonly target: Target; readonly args: unknown }
  | {
      readonly transferkit: 'result';
      readonly id: number;
      readonly value: unknown;
      readonly changes: readonly Change[];
    }
  | { readonly transferkit: 'failure'; readonly id: number; readonly error: SentError }
  | { readonly transferkit: 'abort'; readonly signal: number; readonly reason: SentError };

/** New fields of a value that a call may have changed; undefined for a value that is gone. */
export interface Change {
  readonly id: number;
  readonly fields: object | undefined;
}

/** Whether a message belongs to this package. */
export function isMessage(data: unknown): data is Message {
  return typeof data === 'object' && data !== null && 'transferkit' in data;
}
